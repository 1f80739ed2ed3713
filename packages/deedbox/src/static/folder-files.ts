import { readdirSync, realpathSync, statSync } from 'node:fs'
import { join, sep } from 'node:path'

/** A way in which the content of a file is sent. */
export type Encoding = 'br' | 'gzip'

/** A file that may be served. */
export interface FolderFile {
  /** In the folder, with slashes. */
  readonly name: string
  /** On the disk. */
  readonly path: string
  /** Where it lies compressed beside itself, on the disk. */
  readonly compressed: Readonly<Partial<Record<Encoding, string>>>
}

/**
 * All files of a folder by their names. Only these are served, so no path of a request ever reaches the disk. Names that
 * begin with a full stop are left out, except `.well-known`, and so are links that lead out of the folder.
 */
export function folderFiles(folder: string): Map<string, FolderFile> {
  const root = realpathSync(folder)
  const found = new Map<string, string>()
  walk(root, '', [root], found)
  const files = new Map<string, FolderFile>()
  for (const [name, path] of found) {
    if (/\.(?:br|gz)$/.test(name) && found.has(name.slice(0, name.lastIndexOf('.')))) continue
    const [br, gzip] = [found.get(`${name}.br`), found.get(`${name}.gz`)]
    const compressed = { ...(br === undefined ? {} : { br }), ...(gzip === undefined ? {} : { gzip }) }
    files.set(name, { name, path, compressed })
  }
  return files
}

/** @param above the folders that it is in, as they are on the disk: a link to one of them is a circle */
function walk(folder: string, names: string, above: readonly string[], found: Map<string, string>): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if ((entry.name.startsWith('.') && entry.name !== '.well-known') || entry.name.includes('\\')) continue
    const name = names + entry.name
    const path = entry.isSymbolicLink()
      ? linked(join(folder, entry.name), above[0] ?? '')
      : join(folder, entry.name)
    if (path === undefined) continue
    const is = entry.isSymbolicLink() ? statSync(path) : entry
    if (is.isFile()) found.set(name, path)
    else if (is.isDirectory() && !above.includes(path)) walk(path, `${name}/`, [...above, path], found)
  }
}

/** Where a link in a folder leads; `undefined` if that is outside, or nowhere. */
function linked(path: string, root: string): string | undefined {
  try {
    const real = realpathSync(path)
    return real.startsWith(root + sep) ? real : undefined
  } catch {
    return undefined
  }
}

/**
 * The encodings that a client prefers to none, the best first. One that it does not name it does not take; none at all is the
 * last choice, unless it is named.
 */
export function acceptedEncodings(header: string | undefined): Encoding[] {
  const quality = new Map<string, number>()
  for (const part of (header ?? '').split(',')) {
    const [, name = '', q] = /^\s*([\w*-]+)\s*(?:;\s*q=([\d.]+)\s*)?$/i.exec(part) ?? []
    if (name !== '') quality.set(name.toLowerCase(), q === undefined ? 1 : Number(q))
  }
  const of = (encoding: Encoding | 'identity'): number => quality.get(encoding) ?? quality.get('*') ?? 0
  const all: Encoding[] = ['br', 'gzip']
  return all.filter(each => of(each) > 0 && of(each) >= of('identity')).sort((a, b) => of(b) - of(a))
}
