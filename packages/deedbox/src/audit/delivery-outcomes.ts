import type { Backlog } from './backlog.ts'
import type { DeliveryNotices } from './delivery-notices.ts'
import type { Refused } from './delivery-options.ts'
import type { LedgerResult } from './ledger-client.ts'
import type { QueuedEvent } from './queued-event.ts'
import type { SendError } from './send-error.ts'
import { closedEarly, tellOutcome } from './send-outcome.ts'

/** What became of the events of one delivery: counted, noted where they wait, and told to whoever waits for it. */
export class DeliveryOutcomes {
  readonly counts = { delivered: 0, dropped: 0, rejected: 0, duplicate: 0, retried: 0, deadLetters: 0 }
  readonly #queue: Backlog
  readonly #refused: Refused | undefined
  readonly #notices: DeliveryNotices

  /** @param refused keeps what is refused for good */
  constructor(queue: Backlog, refused: Refused | undefined, notices: DeliveryNotices) {
    this.#queue = queue
    this.#refused = refused
    this.#notices = notices
  }

  /** Returns whether the event is kept as a dead letter. Whoever waits is told; nobody else would know of the others. */
  reject(entry: QueuedEvent, result: Extract<LedgerResult, { ok: false }>): boolean {
    this.counts.rejected++
    let isKept = false
    try {
      isKept = entry.settle === undefined && this.#refused?.add(entry.event, result) === true
    } catch (error) {
      this.#notices.unnoted(error)
    }
    if (isKept) this.counts.deadLetters++
    this.finish(entry, result)
    return isKept
  }

  giveUp(entry: QueuedEvent, why: SendError = closedEarly(entry.event)): void {
    this.counts.dropped++
    this.finish(entry, why)
  }

  /** An event was not taken. */
  drop({ settle }: QueuedEvent, isClosed: boolean): void {
    this.counts.dropped++
    if (settle === undefined) this.#notices.dropped(isClosed, this.counts, this.#queue.size)
  }

  /** Events are gone that had been taken. */
  lose(count: number): void {
    this.counts.dropped += count
    this.#notices.lost(this.counts)
  }

  /** An event needs no delivery any more. */
  finish(entry: QueuedEvent, outcome: LedgerResult | SendError): void {
    this.note(entry)
    tellOutcome(entry, outcome)
  }

  /** The same, and nobody is told. */
  note(entry: QueuedEvent): void {
    try {
      this.#queue.settle(entry)
    } catch (error) {
      this.#notices.unnoted(error)
    }
  }
}
