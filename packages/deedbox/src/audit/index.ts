export type { AuditEvent } from './audit-event.ts'
export { type Auditor, createAuditor } from './auditor.ts'
export type { SpoolChoice } from './create-outlet.ts'
export { type DeliveryOptions, longestQuotaPause } from './delivery-options.ts'
export type { SendOptions, SendPayload } from './explicit-event.ts'
export { httpLedger } from './http-ledger.ts'
export {
  type EventKind,
  type EventMeta,
  type LedgerClient,
  type LedgerItem,
  type LedgerResult,
  LedgerUnavailable,
} from './ledger-client.ts'
export { type AdoptedProducer, defaultSpoolFolder } from './outbox/index.ts'
export type { Acknowledgement, AuditLeftover, AuditOutlet, AuditStats } from './outlet.ts'
export { SendError, type SendErrorCode } from './send-error.ts'
