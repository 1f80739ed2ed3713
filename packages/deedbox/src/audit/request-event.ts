import { endOf, type LogFields } from '../log/index.ts'
import {
  type BodyFacts,
  isoMicroseconds,
  type JobRecord,
  type RequestRecord,
  uuid4,
  uuid7,
} from '../request/index.ts'
import { errorMessage, errorName, quote, type Redactor } from '../safety/index.ts'
import type { AuditEvent } from './audit-event.ts'
import { bodyText } from './body-text.ts'
import { clampPayload, cutText, type Shed } from './clamp.ts'
import { isRetryable, kindOf, messageOf, severityOf } from './classification.ts'
import { detailMembers } from './event-details.ts'
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

/** Bytes of UTF-8 of the name of a user. */
const longestUser = 256

/** Bytes of the name of an exception. */
const longestName = 256

/** Bytes of an exception's message that are looked at; far more than fit. */
const longestException = 20_000

/** What goes first when a payload is too large: what can be looked up elsewhere goes before what identifies. (IF-36) */
export const requestSheds: readonly Shed[] = [
  { path: ['fields'] },
  { path: ['error', 'request_body'] },
  { path: ['error', 'exception_message'], keep: 500 },
  { path: ['error', 'exception_message'] },
  { path: ['request', 'query_params'] },
  { path: ['context', 'user_agent'], keep: 200 },
  { path: ['context', 'user_agent'] },
  { path: ['request', 'path'], keep: 1_000 },
  { path: ['message'], keep: 500 },
  { path: ['request', 'route'] },
  { path: ['function', 'module'], keep: 200 },
  { path: ['function', 'name'], keep: 200 },
]

/** The audit event of a request record. (IF-16 … IF-26) */
export function requestEvent(record: RequestRecord, settings: RequestEventSettings): AuditEvent {
  const { redactor } = settings
  const { method, status, requestId } = record
  const failed = record.error !== null && (status >= 400 || record.late)
  const exception = failed ? exceptionName(record.error?.thrown, redactor) : undefined
  const kind = settings.kind?.(record) ?? kindOf(status, failed)
  const path = redactor.text(record.path)
  const message = messageOf({
    method,
    path,
    kind,
    status,
    exception: kind === 'error' ? exception : undefined,
  })
  const agent = record.userAgent === null ? 'unknown' : redactor.text(record.userAgent)
  const hash = kind === 'error' ? null : (record.body?.hash ?? null)
  // Written by hand and not by JSON.stringify: this runs once per request.
  const payload =
    `{"id":"${uuid4()}","kind":"${kind}","message":${quote(message)},"timestamp":"${isoMicroseconds(endOf(record))}Z"` +
    `,"context":{"ip":${quote(redactor.text(record.client.ip))},"user_agent":${quote(agent)}}` +
    `,"request":{"request_id":${quote(requestId)},"method":${quote(method)},"path":${quote(path)}` +
    `${record.route === null ? '' : `,"route":${quote(redactor.text(record.route))}`},"query_params":${redactor.queryJson(record.query)}` +
    `${hash === null ? '' : `,"request_body_hash":"${hash}"`}}` +
    `,"metrics":{"latency_ms":${Math.floor(record.elapsed * 1000)},"status_code":${status}}` +
    `,"severity":"${severityOf(kind)}","${kind}":${block(record, kind, exception, redactor)}}`
  return finish(payload, settings, kind, redactor.text(record.eventName), requestId, {
    ...(record.trace === null ? {} : { trace_id: record.trace.traceId }),
    // Who did it, in the words of the ledger's own schema; absent where the service did not tell.
    ...(record.user === null
      ? {}
      : { actor: { type: 'user', id: cutText(redactor.text(record.user), longestUser).toWellFormed() } }),
    ...(record.eventDetails === null ? {} : detailMembers(record.eventDetails, redactor)),
  })
}

/** The audit event of a job that named one. (Ruling 5) */
export function jobEvent(
  record: JobRecord & { readonly eventName: string },
  settings: RequestEventSettings,
): AuditEvent {
  const { redactor } = settings
  const { error, requestId } = record
  const kind: EventKind = error === null ? 'info' : 'error'
  const job = redactor.text(record.job)
  const payload = JSON.stringify({
    id: uuid4(),
    kind,
    message: (error === null
      ? `${job} executed`
      : `${job} failed: ${exceptionName(error.thrown, redactor)}`
    ).toWellFormed(),
    timestamp: `${isoMicroseconds(endOf(record))}Z`,
    job: { name: job.toWellFormed(), request_id: requestId },
    metrics: { latency_ms: Math.floor(record.elapsed * 1000) },
    severity: severityOf(kind),
    ...(error === null
      ? {}
      : {
          error: {
            exception: exceptionName(error.thrown, redactor).toWellFormed(),
            exception_message: exceptionText(error.thrown, redactor),
            retryable: false,
          },
        }),
  })
  return finish(payload, settings, kind, redactor.text(record.eventName), requestId, {
    ...(record.eventDetails === null ? {} : detailMembers(record.eventDetails, redactor)),
  })
}

/** The block named after the kind. (IF-22 … IF-24, ruling 18) */
function block(
  record: RequestRecord,
  kind: EventKind,
  exception: string | undefined,
  redactor: Redactor,
): string {
  const { status } = record
  if (kind === 'success') return `{"status_code":${status},"result":"${status === 200 ? 'ok' : 'processed'}"}`
  if (kind === 'info') return `{"status_code":${status},"action":${quote(record.method.toLowerCase())}}`
  const common = {
    status_code: status,
    retryable: isRetryable(status) && !record.withheld,
    withheld: record.withheld ? true : undefined,
    aborted: record.outcome === 'aborted' ? true : undefined,
    late: record.late ? true : undefined,
  }
  if (kind === 'warning') return JSON.stringify(common)
  return JSON.stringify({
    ...common,
    exception: exception?.toWellFormed(),
    exception_message: exception === undefined ? undefined : exceptionText(record.error?.thrown, redactor),
    ...bodyMembers(record.body, redactor),
  })
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

/** A class name is code's own, but a name can be set to anything. */
export function exceptionName(thrown: unknown, redactor: Redactor): string {
  return cutText(redactor.text(cutText(errorName(thrown), longestException)), longestName)
}

/** What an exception says, secrets blanked. */
export function exceptionText(thrown: unknown, redactor: Redactor): string {
  return redactor.text(cutText(errorMessage(thrown), longestException)).toWellFormed()
}

/** An automatic event of a rendered payload, in the size that it may have. */
export function finish(
  payload: string,
  settings: RequestEventSettings,
  type: EventKind,
  name: string,
  requestId: string,
  more: LogFields,
): AuditEvent {
  const meta = {
    type,
    event_name: cutText(name.toWellFormed(), longestEventName),
    service: settings.service,
    request_id: requestId,
    env: settings.env,
    ...more,
  }
  return {
    payload: clampPayload(payload, () => requestSheds),
    meta,
    idempotencyKey: uuid7(),
    requestId,
  }
}
