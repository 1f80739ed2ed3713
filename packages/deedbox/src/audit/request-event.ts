import { randomUUID } from 'node:crypto'
import { endOf, type LogFields } from '../log/index.ts'
import {
  type BodyFacts,
  isoMicroseconds,
  type JobRecord,
  type RequestRecord,
  uuid7,
} from '../request/index.ts'
import { errorMessage, errorName, type Redactor } from '../safety/index.ts'
import type { AuditEvent } from './audit-event.ts'
import { bodyText } from './body-text.ts'
import { clampPayload, cutText, type Shed } from './clamp.ts'
import { isRetryable, kindOf, messageOf, severityOf } from './classification.ts'
import type { EventKind } from './ledger-client.ts'

/** What one instance decided about its automatic events. */
export interface RequestEventSettings {
  readonly service: string
  readonly env: string
  readonly redactor: Redactor
  /** Overrides {@link kindOf}, for example to make 4xx a `warning`. (IF-19) */
  readonly kind: ((record: RequestRecord) => EventKind | undefined) | undefined
}

/** Bytes of UTF-8 of an event name; the rest is cut. */
const longestEventName = 256

/** What goes first when a payload is too large: what can be looked up elsewhere goes before what identifies. (IF-36) */
const sheds: readonly Shed[] = [
  { path: ['error', 'request_body'] },
  { path: ['error', 'exception_message'], keep: 500 },
  { path: ['error', 'exception_message'] },
  { path: ['request', 'query_params'] },
  { path: ['context', 'user_agent'], keep: 200 },
  { path: ['context', 'user_agent'] },
  { path: ['request', 'path'], keep: 1_000 },
  { path: ['message'], keep: 500 },
  { path: ['request', 'route'] },
]

/** The audit event of a request record. (IF-16 … IF-26) */
export function requestEvent(record: RequestRecord, settings: RequestEventSettings): AuditEvent {
  const { redactor } = settings
  const failed = record.error !== null && (record.status >= 400 || record.late)
  const exception = failed ? wellFormed(errorName(record.error?.thrown)) : undefined
  const kind = settings.kind?.(record) ?? kindOf(record.status, exception !== undefined)
  const path = wellFormed(redactor.text(record.path))
  const { method, status } = record
  const hash = record.body?.hash ?? undefined
  const payload = {
    id: randomUUID(),
    kind,
    message: messageOf({ method, path, kind, status, exception: kind === 'error' ? exception : undefined }),
    timestamp: `${isoMicroseconds(endOf(record))}Z`,
    context: {
      ip: record.client.ip,
      user_agent: record.userAgent === null ? 'unknown' : wellFormed(redactor.text(record.userAgent)),
    },
    request: {
      request_id: record.requestId,
      method,
      path,
      route: record.route ?? undefined,
      query_params: redactor.query(record.query),
      request_body_hash: kind === 'error' ? undefined : hash,
    },
    metrics: { latency_ms: Math.floor(record.elapsed * 1000), status_code: status },
    severity: severityOf(kind),
    ...block(record, kind, exception, redactor),
  }
  return finish(payload, settings, {
    type: kind,
    name: redactor.text(record.eventName),
    requestId: record.requestId,
    traceId: record.trace?.traceId,
  })
}

/** The audit event of a job that named one. (Ruling 5) */
export function jobEvent(
  record: JobRecord & { readonly eventName: string },
  settings: RequestEventSettings,
): AuditEvent {
  const { redactor } = settings
  const kind: EventKind = record.error === null ? 'info' : 'error'
  const job = wellFormed(redactor.text(record.job))
  const exception = record.error === null ? undefined : wellFormed(errorName(record.error.thrown))
  const payload = {
    id: randomUUID(),
    kind,
    message: exception === undefined ? `${job} executed` : `${job} failed: ${exception}`,
    timestamp: `${isoMicroseconds(endOf(record))}Z`,
    job: { name: job, request_id: record.requestId },
    metrics: { latency_ms: Math.floor(record.elapsed * 1000) },
    severity: severityOf(kind),
    ...(record.error === null
      ? {}
      : {
          error: {
            exception,
            exception_message: exceptionText(record.error.thrown, redactor),
            retryable: false,
          },
        }),
  }
  return finish(payload, settings, {
    type: kind,
    name: redactor.text(record.eventName),
    requestId: record.requestId,
    traceId: undefined,
  })
}

/** The block named after the kind. (IF-22 … IF-24, ruling 18) */
function block(
  record: RequestRecord,
  kind: EventKind,
  exception: string | undefined,
  redactor: Redactor,
): LogFields {
  const { status, body } = record
  if (kind === 'success')
    return { success: { status_code: status, result: status === 200 ? 'ok' : 'processed' } }
  if (kind === 'info') return { info: { status_code: status, action: record.method.toLowerCase() } }
  const common = {
    status_code: status,
    retryable: isRetryable(status),
    aborted: record.outcome === 'aborted' ? true : undefined,
    late: record.late ? true : undefined,
  }
  if (kind === 'warning') return { warning: common }
  return {
    error: {
      ...common,
      exception,
      exception_message: exception === undefined ? undefined : exceptionText(record.error?.thrown, redactor),
      ...bodyMembers(body, redactor),
    },
  }
}

function bodyMembers(body: BodyFacts | null, redactor: Redactor): LogFields {
  if (body === null) return {}
  return {
    request_body_hash: body.hash ?? undefined,
    request_body: body.bytes === null ? undefined : bodyText(body.bytes, body.contentType, redactor),
    request_body_unread: body.state === 'unread' ? true : undefined,
    request_body_incomplete: body.state === 'incomplete' ? true : undefined,
  }
}

function exceptionText(thrown: unknown, redactor: Redactor): string {
  return wellFormed(redactor.text(cutText(errorMessage(thrown), 20_000)))
}

function finish(
  payload: LogFields,
  settings: RequestEventSettings,
  event: {
    readonly type: EventKind
    readonly name: string
    readonly requestId: string
    readonly traceId: string | undefined
  },
): AuditEvent {
  return {
    payload: clampPayload(payload, sheds),
    meta: {
      type: event.type,
      event_name: cutText(wellFormed(event.name), longestEventName),
      service: settings.service,
      request_id: event.requestId,
      env: settings.env,
      ...(event.traceId === undefined ? {} : { trace_id: event.traceId }),
    },
    idempotencyKey: uuid7(),
    requestId: event.requestId,
  }
}

function wellFormed(text: string): string {
  return text.isWellFormed() ? text : text.toWellFormed()
}
