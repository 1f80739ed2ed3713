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
export {
  type CaptureChannelOptions,
  type CaptureConsoleOptions,
  type ConsoleMethod,
  captureChannel,
  captureConsole,
  captureDebuglog,
} from './bridges/index.ts'
export { current, event, get, log, set } from './default-instance.ts'
export { initLogging } from './init-logging.ts'
export type { AddedSink, Deedbox, DeedboxStats, SendInput, SendResult } from './instance.ts'
export {
  type CatchingOptions,
  type LineFacts,
  type LineFilter,
  type LineFormatter,
  type LineFunction,
  type LogCall,
  type LogFields,
  type LogFormat,
  type Logger,
  type LogLevel,
  type LogLine,
  type LogSink,
  type OwnLevels,
  type PatchedLine,
  type SinkOptions,
  type SinkSetup,
  type SinkTarget,
  type SourceMode,
  type StandardStream,
  withContext,
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
export { ConfigurationError, type Lazy, lazy, type RedactionOptions } from './safety/index.ts'
