export type { AuditEvent } from './audit-event.ts'
export { type InstanceMode, instanceModes, type RouteModes, routeModes } from './audit-modes.ts'
export {
  type Audited,
  type AuditedDecorator,
  type AuditedOptions,
  type CallResult,
  createAudited,
  moduleOf,
} from './audited.ts'
export type { MethodContext } from './audited-method.ts'
export { type Auditor, createAuditor, type ProducerStats } from './auditor.ts'
export { readRetryAfter, retryDelay } from './backoff.ts'
export { changes } from './changes.ts'
export type { CheckedReceipt, ReceiptPart } from './checked-receipt.ts'
export { clampPayload, payloadLimit } from './clamp.ts'
export { kindOf, messageOf, type Severity, severityOf } from './classification.ts'
export type { LedgerWay } from './create-outlet.ts'
export { Delivery } from './delivery.ts'
export {
  type DeliveryOptions,
  type DeliveryStore,
  defaultCapacity,
  longestQuotaPause,
  quotaPauseOf,
  type Warn,
} from './delivery-options.ts'
export type { DeliveryWords } from './delivery-words.ts'
export { type DurableStore, durableStore, type SpoolChoice, type StoreState } from './durable-store.ts'
export { eventKinds, type SendOptions, type SendPayload } from './explicit-event.ts'
export { type AnyFunction, type AuditedCall, type CallAuditor, copyMetadata } from './function-call.ts'
export { type HttpLedger, type HttpReply, httpLedger } from './http-ledger.ts'
export {
  type EventKind,
  type EventMeta,
  type LedgerClient,
  type LedgerItem,
  type LedgerResult,
  LedgerUnavailable,
  type ProducerAnnouncement,
} from './ledger-client.ts'
export type { LedgerState } from './ledger-watch.ts'
export {
  type AdoptedProducer,
  addDeadLetters,
  claim,
  type DeadLetter,
  deadLetter,
  deadLettersIn,
  defaultSpoolFolder,
  ledgerFile,
  makeProducerFolder,
  openSpool,
  orphansIn,
  type ProducerFolder,
  producersIn,
  removeSpool,
  SignWatch,
  seemsSilent,
  sift,
  silentAfter,
} from './outbox/index.ts'
export type { Acknowledgement, AuditLeftover, AuditOutlet, AuditStats } from './outlet.ts'
export { ReceiptError, type ReceiptErrorCode, type ReceiptOptions } from './receipt.ts'
export { requestSheds } from './request-event.ts'
export type { HeldResponses } from './response-gate.ts'
export { SendError, type SendErrorCode } from './send-error.ts'
export { refusal } from './send-outcome.ts'
