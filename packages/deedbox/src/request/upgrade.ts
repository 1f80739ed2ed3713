import type { EventEmitter } from 'node:events'
import type { IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { looksLikeAbort } from './aborts.ts'
import { monotonicNow, toSeconds, wallMicroseconds } from './clock.ts'
import { bindEmitter, type EmitterWatcher } from './context.ts'
import { describeRequest, type ExchangeStart, isShown, traceHeadersOf } from './describe.ts'
import type { ExchangeSettings } from './exchange.ts'
import type { Failure, RequestRecord } from './record.ts'
import { RequestScope, type ScopeOwner, type TraceHeaders } from './scope.ts'

/** What one instance decided about its upgrades. */
export type UpgradeSettings = Pick<ExchangeSettings, 'box' | 'eventNames' | 'emit'>

/**
 * A request that asks for another protocol (RFC 9110 §7.8) or a tunnel (CONNECT). Its record is made when it is
 * answered: what follows on the socket is no HTTP and may last for days. The scope lasts as long as the socket, so
 * that what a web socket's listeners log carries the id of the request that opened it.
 */
export class Upgrade implements EmitterWatcher, ScopeOwner {
  readonly scope: RequestScope
  readonly #settings: UpgradeSettings
  readonly #start: ExchangeStart
  readonly #request: IncomingMessage
  readonly #socket: Duplex
  readonly #clock = monotonicNow()
  readonly #startedAt = wallMicroseconds(this.#clock)
  #failure: Failure | null = null
  #reported: Set<unknown> | undefined
  #record: RequestRecord | undefined

  constructor(request: IncomingMessage, socket: Duplex, settings: UpgradeSettings, start: ExchangeStart) {
    this.#request = request
    this.#socket = socket
    this.#settings = settings
    this.#start = start
    this.scope = new RequestScope(settings.box, start.outer, start.requestId, this)
    watchAnswer(socket, status => this.#finish(status))
    bindEmitter(socket, this.scope, this)
  }

  emitting(_emitter: EventEmitter, event: string | symbol, argument: unknown): void {
    // After the answer the socket belongs to another protocol, whose errors are not this request's.
    if (event === 'error' && this.#record === undefined) this.report(argument)
  }

  closed(): void {
    this.#finish(null)
  }

  get traceHeaders(): TraceHeaders {
    return traceHeadersOf(this.#request)
  }

  /** Takes an error of this request; see {@link RequestScope.fail}. */
  report(thrown: unknown): void {
    this.#reported ??= new Set()
    if (this.#reported.has(thrown)) return
    this.#reported.add(thrown)
    if (this.#record !== undefined) {
      const elapsed = toSeconds(monotonicNow() - this.#clock)
      this.#settings.emit(
        Object.freeze({ ...this.#record, elapsed, error: { thrown }, late: true }),
        this.#request,
      )
    } else if (!(this.#socket.destroyed && looksLikeAbort(thrown))) {
      this.#failure = { thrown }
    }
  }

  #finish(status: number | null): void {
    if (this.#record !== undefined) return
    const elapsed = toSeconds(monotonicNow() - this.#clock)
    const outcome = status !== null ? 'completed' : this.#failure === null ? 'aborted' : 'errored'
    this.#record = describeRequest(this.#request, this.#start, this.scope, {
      startedAt: this.#startedAt,
      body: null,
      outcome,
      status: status ?? (outcome === 'aborted' ? 499 : 500),
      statusSent: status,
      written: 0,
      elapsed,
      ttfb: status === null ? null : elapsed,
      error: this.#failure,
      eventNames: this.#settings.eventNames,
    })
    if (isShown(this.#record))
      this.#settings.emit(this.#record, this.#request, undefined, undefined, this.scope.rules?.inUse)
  }
}

/** What a watched socket carries; those of several instances form a chain. */
interface AnswerWatch {
  readonly told: (status: number) => void
  readonly outer: AnswerWatch | undefined
}

const watchKey: unique symbol = Symbol('deedbox.answer') as never

interface Watched extends Duplex {
  [watchKey]?: AnswerWatch | undefined
}

const statusLine = /^HTTP\/1\.[01] (\d{3})/
const statusLineLength = 12

/** Tells the status of the answer that is written to a socket; then the socket is its old self again. */
function watchAnswer(socket: Duplex, told: (status: number) => void): void {
  const watched: Watched = socket
  const outer = watched[watchKey]
  watched[watchKey] = { told, outer }
  if (outer !== undefined) return
  const { write, end } = socket
  let head = ''
  let isOver = false
  const see = (chunk: unknown): void => {
    if (isOver || !(typeof chunk === 'string' || chunk instanceof Uint8Array)) return
    // The head may come in pieces.
    const wanted = statusLineLength - head.length
    head +=
      typeof chunk === 'string'
        ? chunk.slice(0, wanted)
        : Buffer.from(chunk.subarray(0, wanted)).toString('latin1')
    if (head.length < statusLineLength) return
    const status = Number(statusLine.exec(head)?.[1])
    head = ''
    // Information ahead of the answer. (RFC 9110 §15.2)
    if (status >= 100 && status < 200 && status !== 101) return
    isOver = true
    // What somebody has put around ours in the meantime stays.
    if (socket.write === seenWrite) socket.write = write
    if (socket.end === seenEnd) socket.end = end
    if (Number.isNaN(status)) return
    for (let each = watched[watchKey]; each !== undefined; each = each.outer) each.told(status)
    watched[watchKey] = undefined
  }
  // The types of these methods are overloads that no single function has; the arguments pass unchanged.
  const seenWrite = function (this: Duplex, ...values: Parameters<Duplex['write']>) {
    see(values[0])
    return write.apply(this, values)
  } as typeof write
  const seenEnd = function (this: Duplex, ...values: Parameters<Duplex['end']>) {
    see(values[0])
    return end.apply(this, values)
  } as typeof end
  socket.write = seenWrite
  socket.end = seenEnd
}
