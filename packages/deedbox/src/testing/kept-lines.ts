import { appendFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = process.env.DEEDBOX_KEPT_LINES
const waiting: string[] = []

/**
 * Keeps lines that a log wrote, as it wrote them, for the check at the end of the whole suite: that another program,
 * `jq`, parses each of them. Does nothing when that check is not to come.
 */
export function keepLine(line: string): void {
  if (folder === undefined) return
  if (waiting.length === 0) process.once('exit', writeLines)
  waiting.push(line.endsWith('\n') ? line : `${line}\n`)
  if (waiting.length >= 10_000) writeLines()
}

function writeLines(): void {
  if (folder !== undefined) appendFileSync(join(folder, `${process.pid}.jsonl`), waiting.splice(0).join(''))
}
