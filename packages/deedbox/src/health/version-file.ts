import { closeSync, fstatSync, openSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { errorMessage } from '../safety/index.ts'

/** What is known of the version. */
export type VersionAnswer =
  /** @member text a JSON object */
  | { readonly kind: 'found'; readonly text: string }
  | { readonly kind: 'missing' }
  /**
   * @member problem a sentence, for everybody
   * @member reason for the log alone: it may quote the file
   */
  | { readonly kind: 'broken'; readonly problem: string; readonly reason?: string }

/** Bytes of a `version.json`: a larger one is something else, and reading it would hold up everybody. */
const largest = 1024 * 1024

/**
 * Reads `version.json` in a folder: once, and again when the file has changed. Never throws. (DF-02)
 * @param version stands in the place of the file's own, and alone where there is no file: an image that is given another
 * tag is not built again
 */
export function versionFile(folder: string, version: string | undefined): () => VersionAnswer {
  const path = join(folder, 'version.json')
  const absent: VersionAnswer =
    version === undefined ? { kind: 'missing' } : { kind: 'found', text: JSON.stringify({ version }) }
  let known: { readonly mark: string; readonly answer: VersionAnswer } | undefined
  return () => {
    try {
      const mark = markOf(path)
      if (mark === undefined) return absent
      if (known?.mark !== mark) known = { mark, answer: read(path, version) }
      return known.answer
    } catch (error) {
      const { code = 'for another reason' } = error as NodeJS.ErrnoException
      return broken(`cannot be read (${code})`, errorMessage(error))
    }
  }
}

/** Differs once the file was written anew, or another took its place. */
function markOf(path: string): string | undefined {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false })
  if (stats === undefined) return undefined
  return `${stats.mode} ${stats.dev} ${stats.ino} ${stats.size} ${stats.mtimeNs} ${stats.ctimeNs}`
}

/** @throws what the file system throws */
function read(path: string, version: string | undefined): VersionAnswer {
  // Whoever opens a pipe waits for its other end.
  if (!statSync(path).isFile()) return broken('is no file')
  const fd = openSync(path, 'r')
  let text: string
  try {
    if (fstatSync(fd).size > largest) return broken(`has more than ${largest} bytes`)
    text = readFileSync(fd, 'utf8').replace(/^\uFEFF/, '')
  } finally {
    closeSync(fd)
  }
  let given: unknown
  try {
    given = JSON.parse(text)
  } catch (error) {
    return broken('is no JSON', errorMessage(error))
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    return broken('holds JSON, but no object')
  return { kind: 'found', text: version === undefined ? text : JSON.stringify({ ...given, version }) }
}

function broken(problem: string, reason?: string): VersionAnswer {
  return {
    kind: 'broken',
    problem: `version.json ${problem}`,
    ...(reason === undefined ? {} : { reason }),
  }
}
