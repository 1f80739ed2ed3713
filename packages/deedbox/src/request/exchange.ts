import type { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isConnectionGone, looksLikeAbort } from './aborts.ts'
import { announcesBody, BodyWatch } from './body-watch.ts'
import type { ClientAddress } from './client-address.ts'
import { secondsText, toSeconds, wallMicroseconds } from './clock.ts'
import { bindEmitter, type EmitterWatcher } from './context.ts'
import type { Failure, Outcome, RequestRecord } from './record.ts'
import { type ResponseWatcher, watchResponse } from './response-watch.ts'
import { RequestScope } from './scope.ts'
import { readTraceparent } from './trace-context.ts'

/** What one instance decided about all its exchanges. */
export interface ExchangeSettings {
  /** What the scopes carry as their box. */
  readonly box: object
  readonly eventNames: 'route' | 'path'
  readonly hashBodies: boolean
  readonly keepBodies: boolean
  /** Whether `X-Request-Id` and `X-Processed-Time` are set. */
  readonly echoRequestId: boolean
  readonly processedTime: boolean
  /** Takes each record; must not throw. */
  readonly emit: (record: RequestRecord) => void
}

/** What is decided about one exchange when it begins. */
export interface ExchangeStart {
  readonly outer: RequestScope | undefined
  readonly requestId: string
  readonly inboundRequestId: string | null
  readonly url: string
  /** The concrete path, cut from `url`. */
  readonly path: string
  readonly client: ClientAddress
  readonly skipped: boolean
}

const nothing: Readonly<Record<string, unknown>> = Object.freeze({})

/**
 * One HTTP exchange from the request's arrival to the response's `close`, which is the one event that always
 * comes, once, on HTTP/1 and HTTP/2 (node-observability §5.1). It owns the record: completion never asks the
 * context which request it is in.
 */
export class Exchange implements EmitterWatcher, ResponseWatcher {
  readonly scope: RequestScope
  readonly #settings: ExchangeSettings
  readonly #start: ExchangeStart
  /** Failed exchanges that are not over yet. */
  readonly #pending: Set<Exchange>
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #clock = performance.now()
  readonly #startedAt = wallMicroseconds(this.#clock)
  readonly #body: BodyWatch | undefined
  #written = 0
  #processed: number | null = null
  #ttfb: number | null = null
  #failure: Failure | null = null
  #failedAfterAbort = false
  #lateErrors: unknown[] | undefined
  #reported: Set<unknown> | undefined
  #record: RequestRecord | undefined
  #over = false

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    settings: ExchangeSettings,
    start: ExchangeStart,
    pending: Set<Exchange>,
  ) {
    this.#request = request
    this.#response = response
    this.#settings = settings
    this.#start = start
    this.#pending = pending
    this.scope = new RequestScope(settings.box, start.outer, start.requestId, this)
    this.#body = announcesBody(request)
      ? new BodyWatch(request, { hash: settings.hashBodies, keep: settings.keepBodies })
      : undefined
    watchResponse(response, this)
    bindEmitter(request, this.scope, this)
    bindEmitter(response, this.scope, this)
  }

  /** Completes an exchange that failed and can no longer end by itself, because the process does. */
  abandon(): void {
    this.#close()
  }

  beforeHeaders(): void {
    this.#processed = toSeconds(performance.now() - this.#clock)
    const response = this.#response
    if (this.#settings.echoRequestId && !response.hasHeader('x-request-id')) {
      response.setHeader('X-Request-Id', this.#start.requestId)
    }
    if (this.#settings.processedTime) response.setHeader('X-Processed-Time', secondsText(this.#processed))
  }

  headersMade(): void {
    this.#ttfb = this.#processed
  }

  wrote(bytes: number): void {
    this.#written += bytes
  }

  emitting(emitter: EventEmitter, event: string | symbol, argument: unknown): void {
    if (event === 'error') this.report(argument)
    // After the response finished, Node itself drains what nobody read.
    else if (event === 'data' && emitter === this.#request && !this.#response.writableFinished)
      this.#body?.noteRead()
  }

  closed(emitter: EventEmitter): void {
    if (emitter === this.#response) this.#close()
  }

  /** Takes an error of this exchange; see {@link RequestScope.fail}. */
  report(thrown: unknown): void {
    const gone = isConnectionGone(this.#request, this.#response)
    const ended = this.#response.writableEnded
    if (gone && !ended && looksLikeAbort(thrown)) return
    this.#reported ??= new Set()
    if (this.#reported.has(thrown)) return
    this.#reported.add(thrown)
    if (this.#over) {
      this.#emitLate(thrown)
    } else if (ended) {
      // The same whether it comes before or after `close`, so that the outcome is not a race.
      this.#lateErrors ??= []
      this.#lateErrors.push(thrown)
    } else {
      this.#failure = { thrown }
      this.#failedAfterAbort = gone
      this.#pending.add(this)
    }
  }

  #close(): void {
    if (this.#over) return
    this.#over = true
    this.#pending.delete(this)
    const body = this.#body?.finish() ?? null
    const { skipped } = this.#start
    if (!skipped || this.#failure !== null || this.#lateErrors !== undefined) {
      this.#record = this.#describe(body)
      if (!skipped || this.#failure !== null) this.#settings.emit(this.#record)
      for (const thrown of this.#lateErrors ?? []) this.#emitLate(thrown)
    }
  }

  #emitLate(thrown: unknown): void {
    const first = this.#record ?? this.#describe(null)
    const elapsed = toSeconds(performance.now() - this.#clock)
    this.#settings.emit(Object.freeze({ ...first, elapsed, error: { thrown }, late: true }))
  }

  #outcome(): Outcome {
    const response = this.#response
    if (response.writableEnded) return 'completed'
    const errored: unknown = response.errored
    if (this.#failure === null && errored !== null && errored !== undefined && !looksLikeAbort(errored)) {
      this.#failure = { thrown: errored }
    }
    return this.#failure === null || this.#failedAfterAbort ? 'aborted' : 'errored'
  }

  #describe(body: RequestRecord['body']): RequestRecord {
    const { headers, method = 'GET', httpVersionMajor, httpVersion } = this.#request
    const { path, url, client, skipped, inboundRequestId } = this.#start
    const { scope } = this
    const outcome = this.#outcome()
    const answered = this.#response.statusCode
    const route = scope.route ?? null
    return Object.freeze({
      schema: 1,
      requestId: scope.requestId,
      inboundRequestId,
      trace: readTraceparent(single(headers.traceparent)),
      startedAt: this.#startedAt,
      method,
      path,
      query: url.length === path.length ? '' : queryOf(url),
      route,
      eventName:
        scope.eventName ??
        `http.${method}.${route !== null && this.#settings.eventNames === 'route' ? route : path}`,
      scheme: schemeOf(this.#request, client.trusted),
      protocol: httpVersionMajor === 1 ? httpVersion : String(httpVersionMajor),
      client,
      userAgent: headers['user-agent'] ?? null,
      referer: headers.referer ?? null,
      language: headers['accept-language'] ?? null,
      user: scope.user,
      body,
      outcome,
      status: outcome === 'completed' ? answered : outcome === 'aborted' ? 499 : 500,
      statusSent: this.#ttfb === null ? null : answered,
      responseLength: isBodiless(method, answered) ? 0 : this.#written,
      elapsed: toSeconds(performance.now() - this.#clock),
      ttfb: this.#ttfb,
      error: this.#failure,
      late: false,
      skipped,
      values: scope.values === undefined ? nothing : Object.freeze({ ...scope.values }),
    })
  }
}

/** Whether HTTP allows no body here, whatever the service wrote. (RFC 9110 §6.4.1) */
function isBodiless(method: string, status: number): boolean {
  return method === 'HEAD' || status === 204 || status === 304
}

function queryOf(url: string): string {
  const question = url.indexOf('?')
  return question < 0 ? '' : url.slice(question + 1)
}

function schemeOf(request: IncomingMessage, trusted: boolean): 'http' | 'https' {
  if (trusted && /^\s*https\b/i.test(single(request.headers['x-forwarded-proto']) ?? '')) return 'https'
  return 'encrypted' in (request.socket ?? {}) && Reflect.get(request.socket, 'encrypted') === true
    ? 'https'
    : 'http'
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header
}
