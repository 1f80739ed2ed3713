import type { LogEntry } from './log-entry.ts'

/** Keeps the last entries of what goes by. */
export class LastEntries {
  readonly #count: number
  readonly #rings = new Map<string, { entries: LogEntry[]; next: number }>()

  constructor(count: number) {
    this.#count = count
  }

  /** @param file where they are from; entries of one file stand in its order */
  add(entries: readonly LogEntry[], file: string): void {
    if (this.#count === 0) return
    let ring = this.#rings.get(file)
    if (ring === undefined) {
      ring = { entries: [], next: 0 }
      this.#rings.set(file, ring)
    }
    for (const entry of entries) {
      ring.entries[ring.next] = entry.kept()
      ring.next = (ring.next + 1) % this.#count
    }
  }

  /** The last ones, of several files in time order. */
  end(): LogEntry[] {
    const timed: { entry: LogEntry; time: number }[] = []
    for (const { entries, next } of this.#rings.values()) {
      let time = Number.NEGATIVE_INFINITY
      for (const entry of [...entries.slice(next), ...entries.slice(0, next)]) {
        // A line without a time stays behind the one before it.
        time = entry.time ?? time
        timed.push({ entry, time })
      }
    }
    if (this.#rings.size > 1) timed.sort((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0))
    this.#rings.clear()
    return timed.slice(-this.#count).map(({ entry }) => entry)
  }
}
