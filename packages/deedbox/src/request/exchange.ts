import type { IncomingMessage, ServerResponse } from 'node:http'
import { isConnectionGone, looksLikeAbort } from './aborts.ts'
import { announcesBody, BodyWatch, type BodyWatchOptions } from './body-watch.ts'
import type { ClientAddress } from './client-address.ts'
import { toSeconds, wallMicroseconds } from './clock.ts'
import { bindEmitter } from './context.ts'
import type { Failure, Outcome, RequestRecord } from './record.ts'
import { ResponseWatch } from './response-watch.ts'
import { RequestScope } from './scope.ts'
import { readTraceparent } from './trace-context.ts'

/** What the lifecycle decides before an exchange is watched. */
export interface ExchangeOrigin {
  readonly box: object
  readonly outer: RequestScope | undefined
  readonly requestId: string
  readonly inboundRequestId: string | null
  readonly url: string
  /** The concrete path, cut from `url`. */
  readonly path: string
  readonly client: ClientAddress
  readonly skipped: boolean
  readonly body: BodyWatchOptions
  readonly eventNames: 'route' | 'path'
  /** Whether `X-Request-Id` and `X-Processed-Time` are set. */
  readonly echoRequestId: boolean
  readonly processedTime: boolean
  /** Takes each record; must not throw. */
  readonly emit: (record: RequestRecord) => void
  /** Told of a failed exchange that is not over yet, and again when it is. */
  readonly pending: Set<Exchange>
}

const nothing: Readonly<Record<string, unknown>> = Object.freeze({})

/**
 * One HTTP exchange from the request's arrival to the response's `close`, which is the one event that always
 * comes, once, on HTTP/1 and HTTP/2 (node-observability §5.1). It owns the record: completion never asks the
 * context which request it is in.
 */
export class Exchange {
  readonly scope: RequestScope
  readonly #origin: ExchangeOrigin
  readonly #request: IncomingMessage
  readonly #response: ServerResponse
  readonly #startedAt = wallMicroseconds()
  readonly #start = performance.now()
  readonly #watch: ResponseWatch
  readonly #body: BodyWatch | undefined
  #processed: number | null = null
  #ttfb: number | null = null
  #failure: Failure | null = null
  #failedAfterAbort = false
  #lateErrors: unknown[] | undefined
  #reported: Set<unknown> | undefined
  #record: RequestRecord | undefined
  #over = false

  constructor(request: IncomingMessage, response: ServerResponse, origin: ExchangeOrigin) {
    this.#request = request
    this.#response = response
    this.#origin = origin
    this.scope = new RequestScope({
      box: origin.box,
      outer: origin.outer,
      requestId: origin.requestId,
      report: thrown => this.#report(thrown),
    })
    this.#watch = new ResponseWatch(
      response,
      () => this.#beforeHeaders(),
      () => {
        this.#ttfb = this.#processed
      },
    )
    this.#body = announcesBody(request) ? new BodyWatch(request, origin.body) : undefined
    bindEmitter(request, this.scope, { before: (event, argument) => this.#seeRequest(event, argument) })
    bindEmitter(response, this.scope, {
      before: (event, argument) => {
        if (event === 'error') this.#report(argument)
      },
      closed: () => this.#close(),
    })
  }

  /** Completes an exchange that failed and can no longer end by itself, because the process does. */
  abandon(): void {
    this.#close()
  }

  #beforeHeaders(): void {
    this.#processed = toSeconds(performance.now() - this.#start)
    const response = this.#response
    if (this.#origin.echoRequestId && !response.hasHeader('x-request-id')) {
      response.setHeader('X-Request-Id', this.#origin.requestId)
    }
    if (this.#origin.processedTime) response.setHeader('X-Processed-Time', this.#processed.toFixed(6))
  }

  #seeRequest(event: string | symbol, argument: unknown): void {
    if (event === 'data') {
      // After the response finished, Node itself drains what nobody read.
      if (!this.#response.writableFinished) this.#body?.noteRead()
    } else if (event === 'error') {
      this.#report(argument)
    }
  }

  #report(thrown: unknown): void {
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
      this.#origin.pending.add(this)
    }
  }

  #close(): void {
    if (this.#over) return
    this.#over = true
    this.#origin.pending.delete(this)
    const body = this.#body?.finish() ?? null
    if (!this.#origin.skipped || this.#failure !== null || this.#lateErrors !== undefined) {
      this.#record = this.#describe(body)
      if (!this.#origin.skipped || this.#failure !== null) this.#origin.emit(this.#record)
    }
    for (const thrown of this.#lateErrors ?? []) this.#emitLate(thrown)
  }

  #emitLate(thrown: unknown): void {
    const first = this.#record ?? this.#describe(null)
    const elapsed = toSeconds(performance.now() - this.#start)
    this.#origin.emit(Object.freeze({ ...first, elapsed, error: { thrown }, late: true }))
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
    const { path, url, client } = this.#origin
    const { scope } = this
    const outcome = this.#outcome()
    const sent = this.#ttfb === null ? null : this.#response.statusCode
    const route = scope.route ?? null
    const named = this.#origin.eventNames === 'route' ? (route ?? path) : path
    const forwardedProto = client.trusted ? headers['x-forwarded-proto'] : undefined
    const encrypted = Reflect.get(this.#request.socket ?? {}, 'encrypted') === true
    const question = url.indexOf('?')
    return Object.freeze({
      schema: 1,
      requestId: scope.requestId,
      inboundRequestId: this.#origin.inboundRequestId,
      trace: readTraceparent(single(headers.traceparent)),
      startedAt: this.#startedAt,
      method,
      path,
      query: question < 0 ? '' : url.slice(question + 1),
      route,
      eventName: scope.eventName ?? `http.${method}.${named}`,
      scheme: encrypted || /^\s*https\b/i.test(single(forwardedProto) ?? '') ? 'https' : 'http',
      protocol: httpVersionMajor === 1 ? httpVersion : String(httpVersionMajor),
      client,
      userAgent: headers['user-agent'] ?? null,
      referer: headers.referer ?? null,
      body,
      outcome,
      status: outcome === 'completed' ? this.#response.statusCode : outcome === 'aborted' ? 499 : 500,
      statusSent: sent,
      responseLength: this.#watch.bodyLength(method),
      elapsed: toSeconds(performance.now() - this.#start),
      ttfb: this.#ttfb,
      error: this.#failure,
      late: false,
      skipped: this.#origin.skipped,
      values: scope.values === undefined ? nothing : { ...scope.values },
    })
  }
}

function single(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header[0] : header
}
