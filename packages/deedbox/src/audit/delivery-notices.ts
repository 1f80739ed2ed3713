import { errorMessage } from '../safety/index.ts'
import type { Warn } from './delivery-options.ts'
import { capital, type DeliveryWords } from './delivery-words.ts'
import type { LedgerResult } from './ledger-client.ts'
import type { AuditStats } from './outlet.ts'
import type { QueuedEvent } from './queued-event.ts'

type Refusal = Extract<LedgerResult, { ok: false }>
type Totals = Pick<AuditStats, 'dropped' | 'rejected' | 'deadLetters'>

/** An event that the ledger refused for good, and whether it is kept as a dead letter. */
export interface RefusedEvent {
  readonly entry: QueuedEvent
  readonly result: Refusal
  readonly isKept: boolean
}

/** What a delivery says in the log. (IF-35) */
export class DeliveryNotices {
  readonly #warn: Warn
  readonly #words: DeliveryWords

  constructor(warn: Warn, words: DeliveryWords) {
    this.#warn = warn
    this.#words = words
  }

  dropped(isClosed: boolean, { dropped }: Totals, queued: number): void {
    const { code, many } = this.#words
    this.#warn(
      `${code}_dropped`,
      isClosed
        ? `${many} are dropped: this instance is closed`
        : `${many} are dropped: there is no room for more of them`,
      { dropped, queued },
    )
  }

  lost({ dropped }: Totals): void {
    const { code, many, spool } = this.#words
    this.#warn(`${code}_dropped`, `${many} are dropped: ${spool} cannot hold them`, { dropped })
  }

  /** The refused ones of one batch. */
  rejected(refused: readonly RefusedEvent[], { rejected, deadLetters }: Totals): void {
    const [first] = refused
    if (first === undefined) return
    const { reason, status, message } = first.result
    const { code, one, counted, taker } = this.#words
    const what =
      refused.length === 1
        ? `${capital(taker)} refused ${one} (${reason}).`
        : `${capital(taker)} refused ${counted(refused.length)}, the first with "${reason}".`
    this.#warn(`${code}_rejected`, `${what} It says: ${message}${this.#remedy(refused, status)}`, {
      reason,
      status,
      event_name: nameOf(first.entry),
      rejected,
      dead_letters: deadLetters,
    })
  }

  delayed(problem: string, queued: number, failures: number): void {
    const { code, many, taker } = this.#words
    this.#warn(`${code}_delayed`, `${many} wait because ${taker} does not take them: ${problem}`, {
      queued,
      failures,
    })
  }

  resumed(waiting: number): void {
    const { code, many } = this.#words
    this.#warn(
      `${code}_resumed`,
      `${many} are delivered again; ${waiting} ${waiting === 1 ? 'was' : 'were'} waiting`,
      { waiting },
      'INFO',
    )
  }

  quota({ message, reason }: Refusal, pausedUntil: number | null): void {
    const { code, taker } = this.#words
    this.#warn(`${code}_quota`, `${capital(taker)}'s quota is used up, sending stops: ${message}`, {
      reason,
      paused_until: new Date(pausedUntil ?? 0).toISOString(),
    })
  }

  /** What is left of refused events that nobody waits for, and what to do about it. */
  #remedy(refused: readonly RefusedEvent[], status: number | undefined): string {
    const automatic = refused.filter(({ entry }) => entry.settle === undefined)
    const kept = automatic.filter(({ isKept }) => isKept).length
    const dropped = automatic.length - kept
    return (
      (kept > 0 ? ` — kept as dead letters: ${kept}. ${this.#words.remedy(status)}` : '') +
      (dropped > 0 ? ` — dropped for good: ${dropped}` : '')
    )
  }

  /** What became of an event could not be noted on the disk. */
  unnoted(error: unknown): void {
    this.#warn('spool_failed', `${capital(this.#words.spool)} cannot be kept up: ${errorMessage(error)}`)
  }
}

/** Read with care: an event of somebody's table may have any meta. */
function nameOf({ event }: QueuedEvent): unknown {
  const meta: unknown = event.meta
  return typeof meta === 'object' && meta !== null ? Reflect.get(meta, 'event_name') : undefined
}
