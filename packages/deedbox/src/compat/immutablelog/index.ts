export type { EventKind } from '../../audit/index.ts'
export { event } from '../../default-instance.ts'
export { type ImmutableLogPlugin, immutableLogMiddleware, immutableLogPlugin } from './adapters.ts'
export {
  type AuditLog,
  auditLog,
  auditLogAsync,
  type FunctionDecorator,
  type FunctionOptions,
} from './audit-log.ts'
export type { LedgerAnswer } from './event-sender.ts'
export { ImmutableLogAudit, type ImmutableLogOptions } from './immutable-log-audit.ts'
export { ImmutableLogModule, type NestDynamicModule } from './nest-module.ts'
export type { EventOptions, ServiceOptions } from './original-options.ts'
export { buildMessage, clampPayload, getSeverityLevel, hashBody, severityFrom } from './original-payload.ts'
export {
  type BatchResult,
  type OriginalEvent,
  type SendBatchOptions,
  type SendWithRetryOptions,
  sendEvent,
  sendEventsBatch,
  sendEventWithRetry,
} from './send-event.ts'
