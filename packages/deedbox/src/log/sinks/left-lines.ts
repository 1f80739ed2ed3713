import { appendFileSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'

/**
 * The lines that a worker had sent when it ended, and of which it cannot know whether they arrived. It leaves them in
 * a file beside the log; the primary, which knows, writes those that did not.
 */
export interface LeftLines {
  /** The number of the message, as in the message. */
  readonly number: number
  readonly text: string
}

/** Leaves lines of a worker's sink. The key begins with the number of the process. */
export function leaveLines(path: string, key: string, left: readonly LeftLines[]): void {
  appendFileSync(`${path}.${key}.left`, left.map(lines => `${JSON.stringify(lines)}\n`).join(''))
}

/**
 * Takes what ended processes have left.
 * @param isEnded whether nothing will arrive any more from the process of this number
 * @param lastOf the number of the last message that arrived from a worker's sink
 */
export function takeLeftLines(
  path: string,
  isEnded: (pid: number) => boolean,
  lastOf: (key: string) => number,
  write: (text: string) => void,
): void {
  const start = `${basename(path)}.`
  for (const name of readdirSync(dirname(path))) {
    const [, key = '', pid] = /^((\d+)-\d+)\.left$/.exec(name.slice(start.length)) ?? []
    if (!name.startsWith(start) || pid === undefined || !isEnded(Number(pid))) continue
    const taken = join(dirname(path), `${name}.${process.pid}`)
    try {
      // Whoever renames it has it for itself.
      renameSync(join(dirname(path), name), taken)
    } catch {
      continue
    }
    try {
      for (const { number, text } of read(taken)) {
        if (number > lastOf(key)) write(text)
      }
    } finally {
      rmSync(taken, { force: true })
    }
  }
}

function read(path: string): LeftLines[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .flatMap(line => {
      try {
        return [JSON.parse(line) as LeftLines]
      } catch {
        // The end of the file, or what a full disk cut off.
        return []
      }
    })
}
