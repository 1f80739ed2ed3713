export type { AuditEvent } from './audit-event.ts'
export { type InstanceMode, instanceModes, routeModes } from './audit-modes.ts'
export { type Auditor, createAuditor } from './auditor.ts'
export { type DeliveryOptions, longestQuotaPause } from './delivery.ts'
export type { SendOptions, SendPayload } from './explicit-event.ts'
export {
  type EventKind,
  type EventMeta,
  type LedgerClient,
  type LedgerItem,
  type LedgerResult,
  LedgerUnavailable,
} from './ledger-client.ts'
export type { Acknowledgement, AuditOutlet, AuditStats } from './outlet.ts'
export type { HeldResponses } from './response-gate.ts'
export { SendError, type SendErrorCode } from './send-error.ts'
