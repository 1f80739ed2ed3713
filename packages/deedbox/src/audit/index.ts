export type { AuditEvent } from './audit-event.ts'
export { type Auditor, createAuditor, type ProducerStats } from './auditor.ts'
export { type DeliveryOptions, longestQuotaPause } from './delivery.ts'
export type { SendOptions, SendPayload } from './explicit-event.ts'
export {
  type EventKind,
  type EventMeta,
  type LedgerClient,
  type LedgerItem,
  type LedgerResult,
  LedgerUnavailable,
  type ProducerAnnouncement,
} from './ledger-client.ts'
export type { Acknowledgement, AuditOutlet, AuditStats } from './outlet.ts'
export { SendError, type SendErrorCode } from './send-error.ts'
