import { existsSync, globSync, realpathSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { unpackedPackages } from './debian-packages.ts'
import { builtProgram } from './go-source.ts'
import type { Installation, ServerKind } from './server-kind.ts'

/**
 * Where a server's programs are: on `PATH`, where systems keep them, in packages that are unpacked beside the tests and
 * never installed, or built there from their source.
 * @throws Error saying why it cannot be had
 */
export function installationOf(kind: ServerKind): Installation {
  const installed = [...(process.env.PATH ?? '').split(delimiter), ...foldersBelow('/', kind)].find(
    folder => folder !== '' && existsSync(join(folder, kind.program)),
  )
  if (installed !== undefined)
    return { bin: dirname(realpathSync(join(installed, kind.program))), root: '/', env: process.env }
  if (kind.packages.length === 0) {
    if (kind.source === undefined) throw new Error('not installed')
    return { bin: builtProgram(kind, kind.source), root: '/', env: process.env }
  }
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

function foldersBelow(root: string, { folders }: ServerKind): string[] {
  return folders.flatMap(pattern =>
    globSync(pattern, { cwd: root })
      .sort((a, b) => b.localeCompare(a, 'en', { numeric: true }))
      .map(folder => join(root, folder)),
  )
}
