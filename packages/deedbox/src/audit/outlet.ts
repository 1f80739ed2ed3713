import { createHash } from 'node:crypto'
import type { AuditEvent } from './audit-event.ts'
import type { CheckedReceipt } from './checked-receipt.ts'

/**
 * That an event was taken. Not a proof: the word *receipt* is kept for the signed one. (Ruling 21)
 */
export interface Acknowledgement {
  /**
   * `accepted` by a ledger, or only `logged` because none is configured; in the mode `dryRun` always `dry_run`, in the mode
   * `off` always `off`.
   */
  readonly status: 'accepted' | 'logged' | 'dry_run' | 'off'
  /** The ledger's id of the event; `null` when no ledger took it. */
  readonly txId: string | null
  /** The event's place in the ledger, from ledgers that tell it. */
  readonly index: number | undefined
  /** Hex SHA-256 of the payload. */
  readonly payloadHash: string
  /** Whether the ledger had this event already. */
  readonly duplicate: boolean
  readonly requestId: string
  readonly idempotencyKey: string
  /** The checked receipt, where the send asked for one. */
  readonly receipt?: CheckedReceipt
}

/** What became of the audit events of an instance so far. Each event is counted in exactly one of the first six. */
export interface AuditStats {
  /** Waiting in memory or on their way. */
  readonly queued: number
  /**
   * Waiting in the spool alone: what the memory has no room for, what ended processes have left, and after `close()`
   * what is left for the next process.
   */
  readonly spooled: number
  /** Acknowledged by the ledger, duplicates included. */
  readonly delivered: number
  /** Refused because there was no room, left when the instance was closed, or given up by a `send` that ran out of time. */
  readonly dropped: number
  /** Refused by the ledger for good. */
  readonly rejected: number
  /** Written to the log because no ledger is configured, or in the mode `dryRun`. */
  readonly logged: number
  /** Of the rejected: those that are kept as dead letters. */
  readonly deadLetters: number
  /** Of the delivered: those the ledger had already. */
  readonly duplicate: number
  /** Deliveries that had to be repeated, counted per event and attempt. */
  readonly retried: number
  /** Milliseconds since 1970 until which nothing is sent, because the ledger's quota is used up. */
  readonly pausedUntil: number | null
}

/** What {@link AuditOutlet.close} leaves behind, in events. */
export interface AuditLeftover {
  /** Given up. */
  readonly dropped: number
  /** In the spool, for the next process. */
  readonly spooled: number
}

/** Where the audit events of an instance go. */
export interface AuditOutlet {
  /** Takes an automatic event. Returns at once and never throws. */
  offer(event: AuditEvent): void
  /**
   * Takes an automatic event, as {@link offer} does, and resolves once it survives the death of this process, to `true`;
   * to `false` when that cannot be had. Never rejects.
   */
  keep(event: AuditEvent): Promise<boolean>
  /**
   * Takes an explicit event and resolves once it is acknowledged.
   * @param timeout milliseconds
   * @throws SendError
   */
  send(event: AuditEvent, timeout: number): Promise<Acknowledgement>
  /** Resolves to `true` when nothing waits any more, to `false` if that takes longer than the given milliseconds. */
  flush(timeout: number): Promise<boolean>
  /** Writes out what only memory holds, before it returns. Returns how many events would be lost if the process died now. */
  persist(): number
  /** Takes nothing more; what still waits stays in the spool, or is given up without one. */
  close(): AuditLeftover
  stats(): AuditStats
}

/**
 * The outlet of an instance that sends nothing.
 * - `logged`: there is no ledger; each event becomes a log line of type `audit`. (Ruling 1)
 * - `dry_run`: the same, although there may be a ledger.
 * - `off`: events vanish.
 *
 * @param write writes the line; `ours` says that the payload is one line of JSON, because we rendered it
 */
export function localOutlet(
  status: 'logged' | 'dry_run' | 'off',
  write: (event: AuditEvent, ours: boolean) => void,
): AuditOutlet {
  let logged = 0
  const take = (event: AuditEvent, ours: boolean): void => {
    if (status === 'off') return
    logged++
    write(event, ours)
  }
  return {
    offer: event => take(event, true),
    async keep(event) {
      take(event, true)
      return true
    },
    async send(event) {
      take(event, false)
      return {
        status,
        txId: null,
        index: undefined,
        payloadHash: createHash('sha256').update(event.payload).digest('hex'),
        duplicate: false,
        requestId: event.requestId,
        idempotencyKey: event.idempotencyKey,
      }
    },
    flush: async () => true,
    persist: () => 0,
    close: () => ({ dropped: 0, spooled: 0 }),
    stats: () => ({
      queued: 0,
      spooled: 0,
      delivered: 0,
      dropped: 0,
      rejected: 0,
      logged,
      deadLetters: 0,
      duplicate: 0,
      retried: 0,
      pausedUntil: null,
    }),
  }
}
