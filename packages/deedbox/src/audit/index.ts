export { createOutlet } from './create-outlet.ts'
export { type DeliveryOptions, longestQuotaPause } from './delivery.ts'
export { explicitEvent, type SendOptions, type SendPayload } from './explicit-event.ts'
export {
  type EventKind,
  type EventMeta,
  type LedgerClient,
  type LedgerItem,
  type LedgerResult,
  LedgerUnavailable,
} from './ledger-client.ts'
export type { Acknowledgement, AuditStats } from './outlet.ts'
export { jobEvent, requestEvent } from './request-event.ts'
export { SendError, type SendErrorCode } from './send-error.ts'
