import { spawnSync } from 'node:child_process'
import { existsSync, globSync, realpathSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { pulledImage } from './container.ts'
import { unpackedPackages } from './debian-packages.ts'
import { builtProgram } from './go-source.ts'
import type { Installation, ServerKind } from './server-kind.ts'

/**
 * Where a server's programs are: on `PATH`, where systems keep them, in packages that are unpacked beside the tests and
 * never installed, built there from their source, or in an image.
 * @throws Error saying why it cannot be had
 */
export function installationOf(kind: ServerKind): Installation {
  const problems: string[] = []
  for (const way of [installed, fromPackages, fromSource, fromImage]) {
    try {
      const found = way(kind)
      if (found !== undefined) return found
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error))
    }
  }
  throw new Error(['not installed', ...problems].join(', and '))
}

function installed(kind: ServerKind): Installation | undefined {
  const folder = [...(process.env.PATH ?? '').split(delimiter), ...foldersBelow('/', kind)].find(
    each =>
      each !== '' && existsSync(join(each, kind.program)) && isOfVersion(join(each, kind.program), kind),
  )
  if (folder === undefined) return undefined
  return { bin: dirname(realpathSync(join(folder, kind.program))), root: '/', env: process.env }
}

function isOfVersion(file: string, { version }: ServerKind): boolean {
  return (
    version === undefined || version.test(spawnSync(file, ['version'], { encoding: 'utf8' }).stdout ?? '')
  )
}

function fromPackages(kind: ServerKind): Installation | undefined {
  if (kind.packages.length === 0) return undefined
  const root = unpackedPackages(kind)
  const bin = foldersBelow(root, kind).find(folder => existsSync(join(folder, kind.program)))
  if (bin === undefined) throw new Error(`its packages have no ${kind.program}`)
  const libraries = new Set(globSync('usr/lib/*-linux-gnu*/**/*.so*', { cwd: root }).map(dirname))
  for (const library of globSync('lib/*-linux-gnu*/*.so*', { cwd: root })) libraries.add(dirname(library))
  return {
    bin,
    root,
    env: { ...process.env, LD_LIBRARY_PATH: [...libraries].map(path => join(root, path)).join(':') },
  }
}

function fromSource(kind: ServerKind): Installation | undefined {
  if (kind.source === undefined) return undefined
  return { bin: builtProgram(kind, kind.source), root: '/', env: process.env }
}

function fromImage(kind: ServerKind): Installation | undefined {
  if (kind.image === undefined) return undefined
  return { bin: '', root: '/', env: process.env, container: pulledImage(kind, kind.image) }
}

function foldersBelow(root: string, { folders }: ServerKind): string[] {
  return folders.flatMap(pattern =>
    globSync(pattern, { cwd: root })
      .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
      .map(folder => join(root, folder)),
  )
}
