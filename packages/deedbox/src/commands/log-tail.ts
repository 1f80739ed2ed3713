import { setTimeout as wait } from 'node:timers/promises'
import type { LogEntry } from './log-entry.ts'
import { isPacked, UnreadableFile } from './log-files.ts'
import type { LineChoice } from './log-filters.ts'
import { FollowedFile } from './log-follow.ts'
import { chosenEntries, type ReadingHooks, readChosen } from './log-reading.ts'

/** Milliseconds between two looks at files in which nothing happens. */
const pause = 200

/** What becomes of followed lines. */
export interface TailHooks extends ReadingHooks {
  /** Entries that were there when the command began. */
  onStart(entries: readonly LogEntry[], file: string): Promise<void>
  /** All of them were told. */
  onStarted(): Promise<void>
  /** Entries that have come since. */
  onNew(entries: readonly LogEntry[]): Promise<void>
  /** A sentence about what happens to a file. */
  tell(sentence: string): void
}

/** Follows files until the signal is aborted, by SIGINT or SIGTERM, or because none of them can be read. */
export async function followFiles(
  names: readonly string[],
  choice: LineChoice,
  signal: AbortSignal,
  hooks: TailHooks,
): Promise<void> {
  const stop = new AbortController()
  const onStop = (): void => stop.abort()
  process.on('SIGINT', onStop)
  process.on('SIGTERM', onStop)
  signal.addEventListener('abort', onStop, { once: true })
  const files = new Map<string, FollowedFile>()
  const look = async (name: string, file: FollowedFile): Promise<LogEntry[] | undefined> => {
    try {
      const lines = await file.next()
      return lines === undefined ? undefined : chosenEntries(lines, choice)
    } catch (error) {
      if (!(error instanceof UnreadableFile)) throw error
      files.delete(name)
      hooks.onProblem(error)
      return undefined
    }
  }
  try {
    for (const name of new Set(names)) {
      if (isPacked(name)) {
        for await (const entries of readChosen(name, choice, hooks)) {
          if (stop.signal.aborted) break
          await hooks.onStart(entries, name)
        }
        continue
      }
      const file = new FollowedFile(name, hooks.tell)
      files.set(name, file)
      let entries = await look(name, file)
      while (entries !== undefined && !stop.signal.aborted) {
        await hooks.onStart(entries, name)
        entries = await look(name, file)
      }
    }
    await hooks.onStarted()
    while (!stop.signal.aborted && files.size > 0) {
      let isQuiet = true
      for (const [name, file] of files) {
        const entries = await look(name, file)
        if (entries === undefined) continue
        isQuiet = false
        await hooks.onNew(entries)
      }
      if (isQuiet) await wait(pause, undefined, { signal: stop.signal }).catch(() => undefined)
    }
    for (const file of files.values()) await hooks.onNew(chosenEntries(await file.close(), choice))
  } finally {
    process.off('SIGINT', onStop)
    process.off('SIGTERM', onStop)
  }
}
