import { type JobRecord, type RequestRecord, secondsText } from '../request/index.ts'
import { errorTrace, quote, type Redactor } from '../safety/index.ts'
import type { LogLevel } from './levels.ts'
import type { LogFields, LogWriter } from './logger.ts'

/** What the caller decides about request lines. */
export interface RequestLineOptions {
  /** Chooses the level of a request line; `undefined` leaves it to {@link requestLevel}. */
  readonly requestLevel?: (record: RequestRecord) => LogLevel | undefined
  /** Adds fields to a request line, for example `record => record.values`. (Ruling 12) */
  readonly requestFields?: (record: RequestRecord) => LogFields | undefined
}

/** The instant at which a record ended, in microseconds: the one clock reading of its start plus its duration. */
export function endOf(record: { readonly startedAt: number; readonly elapsed: number }): number {
  return record.startedAt + Math.round(record.elapsed * 1_000_000)
}

/**
 * The level of a request line: ERROR for 5xx, for what the service cut off and for late errors; WARNING for 429
 * and 499; INFO else. (X-08, FA-23)
 */
export function requestLevel(record: RequestRecord): LogLevel {
  if (record.status >= 500 || record.late) return 'ERROR'
  return record.status === 429 || record.status === 499 ? 'WARNING' : 'INFO'
}

/** Builds the sink that writes one line per request record. (FA-15 … FA-23, FA-25) */
export function requestLineSink(
  writer: LogWriter,
  redactor: Redactor,
  options: RequestLineOptions,
): (record: RequestRecord) => void {
  const agentText = rememberHeaders(text => quote(redactor.text(text)))
  const refererText = rememberHeaders(text => quote(redactor.url(text)))
  const { requestFields } = options

  const render = (record: RequestRecord, level: LogLevel): string => {
    const { client, error } = record
    const target = record.query === '' ? record.path : `${record.path}?${record.query}`
    const members =
      `,"request_id":${quote(record.requestId)},"remote_ip":${quote(client.remote)},"schema":"${record.scheme}"` +
      `,"protocol":"${record.protocol}","method":${quote(record.method)},"path_with_query":${quote(redactor.url(target))}` +
      `,"status_code":${record.status},"response_length":${record.responseLength}` +
      `,"elapsed":${secondsText(record.elapsed)}` +
      `,"referer":${record.referer === null ? '"-"' : refererText(record.referer)}` +
      `,"user_agent":${record.userAgent === null ? '"-"' : agentText(record.userAgent)}${optionalMembers(record, redactor)}`
    const failed = error !== null && (record.status >= 500 || record.late)
    return writer.render(
      {
        level,
        message: failed ? 'Unhandled exception' : 'log request',
        members,
        fields: requestFields === undefined ? undefined : requestFields(record),
        exception: error === null ? undefined : errorTrace(error.thrown),
      },
      endOf(record),
    )
  }
  return record => {
    const level = options.requestLevel?.(record) ?? requestLevel(record)
    if (writer.isWritten(level)) writer.later(() => render(record, level))
  }
}

/** What stands on a request line only where it says something. */
function optionalMembers(record: RequestRecord, redactor: Redactor): string {
  const { client, trace } = record
  let members = record.ttfb === null ? '' : `,"ttfb":${secondsText(record.ttfb)}`
  if (record.route !== null) members += `,"route":${quote(record.route)}`
  if (client.chain.length > 1)
    members += `,"remote_address_chain":${quote(redactor.text(client.chain.join(', ')))}`
  if (trace !== null) members += `,"trace_id":"${trace.traceId}"`
  if (record.outcome === 'aborted') members += ',"aborted":true'
  if (record.statusSent !== null && record.statusSent !== record.status) {
    members += `,"status_sent":${record.statusSent}`
  }
  if (record.body?.state === 'unread') members += ',"request_body_unread":true'
  return record.late ? `${members},"late":true` : members
}

/** Builds the sink that writes one line per job record. (Ruling 5) */
export function jobLineSink(writer: LogWriter): (record: JobRecord) => void {
  return record =>
    writer.own(
      {
        level: record.error === null ? 'INFO' : 'ERROR',
        message: record.error === null ? 'job completed' : 'Unhandled exception',
        members: `,"request_id":${quote(record.requestId)},"elapsed":${secondsText(record.elapsed)}`,
        fields: { job: record.job },
        exception: record.error === null ? undefined : errorTrace(record.error.thrown),
      },
      endOf(record),
    )
}

/** Clients send few different user agents and referers, so the last of them are rendered once. */
function rememberHeaders(render: (text: string) => string): (text: string) => string {
  const rendered = new Map<string, string>()
  return text => {
    const known = rendered.get(text)
    if (known !== undefined) return known
    const fresh = render(text.length > 2_048 ? `${text.slice(0, 2_048)}…` : text)
    if (rendered.size >= 500) rendered.clear()
    if (text.length <= 512) rendered.set(text, fresh)
    return fresh
  }
}
