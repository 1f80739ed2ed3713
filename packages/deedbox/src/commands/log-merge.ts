import type { LogEntry } from './log-entry.ts'

/**
 * Lines of several files in time order, each file in order by itself. A line without a time stays behind the one that
 * stands before it in its file.
 */
export async function* mergedByTime(
  sources: readonly AsyncGenerator<LogEntry[], void, undefined>[],
): AsyncGenerator<LogEntry[], void, undefined> {
  const cursors = sources.map(source => new Cursor(source))
  try {
    for (const cursor of cursors) await cursor.load()
    let batch: LogEntry[] = []
    for (;;) {
      let first: Cursor | undefined
      for (const cursor of cursors) {
        if (cursor.entry !== undefined && (first === undefined || cursor.time < first.time)) first = cursor
      }
      if (first?.entry === undefined) break
      batch.push(first.entry)
      if (!first.step()) {
        yield batch
        batch = []
        await first.load()
      }
    }
    if (batch.length > 0) yield batch
  } finally {
    for (const source of sources) await source.return()
  }
}

class Cursor {
  readonly #source: AsyncGenerator<LogEntry[], void, undefined>
  #batch: LogEntry[] = []
  #at = 0
  /** Milliseconds since 1970 of the line that is next. */
  time: number = Number.NEGATIVE_INFINITY

  constructor(source: AsyncGenerator<LogEntry[], void, undefined>) {
    this.#source = source
  }

  get entry(): LogEntry | undefined {
    return this.#batch[this.#at]
  }

  /** Goes on by a line. @returns whether there is one without reading */
  step(): boolean {
    this.#at++
    this.#tell()
    return this.#at < this.#batch.length
  }

  async load(): Promise<void> {
    this.#at = 0
    do {
      const { done, value } = await this.#source.next()
      this.#batch = done || value === undefined ? [] : value
      if (done) break
    } while (this.#batch.length === 0)
    this.#tell()
  }

  #tell(): void {
    this.time = this.entry?.time ?? this.time
  }
}
