import type { QueuedEvent } from './queued-event.ts'

/** What a backlog tells the one that delivers. */
export interface BacklogListener {
  /** There is something to deliver. */
  onWork(): void
  /** Events are gone that had been taken. */
  onLost(count: number): void
}

/** Where events wait: in memory alone, or in a spool as well. */
export interface Backlog {
  /** Events that wait in memory. */
  readonly size: number
  /** Events that wait on disk alone. */
  readonly spooled: number
  /** Whether what waits survives the death of this process. */
  readonly isDurable: boolean
  /** Takes an event; `false` means that there is no room. */
  add(entry: QueuedEvent): boolean
  /** Resolves once an automatic event that was added survives the death of this process; to `false` if it will not. */
  survives(entry: QueuedEvent): Promise<boolean>
  /** Reads back what waits on disk alone, where there is room for it. */
  refill(): Promise<void>
  /**
   * Removes and returns events, as many as fit both limits, at least one if there is any: first those that somebody waits
   * for, then, unless only those are wanted, the others, each in their order.
   */
  take(count: number, bytes: number, isOnlyAwaited?: boolean): QueuedEvent[]
  /** Puts events back before all others of their kind. */
  putBack(entries: readonly QueuedEvent[]): void
  /** Removes and returns an event if it waits in memory, or all that somebody waits for. */
  remove(which: QueuedEvent | 'awaited'): QueuedEvent[]
  /** Notes that an event needs no delivery any more. */
  settle(entry: QueuedEvent): void
  /** Writes out what only memory holds, before it returns. Returns how many of those that wait in memory are not on disk. */
  persist(): number
  /** Leaves nothing behind, if nothing waits. */
  rest(): void
  /** Takes nothing more. Returns those that are given up; the others stay on disk. */
  close(): QueuedEvent[]
  /** After {@link close}: an event came back that no ledger took. Whether it stays on disk. */
  leave(entry: QueuedEvent): boolean
  /** After {@link close}: nothing is on its way any more. */
  end(): void
}
