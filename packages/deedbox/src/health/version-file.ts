import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { errorMessage } from '../safety/index.ts'

/** What is known of the version. */
export type VersionAnswer =
  | { readonly kind: 'found'; readonly version: object }
  | { readonly kind: 'missing' }
  /** @member problem a sentence */
  | { readonly kind: 'broken'; readonly problem: string }

/** Gives the version object for a folder, or nothing where there is none. (DF-04) */
export type VersionFunction = (root: string) => object | null | undefined | Promise<object | null | undefined>

/** Reads `version.json` in a folder: once, and again when the file has changed. (DF-02) */
export function versionFile(folder: string): () => VersionAnswer {
  const path = join(folder, 'version.json')
  let known: { readonly mark: string; readonly answer: VersionAnswer } | undefined
  return () => {
    const mark = markOf(path)
    if (mark === undefined) return { kind: 'missing' }
    if (known?.mark !== mark) known = { mark, answer: read(path) }
    return known.answer
  }
}

/** Differs once the file was written anew, or another took its place. */
function markOf(path: string): string | undefined {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false })
  return stats === undefined ? undefined : `${stats.ino} ${stats.size} ${stats.mtimeNs}`
}

function read(path: string): VersionAnswer {
  try {
    const version: unknown = JSON.parse(readFileSync(path, 'utf8'))
    if (typeof version === 'object' && version !== null && !Array.isArray(version))
      return { kind: 'found', version }
    return { kind: 'broken', problem: 'version.json holds JSON, but no object' }
  } catch (error) {
    return { kind: 'broken', problem: `version.json cannot be read as JSON: ${errorMessage(error)}` }
  }
}
