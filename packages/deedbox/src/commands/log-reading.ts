import { type LogEntry, readEntries } from './log-entry.ts'
import { readLines, UnreadableFile } from './log-files.ts'
import type { LineChoice } from './log-filters.ts'

/** Who is told what while files are read. */
export interface ReadingHooks {
  /** Bytes were read, as they lie in the file. */
  onBytes(count: number): void
  /** A file could not be read, or not to its end. */
  onProblem(problem: UnreadableFile): void
}

/** The entries among lines that fit. */
export function chosenEntries(lines: readonly Buffer[], choice: LineChoice): LogEntry[] {
  const chosen: LogEntry[] = []
  for (const line of lines) {
    if (line.length === 0 || !choice.mayFit(line)) continue
    for (const entry of readEntries(line)) if (choice.fits(entry)) chosen.push(entry)
  }
  return chosen
}

/** The entries of a file that fit, piece by piece; a piece without any gives an empty list. */
export async function* readChosen(
  name: string,
  choice: LineChoice,
  hooks: ReadingHooks,
): AsyncGenerator<LogEntry[], void, undefined> {
  try {
    for await (const lines of readLines(name, hooks.onBytes)) yield chosenEntries(lines, choice)
  } catch (error) {
    if (!(error instanceof UnreadableFile)) throw error
    hooks.onProblem(error)
  }
}
