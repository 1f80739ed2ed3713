import { errorMessage } from '../safety/index.ts'
import type { Warn } from './delivery-options.ts'
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

  constructor(warn: Warn) {
    this.#warn = warn
  }

  dropped(isClosed: boolean, { dropped }: Totals, queued: number): void {
    this.#warn(
      'audit_dropped',
      isClosed
        ? 'Audit events are dropped: this instance is closed'
        : 'Audit events are dropped: there is no room for more of them',
      { dropped, queued },
    )
  }

  lost({ dropped }: Totals): void {
    this.#warn('audit_dropped', 'Audit events are dropped: the spool cannot hold them', { dropped })
  }

  /** The refused ones of one batch. */
  rejected(refused: readonly RefusedEvent[], { rejected, deadLetters }: Totals): void {
    const [first] = refused
    if (first === undefined) return
    const { reason, status, message } = first.result
    const what =
      refused.length === 1
        ? `The ledger refused an audit event (${reason}).`
        : `The ledger refused ${refused.length} audit events, the first with "${reason}".`
    this.#warn('audit_rejected', `${what} It says: ${message}${remedy(refused, status)}`, {
      reason,
      status,
      event_name: nameOf(first.entry),
      rejected,
      dead_letters: deadLetters,
    })
  }

  delayed(problem: string, queued: number, failures: number): void {
    this.#warn('audit_delayed', `Audit events wait because the ledger does not take them: ${problem}`, {
      queued,
      failures,
    })
  }

  resumed(waiting: number): void {
    this.#warn(
      'audit_resumed',
      `Audit events are delivered again; ${waiting} ${waiting === 1 ? 'was' : 'were'} waiting`,
      { waiting },
      'INFO',
    )
  }

  quota({ message, reason }: Refusal, pausedUntil: number | null): void {
    this.#warn('audit_quota', `The ledger's quota is used up, sending stops: ${message}`, {
      reason,
      paused_until: new Date(pausedUntil ?? 0).toISOString(),
    })
  }

  /** What became of an event could not be noted on the disk. */
  unnoted(error: unknown): void {
    this.#warn('spool_failed', `The spool cannot be kept up: ${errorMessage(error)}`)
  }
}

/** What is left of refused events that nobody waits for, and what to do about it. */
function remedy(refused: readonly RefusedEvent[], status: number | undefined): string {
  const automatic = refused.filter(({ entry }) => entry.settle === undefined)
  const kept = automatic.filter(({ isKept }) => isKept).length
  const dropped = automatic.length - kept
  const cause = status === 401 || status === 403 ? 'the API key is mended' : 'the cause is mended'
  const help = `"deedbox outbox list --dead" shows them, and "deedbox outbox replay" sends them again once ${cause}`
  return (
    (kept > 0 ? ` — kept as dead letters: ${kept}. ${help}` : '') +
    (dropped > 0 ? ` — dropped for good: ${dropped}` : '')
  )
}

/** Read with care: an event of somebody's table may have any meta. */
function nameOf({ event }: QueuedEvent): unknown {
  const meta: unknown = event.meta
  return typeof meta === 'object' && meta !== null ? Reflect.get(meta, 'event_name') : undefined
}
