import type { EventEmitter } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { destroyedWith, isConnectionGone, looksLikeAbort } from './aborts.ts'
import type { AuditGate, AuditMode } from './audit-gate.ts'
import { announcesBody, BodyWatch } from './body-watch.ts'
import { monotonicNow, toSeconds, wallMicroseconds } from './clock.ts'
import { bindEmitter, type EmitterWatcher } from './context.ts'
import { describeRequest, type ExchangeStart, isShown, traceHeadersOf } from './describe.ts'
import { type AuditedExchange, ExchangeAudit } from './exchange-audit.ts'
import {
  addExchangeHeaders,
  areGiven,
  canSetLater,
  type ExchangeHeaderSettings,
  exchangeHeaderLines,
  exchangeHeaders,
  setLater,
} from './exchange-headers.ts'
import { ExchangeHold, type HeldExchange } from './exchange-hold.ts'
import type { Failure, Outcome, RequestRecord } from './record.ts'
import { holdResponse } from './response-hold.ts'
import { type OwnHeaders, type ResponseWatcher, watchResponse } from './response-watch.ts'
import { RequestScope, type ScopeOwner, type TraceHeaders } from './scope.ts'
import type { RuleInUse, ScopeRule, TrackingGate } from './scope-rules.ts'

/** What one instance decided about all its exchanges. */
export interface ExchangeSettings extends ExchangeHeaderSettings {
  /** What the scopes carry as their box. */
  readonly box: object
  readonly eventNames: 'route' | 'path'
  readonly hashBodies: boolean
  readonly keepBodies: boolean
  readonly gate: AuditGate
  readonly tracking: TrackingGate
  /**
   * Takes each record; must not throw. `audited` is the record that the event is made of, `null` for none; where it
   * is absent the mode of the route decides. `rules` are those of {@link RequestScope.track}; absent where there
   * were none.
   */
  readonly emit: (
    record: RequestRecord,
    request?: IncomingMessage,
    response?: ServerResponse,
    audited?: RequestRecord | null,
    rules?: readonly RuleInUse[],
  ) => void
}

/** The exchanges of an instance that are not over. */
export interface OpenExchanges {
  /** How many there are, those on skipped paths not counted. */
  count: number
  /** Those of them that have failed. */
  readonly failed: Set<Exchange>
}

/**
 * One HTTP exchange from the request's arrival to the response's `close`, which is the one event that always
 * comes, once, on HTTP/1 and HTTP/2 (node-observability §5.1). It owns the record: completion never asks the
 * context which request it is in.
 */
export class Exchange implements EmitterWatcher, ResponseWatcher, ScopeOwner, AuditedExchange, HeldExchange {
  readonly scope: RequestScope
  readonly hasResponse = true
  readonly #settings: ExchangeSettings
  #start: ExchangeStart
  readonly #open: OpenExchanges
  #request: IncomingMessage
  #response: ServerResponse
  readonly #clock = monotonicNow()
  readonly #startedAt = wallMicroseconds(this.#clock)
  #body: BodyWatch | undefined
  #written = 0
  #processed: number | null = null
  #ttfb: number | null = null
  /** Frameworks go on setting the status for errors that they can no longer answer. */
  #statusSent: number | null = null
  #failure: Failure | null = null
  #failedAfterAbort = false
  /** The answer had begun when the service failed, so it is no answer to the failure, however well it ends. */
  #failedMidway = false
  #lateErrors: unknown[] | undefined
  #reported: Set<unknown> | undefined
  #record: RequestRecord | undefined
  /** Nobody could be told any more when the headers were made. */
  #answeredInVain = false
  /** The client was gone at the end: what then looks like an abort is no error. */
  #leftBehind = false
  /** The trace as it came, for what outgoing requests carry after the end. */
  #traceHeaders: TraceHeaders | undefined
  /** Only where the response may have to wait. */
  #audit: ExchangeAudit | undefined
  #holder: ExchangeHold | undefined
  /** Its tracking has failed it, whatever the service answers. */
  #isUntracked = false
  /** The status with which a response was answered that had to be withheld. */
  #refused: number | undefined
  #over = false

  constructor(
    request: IncomingMessage,
    response: ServerResponse,
    settings: ExchangeSettings,
    start: ExchangeStart,
    open: OpenExchanges,
  ) {
    this.#request = request
    this.#response = response
    this.#settings = settings
    this.#start = start
    this.#open = open
    this.scope = new RequestScope(settings.box, start.outer, start.requestId, this)
    this.#body = announcesBody(request)
      ? new BodyWatch(request, { hash: settings.hashBodies, keep: settings.keepBodies })
      : undefined
    watchResponse(response, this)
    bindEmitter(request, this.scope, this)
    bindEmitter(response, this.scope, this)
    if (!start.skipped) open.count++
  }

  /** Completes an exchange that failed and can no longer end by itself, because the process does. */
  abandon(): void {
    this.#close()
  }

  skip(): void {
    if (this.#over || this.#start.skipped) return
    this.#start = { ...this.#start, skipped: true }
    this.#open.count--
  }

  headerLines(given: OwnHeaders | undefined): string | undefined {
    if (this.#over) return ''
    const mayBeText =
      given === undefined ? canSetLater(this.#settings, this.#response) : !areGiven(this.#settings, given)
    if (!mayBeText) return undefined
    return exchangeHeaderLines(this.#settings, this.#start.requestId, this.#process())
  }

  beforeHeaders(own: OwnHeaders | undefined): void {
    if (this.#over) return
    const processed = this.#process()
    addExchangeHeaders(this.#settings, this.#response, own, this.#start.requestId, processed)
  }

  /** The answer is there: the seconds that it took, and whether it has to wait. */
  #process(): number {
    const processed = toSeconds(monotonicNow() - this.#clock)
    this.#processed = processed
    const isAudited = this.#audit !== undefined || this.#settings.gate.modeOf !== undefined
    if (isAudited || this.scope.rules?.isAwaited === true) this.#hold(isAudited)
    return processed
  }

  headersMade(areUnset: boolean): void {
    if (this.#over) return
    if (areUnset) setLater(this.#settings, this.#response, this.#start.requestId, this.#processed ?? 0)
    if (isConnectionGone(this.#request, this.#response)) {
      this.#answeredInVain = true
      return
    }
    this.#ttfb = this.#processed
    this.#statusSent = this.#response.statusCode
  }

  wrote(bytes: number): void {
    // What a service still writes to an answer that was replaced goes nowhere.
    if (this.#refused === undefined) this.#written += bytes
  }

  /** Chooses what the response waits for; see {@link RequestScope.audit}. */
  audit(mode: AuditMode): void {
    if (this.#over || this.#response.headersSent) this.#settings.gate.warnLate()
    else this.#auditing().choose(mode)
  }

  begun(answered?: number): RequestRecord | undefined {
    if (this.#over || isConnectionGone(this.#request, this.#response)) return undefined
    const status = this.#isUntracked ? 500 : (answered ?? this.#response.statusCode)
    return this.#describe(this.#body?.soFar() ?? null, 'completed', status, status)
  }

  async settle(rule: ScopeRule, status: number | undefined): Promise<void> {
    if (this.#start.skipped || this.#over || this.#response.headersSent) return
    const record = this.begun(status)
    if (record === undefined) return
    const failure = await this.scope.rules?.write(record, this.#settings.tracking, rule)
    if (failure !== undefined) throw failure.thrown
  }

  untracked(failure: Failure): void {
    this.#isUntracked = true
    this.#failure ??= failure
    if (!this.#over) this.#open.failed.add(this)
  }

  ownHeaders(): Record<string, string> {
    return exchangeHeaders(this.#settings, this.#start.requestId, this.#processed ?? 0)
  }

  refused(status: number, bytes: number): void {
    this.#refused = status
    this.#statusSent = status
    this.#written = bytes
  }

  emitting(emitter: EventEmitter, event: 'data' | 'end' | 'error', argument: unknown): void {
    if (event === 'error') this.report(argument)
    else if (this.#over) return
    // After the response finished, Node itself drains what nobody read.
    else if (event === 'data' && emitter === this.#request && !this.#response.writableFinished)
      this.#body?.noteRead()
    else if (event === 'end' && emitter === this.#request) this.#body?.noteEnd()
  }

  closed(emitter: EventEmitter): void {
    if (emitter === this.#response) this.#close()
  }

  get traceHeaders(): TraceHeaders {
    return this.#over ? (this.#traceHeaders ?? {}) : traceHeadersOf(this.#request)
  }

  /** Takes an error of this exchange; see {@link RequestScope.fail}. */
  report(thrown: unknown): void {
    const gone = this.#over ? this.#leftBehind : isConnectionGone(this.#request, this.#response)
    const ended = this.#over ? !this.#leftBehind : this.#hasEnded()
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
    } else if (this.#failure === null || !isVainAnswer(thrown)) {
      this.#failure = { thrown }
      this.#failedAfterAbort = gone
      this.#failedMidway = this.#response.headersSent
      this.#open.failed.add(this)
    }
  }

  #auditing(): ExchangeAudit {
    this.#audit ??= new ExchangeAudit(this.#settings.gate, this, this.#start.requestId, this.#request.method)
    return this.#audit
  }

  /** Has the response wait, unless there is nothing to wait for. */
  #hold(isAudited: boolean): void {
    if (this.#start.skipped) return
    const audit = isAudited ? this.#auditing() : undefined
    const { method = 'GET' } = this.#request
    const mode = audit?.modeOf({ method, route: this.scope.route ?? null, path: this.#start.path })
    const awaited = mode === 'buffer' || mode === 'closed' ? audit : undefined
    if (awaited === undefined && this.scope.rules?.isAwaited !== true) return
    this.#holder ??= new ExchangeHold(this, this.#settings.tracking, awaited)
    holdResponse(this.#response, this.#holder)
  }

  #hasEnded(): boolean {
    return this.#response.writableEnded && destroyedWith(this.#response) === undefined
  }

  #close(): void {
    if (this.#over) return
    if (this.#open.failed.size > 0) this.#open.failed.delete(this)
    if (!this.#start.skipped) this.#open.count--
    this.#leftBehind = isConnectionGone(this.#request, this.#response) && !this.#hasEnded()
    const body = this.#body?.finish() ?? null
    const outcome = this.#outcome()
    const answered = this.#statusSent ?? this.#response.statusCode
    const status = outcome === 'completed' ? answered : outcome === 'aborted' ? 499 : 500
    const record = this.#describe(body, outcome, status, this.#statusSent)
    this.#record = record
    if (isShown(record)) {
      const audited = this.#audit?.atEnd(record)
      this.#settings.emit(record, this.#request, this.#response, audited, this.scope.rules?.inUse)
    }
    this.#release()
    for (const thrown of this.#lateErrors ?? []) this.#emitLate(thrown)
  }

  /**
   * Lets go of the request and its response. The scope lives on with whatever the service has started, and Node's
   * own timer of an idle connection keeps it too: with them it would keep the body of its last request.
   */
  #release(): void {
    if (this.#request.headers.traceparent !== undefined) this.#traceHeaders = traceHeadersOf(this.#request)
    this.#over = true
    this.scope.release()
    this.#request = undefined as never
    this.#response = undefined as never
    this.#body = undefined
  }

  #emitLate(thrown: unknown): void {
    const elapsed = toSeconds(monotonicNow() - this.#clock)
    const record = Object.freeze({ ...this.#record!, elapsed, error: { thrown }, late: true })
    const isOff = this.#audit?.modeOf(record) === 'off'
    this.#settings.emit(record, undefined, undefined, isOff ? null : undefined)
  }

  #outcome(): Outcome {
    if (this.#refused !== undefined) return 'completed'
    // Who destroys a response with an error cuts it off, although some then end it all the same.
    const errored = destroyedWith(this.#response)
    if (errored !== undefined) {
      this.#failure ??= { thrown: errored }
      return 'errored'
    }
    const isAnswered = this.#response.writableEnded && !this.#answeredInVain
    if (isAnswered) return this.#failedMidway ? 'errored' : 'completed'
    return this.#failure === null || this.#failedAfterAbort ? 'aborted' : 'errored'
  }

  #describe(
    body: RequestRecord['body'],
    outcome: Outcome,
    status: number,
    statusSent: number | null,
  ): RequestRecord {
    return describeRequest(this.#request, this.#start, this.scope, {
      startedAt: this.#startedAt,
      body,
      outcome,
      status,
      statusSent,
      written: this.#written,
      elapsed: toSeconds(monotonicNow() - this.#clock),
      ttfb: this.#ttfb,
      error: this.#failure,
      eventNames: this.#settings.eventNames,
    })
  }
}

/** The error of answering an error when headers are sent already: the one to be answered is the real one. */
function isVainAnswer(thrown: unknown): boolean {
  return thrown instanceof Error && Reflect.get(thrown, 'code') === 'ERR_HTTP_HEADERS_SENT'
}
