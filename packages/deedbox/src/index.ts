export {
  type Acknowledgement,
  type AuditStats,
  type EventKind,
  type EventMeta,
  type LedgerClient,
  type LedgerItem,
  type LedgerResult,
  LedgerUnavailable,
  SendError,
  type SendErrorCode,
  type SendOptions,
  type SendPayload,
} from './audit/index.ts'
export { deedbox } from './box.ts'
export { current, event, get, log, set } from './default-instance.ts'
export type { Deedbox, DeedboxStats, SendInput, SendResult } from './instance.ts'
export type {
  LogCall,
  LogFields,
  Logger,
  LogLevel,
  LogSink,
  SourceMode,
  StandardStream,
} from './log/index.ts'
export type {
  AuditOptions,
  DeedboxOptions,
  LedgerOption,
  LogOptions,
  RequestIdOptions,
} from './options.ts'
export type { ProcessErrors } from './process-errors.ts'
export type {
  BodyFacts,
  ClientAddress,
  Failure,
  IdGenerator,
  InboundIdPolicy,
  Job,
  Outcome,
  Propagation,
  RequestRecord,
  RequestScope,
  SkipPath,
  TraceContext,
  TrustProxy,
} from './request/index.ts'
export { ConfigurationError, type RedactionOptions } from './safety/index.ts'
