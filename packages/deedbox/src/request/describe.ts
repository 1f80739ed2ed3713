import type { IncomingMessage } from 'node:http'
import type { ClientAddress } from './client-address.ts'
import type { Failure, Outcome, RequestRecord } from './record.ts'
import type { RequestScope, TraceHeaders } from './scope.ts'
import { readTraceparent, type TraceContext } from './trace-context.ts'

/** What is decided about one exchange when it begins. */
export interface ExchangeStart {
  readonly outer: RequestScope | undefined
  readonly requestId: string
  readonly inboundRequestId: string | null
  readonly url: string
  /** The concrete path, cut from `url`. */
  readonly path: string
  readonly client: ClientAddress
  /** Whether the connection is encrypted; in the end HTTP/2 no longer tells. */
  readonly encrypted: boolean
  readonly skipped: boolean
}

/** What was measured of one exchange, by whoever watched it. */
export interface ExchangeFacts {
  readonly startedAt: number
  readonly body: RequestRecord['body']
  readonly outcome: Outcome
  readonly status: number
  readonly statusSent: number | null
  /** Bytes of the response body that the service handed over. */
  readonly written: number
  readonly elapsed: number
  readonly ttfb: number | null
  readonly error: Failure | null
  readonly eventNames: 'route' | 'path'
}

const nothing: Readonly<Record<string, unknown>> = Object.freeze({})

/** The headers of a request that tell its trace. */
export function traceHeadersOf({ headers }: IncomingMessage): TraceHeaders {
  return { traceparent: single(headers.traceparent), tracestate: single(headers.tracestate) }
}

function traceOf(request: IncomingMessage, scope: RequestScope): TraceContext | null {
  const trace = readTraceparent(single(request.headers.traceparent))
  return trace === null || scope.spanId === null ? trace : { ...trace, spanId: scope.spanId }
}

/** Puts what a request says and what was measured of it into its record. */
export function describeRequest(
  request: IncomingMessage,
  start: ExchangeStart,
  scope: RequestScope,
  facts: ExchangeFacts,
): RequestRecord {
  const { headers, method = 'GET', httpVersionMajor, httpVersion } = request
  const { path, url, client } = start
  const { statusSent } = facts
  const route = scope.route ?? null
  return Object.freeze({
    schema: 1,
    requestId: scope.requestId,
    inboundRequestId: start.inboundRequestId,
    trace: headers.traceparent === undefined ? null : traceOf(request, scope),
    startedAt: facts.startedAt,
    method,
    path,
    query: url.length === path.length ? '' : queryOf(url),
    route,
    eventName:
      scope.eventName ?? `http.${method}.${route !== null && facts.eventNames === 'route' ? route : path}`,
    eventDetails: scope.eventDetails ?? null,
    scheme: schemeOf(request, start),
    protocol: httpVersionMajor === 1 ? httpVersion : String(httpVersionMajor),
    client,
    userAgent: headers['user-agent'] ?? null,
    referer: headers.referer ?? null,
    language: headers['accept-language'] ?? null,
    user: scope.user,
    body: facts.body,
    outcome: facts.outcome,
    status: facts.status,
    statusSent,
    responseLength: isBodiless(method, statusSent ?? facts.status) ? 0 : facts.written,
    elapsed: facts.elapsed,
    ttfb: facts.ttfb,
    error: facts.error,
    late: false,
    withheld: false,
    skipped: start.skipped,
    values: scope.values === undefined ? nothing : Object.freeze({ ...scope.values }),
  })
}

/** Whether a record is shown: that of a skipped request only if it did not go well. (IF-08, DF-42) */
export function isShown({ skipped, outcome, status, error }: RequestRecord): boolean {
  return !skipped || outcome !== 'completed' || status >= 400 || error !== null
}

/** Whether HTTP allows no body here, whatever the service wrote. (RFC 9110 §6.4.1) */
function isBodiless(method: string, status: number): boolean {
  return method === 'HEAD' || status === 204 || status === 304
}

function queryOf(url: string): string {
  const question = url.indexOf('?')
  return question < 0 ? '' : url.slice(question + 1)
}

function schemeOf(request: IncomingMessage, { client, encrypted }: ExchangeStart): 'http' | 'https' {
  if (client.trusted && /^\s*https\b/i.test(single(request.headers['x-forwarded-proto']) ?? ''))
    return 'https'
  return encrypted ? 'https' : 'http'
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header
}
