import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { gunzipSync } from 'node:zlib'

/** A folder for the log files of one test. */
export interface LogFolder {
  readonly path: string
  /** The path of a file in it. */
  file(name: string): string
  /** The names in it, sorted. */
  names(): string[]
  /** A file's text; of a compressed one what was compressed. */
  read(name: string): string
  /**
   * The numbers `i` of the lines of all files. Throws if a line is not whole.
   */
  numbers(): number[]
}

/** Makes a folder that goes with the test. */
export function logFolder(t: TestContext): LogFolder {
  const path = mkdtempSync(join(tmpdir(), 'deedbox-log-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return folderAt(path)
}

/** The log files of a folder that is there. */
export function folderAt(path: string): LogFolder {
  const names = (): string[] => readdirSync(path).sort()
  const read = (name: string): string => {
    const bytes = readFileSync(join(path, name))
    return (name.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString()
  }
  const numbers = (): number[] => {
    const texts = names().map(read)
    for (const text of texts) {
      if (text !== '' && !text.endsWith('\n')) throw new Error(`a file has no end: ${text.slice(-100)}`)
    }
    return texts
      .flatMap(text => text.split('\n').slice(0, -1))
      .map(line => (JSON.parse(line) as { i: number }).i)
      .filter(i => i !== undefined)
  }
  return { path, file: name => join(path, name), names, read, numbers }
}

/** The numbers from 0 on, so many. */
export function numbersTo(count: number): number[] {
  return [...Array(count).keys()]
}
