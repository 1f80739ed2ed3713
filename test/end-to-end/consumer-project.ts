import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Run, root, run } from './ledger-process.ts'

/** A package as npm packs it. */
export interface Packed {
  readonly tarball: string
  /** The paths of the files inside. */
  readonly files: readonly string[]
}

/** Packs a package of the repository, by the name of its folder. */
export async function pack(name: string, destination: string): Promise<Packed> {
  const packed = await npm(
    ['pack', '--json', '--pack-destination', destination],
    join(root, 'packages', name),
  )
  assert.equal(packed.code, 0, packed.stderr)
  const [{ filename, files }] = JSON.parse(packed.stdout) as [{ filename: string; files: { path: string }[] }]
  return { tarball: join(destination, filename), files: files.map(({ path }) => path) }
}

/** Makes an empty project, without a `type`, and installs what a consumer does. */
export async function consumerProject(folder: string, packages: readonly string[]): Promise<string> {
  mkdirSync(folder)
  const manifest = { name: 'consumer', version: '1.0.0', private: true }
  writeFileSync(join(folder, 'package.json'), JSON.stringify(manifest))
  const installed = await npm(
    ['install', '--prefer-offline', '--no-audit', '--no-fund', '--ignore-scripts', ...packages],
    folder,
  )
  assert.equal(installed.code, 0, installed.stderr)
  return folder
}

/** The names of all packages that a project has installed, at any depth. */
export function installedPackages(project: string): Set<string> {
  const lock = JSON.parse(readFileSync(join(project, 'node_modules', '.package-lock.json'), 'utf8')) as {
    packages: Record<string, unknown>
  }
  return new Set(Object.keys(lock.packages).map(path => path.split('node_modules/').at(-1) ?? path))
}

/** The version of a package that the repository's lock file has for a workspace of `test/frameworks`. */
export function lockedVersion(workspace: string, name: string): string {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version?: string }>
  }
  const here = packages[`test/frameworks/${workspace}/node_modules/${name}`]
  const version = (here ?? packages[`node_modules/${name}`])?.version
  assert(version !== undefined, `${name} is not in the lock file`)
  return version
}

/** Runs npm, the one that runs us where there is one. */
function npm(args: string[], cwd: string): Promise<Run> {
  const own = process.env.npm_execpath
  return own?.endsWith('.js') === true
    ? run(process.execPath, [own, ...args], { cwd })
    : run('npm', args, { cwd })
}
