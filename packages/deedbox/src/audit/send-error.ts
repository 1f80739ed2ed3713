import type { Acknowledgement } from './outlet.ts'

/**
 * Why an explicit send failed.
 * - `invalid_event`: the name, kind, payload or meta cannot be sent.
 * - `payload_too_large`: payload or meta exceed the ledger's limits; nothing was cut. (Ruling 20)
 * - `queue_full`: too many events wait already.
 * - `quota_exceeded`: the ledger answered 429, or did and its pause lasts; do not retry. (IP-06)
 * - `rejected`: the ledger refused the event for good; see {@link SendError.reason}.
 * - `timeout`: no answer within the time; the ledger may have the event. Sending again with the same
 *   `idempotencyKey` stores it once.
 * - `closed`: the instance was closed first.
 * - `no_ledger`: the ledger that the instance was given could not be opened; nothing was sent.
 * - `no_receipt`: the event is stored, see {@link SendError.acknowledgement}, but its receipt could not be had.
 */
export type SendErrorCode =
  | 'invalid_event'
  | 'payload_too_large'
  | 'queue_full'
  | 'quota_exceeded'
  | 'rejected'
  | 'timeout'
  | 'closed'
  | 'no_ledger'
  | 'no_receipt'

/** What an explicit send rejects with. */
export class SendError extends Error {
  override readonly name = 'SendError'
  readonly code: SendErrorCode
  /** The ledger's own code, for `rejected` and `quota_exceeded`. */
  readonly reason: string | undefined
  /** The HTTP status of the ledger's answer, where there was one. Frameworks answer with the `status` of an error. */
  readonly ledgerStatus: number | undefined
  /** The key under which the event was, or would have been, sent. */
  readonly idempotencyKey: string | undefined
  /** For `no_receipt`: what the ledger said when it took the event. */
  readonly acknowledgement: Acknowledgement | undefined

  constructor(
    code: SendErrorCode,
    message: string,
    details: {
      readonly reason?: string
      readonly status?: number | undefined
      readonly idempotencyKey?: string
      readonly acknowledgement?: Acknowledgement
    } = {},
  ) {
    super(message)
    this.code = code
    this.reason = details.reason
    this.ledgerStatus = details.status
    this.idempotencyKey = details.idempotencyKey
    this.acknowledgement = details.acknowledgement
  }
}
