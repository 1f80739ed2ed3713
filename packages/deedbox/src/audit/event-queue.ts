import type { Backlog } from './backlog.ts'
import type { QueuedEvent } from './queued-event.ts'

/** Bytes of payload that may wait: 10,000 automatic events fit, and large explicit ones cannot fill the memory. */
const mostBytes = 128 * 1024 * 1024

/**
 * The events of an instance that no ledger has acknowledged yet, in order, bounded in number and bytes. When it
 * is full the newest are refused: what was taken stays taken, and the gap is in one piece.
 */
export class EventQueue implements Backlog {
  readonly #capacity: number
  #entries: QueuedEvent[] = []
  #head = 0
  #bytes = 0

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get size(): number {
    return this.#entries.length - this.#head
  }

  /** Memory is all there is here. */
  readonly spooled = 0
  readonly isDurable = false

  /** Appends an event; `false` means that the queue is full. */
  add(entry: QueuedEvent): boolean {
    const bytes = entry.event.payload.length
    if (this.size >= this.#capacity || this.#bytes + bytes > mostBytes) return false
    this.#bytes += bytes
    this.#entries.push(entry)
    return true
  }

  /** Removes and returns the first events, as many as fit both limits, at least one if there is any. */
  take(count: number, bytes: number): QueuedEvent[] {
    const taken: QueuedEvent[] = []
    let room = bytes
    while (taken.length < count && this.#head < this.#entries.length) {
      const entry = this.#entries[this.#head]!
      room -= entry.event.payload.length
      if (room < 0 && taken.length > 0) break
      taken.push(entry)
      this.#bytes -= entry.event.payload.length
      this.#head++
    }
    if (this.#head * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head)
      this.#head = 0
    }
    return taken
  }

  /** Puts events back before all others, in their order; they are in the count again even if it is full. */
  putBack(entries: readonly QueuedEvent[]): void {
    if (entries.length === 0) return
    for (const { event } of entries) this.#bytes += event.payload.length
    this.#entries = [...entries, ...this.#entries.slice(this.#head)]
    this.#head = 0
  }

  /** Removes and returns the events that the test picks. */
  remove(test: (entry: QueuedEvent) => boolean): QueuedEvent[] {
    const waiting = this.#entries.slice(this.#head)
    const removed = waiting.filter(test)
    if (removed.length === 0) return removed
    for (const { event } of removed) this.#bytes -= event.payload.length
    this.#entries = waiting.filter(entry => !removed.includes(entry))
    this.#head = 0
    return removed
  }

  async survives(): Promise<boolean> {
    return false
  }

  async refill(): Promise<void> {}

  settle(): void {}

  persist(): number {
    return this.size
  }

  /** How many of the waiting ones fit a test. */
  count(test: (entry: QueuedEvent) => boolean): number {
    let count = 0
    for (let i = this.#head; i < this.#entries.length; i++) if (test(this.#entries[i]!)) count++
    return count
  }

  rest(): void {}

  close(): QueuedEvent[] {
    return this.take(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)
  }

  leave(): boolean {
    return false
  }

  end(): void {}
}
