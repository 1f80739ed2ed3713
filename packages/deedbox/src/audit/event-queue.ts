import type { Backlog } from './backlog.ts'
import { defaultCapacity } from './delivery-options.ts'
import { isAwaited, type QueuedEvent } from './queued-event.ts'

/** Bytes of payload that may wait: 10,000 automatic events fit, and large explicit ones cannot fill the memory. */
const mostBytes = 128 * 1024 * 1024

/**
 * The events of an instance that no ledger has acknowledged yet, in order, bounded in number and bytes. When it
 * is full the newest are refused: what was taken stays taken, and the gap is in one piece. Those that somebody waits for
 * do not stand behind the others, which may be the backlog of hours.
 */
export class EventQueue implements Backlog {
  readonly #capacity: number
  /** A set, because any of them may be given up at any time, and all at once. */
  #awaited = new Set<QueuedEvent>()
  #entries: QueuedEvent[] = []
  #head = 0
  #bytes = 0

  constructor(capacity: number) {
    this.#capacity = capacity
  }

  get size(): number {
    return this.#awaited.size + this.#entries.length - this.#head
  }

  /** Memory is all there is here. */
  readonly spooled = 0
  readonly isDurable = false

  /** Appends an event; `false` means that the queue is full. */
  add(entry: QueuedEvent): boolean {
    const bytes = entry.event.payload.length
    // Who waits for a first attempt does so for seconds, and not behind what waits for a dead place.
    const capacity = this.#capacity + (entry.onAttempt === undefined ? 0 : defaultCapacity)
    if (this.size >= capacity || this.#bytes + bytes > mostBytes) return false
    this.#bytes += bytes
    if (isAwaited(entry)) this.#awaited.add(entry)
    else this.#entries.push(entry)
    return true
  }

  take(count: number, bytes: number, isOnlyAwaited = false): QueuedEvent[] {
    const taken: QueuedEvent[] = []
    let room = bytes
    const fits = ({ event }: QueuedEvent): boolean => {
      if (taken.length >= count) return false
      room -= event.payload.length
      return room >= 0 || taken.length === 0
    }
    for (const entry of this.#awaited) {
      if (!fits(entry)) break
      this.#awaited.delete(entry)
      taken.push(entry)
    }
    while (!isOnlyAwaited && this.#head < this.#entries.length && fits(this.#entries[this.#head]!)) {
      taken.push(this.#entries[this.#head++]!)
    }
    for (const { event } of taken) this.#bytes -= event.payload.length
    if (this.#head * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head)
      this.#head = 0
    }
    return taken
  }

  /** Puts events back before all others of their kind, in their order; they are in the count again even if it is full. */
  putBack(entries: readonly QueuedEvent[]): void {
    if (entries.length === 0) return
    for (const { event } of entries) this.#bytes += event.payload.length
    const awaited = entries.filter(isAwaited)
    if (awaited.length > 0) this.#awaited = new Set([...awaited, ...this.#awaited])
    if (awaited.length === entries.length) return
    const others = entries.filter(entry => !isAwaited(entry))
    this.#entries = [...others, ...this.#entries.slice(this.#head)]
    this.#head = 0
  }

  remove(which: QueuedEvent | 'awaited'): QueuedEvent[] {
    const removed = which === 'awaited' ? [...this.#awaited] : this.#awaited.has(which) ? [which] : []
    for (const entry of removed) {
      this.#awaited.delete(entry)
      this.#bytes -= entry.event.payload.length
    }
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

  /** All that wait, in the order in which they are taken. */
  all(): QueuedEvent[] {
    return [...this.#awaited, ...this.#entries.slice(this.#head)]
  }

  /** How many of the waiting ones fit a test. */
  count(test: (entry: QueuedEvent) => boolean): number {
    return this.all().filter(test).length
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
