import type { EventMeta } from './ledger-client.ts'

/** One event, built once: every attempt to deliver it sends these bytes under this key. (IP-08) */
export interface AuditEvent {
  readonly payload: string
  readonly meta: EventMeta
  /** A UUID version 7 of this event alone. (IF-30) */
  readonly idempotencyKey: string
  readonly requestId: string
}
