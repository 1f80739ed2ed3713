export type { AuditEvent } from './audit-event.ts'
export {
  type Audited,
  type AuditedDecorator,
  type AuditedOptions,
  type CallResult,
  createAudited,
} from './audited.ts'
export type { MethodContext } from './audited-method.ts'
export { type Auditor, createAuditor, type ProducerStats } from './auditor.ts'
export { changes } from './changes.ts'
export { type DeliveryOptions, longestQuotaPause } from './delivery.ts'
export type { SendOptions, SendPayload } from './explicit-event.ts'
export type { AnyFunction, AuditedCall, CallAuditor } from './function-call.ts'
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
export {
  type CheckedReceipt,
  ReceiptError,
  type ReceiptErrorCode,
  type ReceiptOptions,
  type ReceiptPart,
} from './receipt.ts'
export { SendError, type SendErrorCode } from './send-error.ts'
