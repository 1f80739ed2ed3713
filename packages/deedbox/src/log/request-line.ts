import type { IncomingMessage, ServerResponse } from 'node:http'
import { type JobRecord, type RequestRecord, secondsText } from '../request/index.ts'
import { quote, type Redactor, remember, validationDetail } from '../safety/index.ts'
import type { LogFields } from './fields.ts'
import { type LogLevel, levelNumbers } from './levels.ts'
import type { LazyLine, Output } from './output.ts'
import type { LogWriter } from './writer.ts'

/** What the caller decides about request lines. */
export interface RequestLineOptions {
  /** Chooses the level of a request line; `undefined` leaves it to {@link requestLevel}. */
  readonly requestLevel?: (record: RequestRecord) => LogLevel | undefined
  /**
   * Adds fields to a request line, for example `record => record.values`. A field named like one of the line's own
   * stands in its place; `undefined` leaves the line's own out, so that `{ path_with_query: undefined, url: … }`
   * renames it. Request and response are absent for what could not be read as a
   * request, and for an error that comes after the response has ended. (Ruling 12)
   */
  readonly requestFields?: (
    record: RequestRecord,
    request?: IncomingMessage,
    response?: ServerResponse,
  ) => LogFields | undefined
}

/** Takes a request's record, and what was watched for it, and writes its lines. */
export type RequestLineSink = (
  record: RequestRecord,
  request?: IncomingMessage,
  response?: ServerResponse,
) => void

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

/** Renders the line of a request as it looks at an output. */
export type RequestRenderer = (
  output: Output,
  record: RequestRecord,
  level: LogLevel,
  fields: LogFields | undefined,
) => string

/** Builds the renderer of request lines with everything at top level. (FA-15 … FA-23, FA-25) */
export function requestLineRenderer(writer: LogWriter, redactor: Redactor): RequestRenderer {
  const agentText = remember(text => headerText(text, redactor.text), rememberedHeaders)
  const refererText = remember(text => headerText(text, redactor.url), rememberedHeaders)
  const routeMember = remember(text => `,"route":${headerText(text, redactor.text)}`, rememberedHeaders)
  const socketMember = remember(text => `,"remote_ip":${quote(text)}`, rememberedSockets)
  const methodText = remember(quote, rememberedHeaders)
  // What most requests have in common with the one before is one text: each piece of a line costs about as much.
  let kind = { scheme: '', protocol: '', method: '', text: '' }
  const kindText = ({ scheme, protocol, method }: RequestRecord): string => {
    if (scheme !== kind.scheme || protocol !== kind.protocol || method !== kind.method) {
      const text = `,"schema":"${scheme}","protocol":"${protocol}","method":${methodText(method)},"path_with_query":`
      kind = { scheme, protocol, method, text }
    }
    return kind.text
  }
  let sender: (Pick<RequestRecord, 'referer' | 'userAgent'> & { readonly text: string }) | undefined
  const senderText = ({ referer, userAgent }: RequestRecord): string => {
    if (sender === undefined || referer !== sender.referer || userAgent !== sender.userAgent) {
      const refererMember = `,"referer":${referer === null ? '"-"' : refererText(referer)}`
      const text = `${refererMember},"user_agent":${userAgent === null ? '"-"' : agentText(userAgent)}`
      sender = { referer, userAgent, text }
    }
    return sender.text
  }
  let answer = { status: 0, text: '' }
  const statusText = ({ status }: RequestRecord): string => {
    if (status !== answer.status) answer = { status, text: `,"status_code":${status},"response_length":` }
    return answer.text
  }

  const membersOf = (record: RequestRecord): string => {
    const { client, requestId } = record
    const id = isPlainId(requestId) ? `,"request_id":"${requestId}"` : `,"request_id":${quote(requestId)}`
    // The address of a socket is nobody's secret; a forwarding header may hold anything.
    const remote =
      client.chain.length === 1
        ? socketMember(client.remote)
        : `,"remote_ip":${quote(redactor.text(client.remote))}`
    const target = quote(redactor.url(targetOf(record)))
    const measured = `${record.responseLength},"elapsed":${secondsText(record.elapsed)}`
    const ends = optionalMembers(record, redactor, routeMember)
    return `${id}${remote}${kindText(record)}${target}${statusText(record)}${measured}${senderText(record)}${ends}`
  }
  return (output, record, level, added) => {
    const { error } = record
    const fields = writer.framed(added, error)
    const members = membersOf(record)
    const head = {
      instant: endOf(record),
      level,
      number: levelNumbers[level],
      type: 'request.summary',
      logger: undefined,
      message: messageOf(record),
      source: undefined,
      failure: error ?? undefined,
      members: fields === undefined ? members : membersWithout(members, fields),
    }
    return writer.render(output, head, fields, error === null ? undefined : writer.trace(error.thrown))
  }
}

function messageOf(record: RequestRecord): string {
  return isFailure(record) ? 'Unhandled exception' : 'log request'
}

/** How the line of a request looks at each kind of output. */
export interface RequestRenderers {
  readonly line: RequestRenderer
  readonly summary: RequestRenderer
}

/** The line of a request until it is rendered, and what filters are told of it: one object for each request. */
class RequestLine implements LazyLine {
  readonly level: LogLevel
  readonly number: number
  readonly type = 'request.summary'
  readonly logger = undefined
  readonly message: string
  readonly #renderers: RequestRenderers
  readonly #record: RequestRecord
  readonly #fields: LogFields | undefined

  constructor(
    renderers: RequestRenderers,
    record: RequestRecord,
    level: LogLevel,
    fields: LogFields | undefined,
  ) {
    this.level = level
    this.number = levelNumbers[level]
    this.message = messageOf(record)
    this.#renderers = renderers
    this.#record = record
    this.#fields = fields
  }

  render(output: Output): string {
    const { line, summary } = this.#renderers
    return (output.isSummary ? summary : line)(output, this.#record, this.level, this.#fields)
  }
}

/**
 * Asks the caller's functions for level and fields, then has the line written, also when one of them throws: what
 * it throws is passed on once the line is safe.
 */
export function requestLineSink(
  writer: LogWriter,
  redactor: Redactor,
  options: RequestLineOptions,
  renderers: RequestRenderers,
): RequestLineSink {
  return (record, request, response) => {
    let level = requestLevel(record)
    let fields: LogFields | undefined
    try {
      level = chosenLevel(options.requestLevel?.(record)) ?? level
      if (options.requestFields !== undefined && writer.isWritten(level, 'request.summary'))
        fields = chosenFields(options.requestFields(record, request, response))
    } finally {
      writeValidation(writer, redactor, record)
      if (writer.isWritten(level, 'request.summary')) {
        const line = new RequestLine(renderers, record, level, fields)
        writer.each(line, fields, line, 'later')
      }
    }
  }
}

/** @throws TypeError for what is no level; the line would not be written at all */
function chosenLevel(level: unknown): LogLevel | undefined {
  if (level === undefined || level === null) return undefined
  if (typeof level === 'string' && Object.hasOwn(levelNumbers, level)) return level as LogLevel
  throw new TypeError(
    'log.requestLevel gave no level. Use TRACE, DEBUG, INFO, SUCCESS, WARNING, ERROR or CRITICAL.',
  )
}

/** @throws TypeError for what has no fields: a promise has not yet, and what cannot be listed never */
function chosenFields(fields: unknown): LogFields | undefined {
  if (fields === undefined || fields === null) return undefined
  if (fields instanceof Promise) fields.catch(() => undefined)
  else if (typeof fields === 'object' && Object.keys(fields).length >= 0) return fields as LogFields
  throw new TypeError('log.requestFields gave no object of fields.')
}

/** Whether the line of a record tells an exception, rather than an answer that the service meant to give. */
export function isFailure(record: RequestRecord): boolean {
  return record.error !== null && (record.status >= 500 || record.late)
}

/** The path with its query, as the client sent it. */
export function targetOf(record: RequestRecord): string {
  return record.query === '' ? record.path : `${record.path}?${record.query}`
}

/** Ahead of the line of a request that did not pass validation, one line that says what was wrong with it. (FA-24) */
function writeValidation(writer: LogWriter, redactor: Redactor, record: RequestRecord): void {
  if (
    record.error === null ||
    record.status < 400 ||
    record.status >= 500 ||
    !writer.isWritten('INFO', 'request.validation')
  )
    return
  const detail = validationDetail(record.error.thrown)
  if (detail === undefined) return
  const { method, requestId } = record
  writer.own(
    {
      level: 'INFO',
      type: 'request.validation',
      message: 'request validation exception',
      members: `,"request_id":${quote(requestId)}`,
      fields: { method, path_with_query: redactor.url(targetOf(record)), detail },
    },
    endOf(record),
  )
}

/** The line's own members without those that fields stand for. */
function membersWithout(members: string, fields: LogFields): string {
  const named = Object.keys(fields)
  if (!named.some(name => members.includes(`,"${name}":`))) return members
  let kept = ''
  for (const [key, value] of Object.entries(JSON.parse(`{${members.slice(1)}}`) as LogFields)) {
    if (key === 'request_id' || !named.includes(key)) kept += `,"${key}":${JSON.stringify(value)}`
  }
  return kept
}

/** Ids are visible ASCII, of which JSON escapes these two only; looking for them costs less than a search by pattern. */
function isPlainId(requestId: string): boolean {
  return !requestId.includes('"') && !requestId.includes('\\')
}

/** What stands on a request line only where it says something. */
function optionalMembers(
  record: RequestRecord,
  redactor: Redactor,
  routeMember: (text: string) => string,
): string {
  const { client, trace } = record
  let members = record.ttfb === null ? '' : `,"ttfb":${secondsText(record.ttfb)}`
  if (record.user !== null) members += `,"user":${quote(redactor.text(record.user))}`
  if (record.route !== null) members += routeMember(record.route)
  if (client.chain.length > 1)
    members += `,"remote_address_chain":${quote(redactor.text(client.chain.join(', ')))}`
  if (trace !== null) {
    members += `,"trace_id":"${trace.traceId}"`
    if (trace.spanId !== null) members += `,"span_id":"${trace.spanId}"`
  }
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
        type: 'job.summary',
        message: record.error === null ? 'job completed' : 'Unhandled exception',
        members: `,"request_id":${quote(record.requestId)},"elapsed":${secondsText(record.elapsed)}`,
        fields: { job: record.job },
        thrown: record.error ?? undefined,
      },
      endOf(record),
    )
}

/** Characters of a header that a line shows, and how far beyond them secrets are looked for before it is cut. */
const shownHeader = 2_048
const beyondHeader = 512

/** How many user agents, referers and routes are remembered as they are rendered, and how many connections. */
const rememberedHeaders = 500
const rememberedSockets = 5_000

/** Shortens a header to what a line shows, with its secrets blanked, as a JSON string. */
function headerText(text: string, redact: (text: string) => string): string {
  if (text.length <= shownHeader) return quote(redact(text))
  return quote(`${redact(text.slice(0, shownHeader + beyondHeader)).slice(0, shownHeader)}…`)
}
