import type { ServerResponse } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { LedgerError } from '../errors.ts'

/** How many long answers there may be at once, and how they are watched; times in milliseconds. */
export interface StreamSettings {
  /** Live tails; beyond: 503. Default 256. */
  tails: number
  /** Exports under way; beyond: 503. Default 8. */
  exports: number
  /** A tail with nothing to say says so this often. Default 15,000. */
  heartbeat: number
  /** The API key is looked at again this often. Default 250: with the authenticator's half second, within one second. */
  keyCheck: number
  /** Who takes nothing for this long while something waits for him is cut off. Default 60,000. */
  stall: number
}

/** Settings of a server that was told nothing else. */
const defaultStreamSettings: StreamSettings = {
  tails: 256,
  exports: 8,
  heartbeat: 15_000,
  keyCheck: 250,
  stall: 60_000,
}

/** One answer that is written piece by piece, no faster than its reader takes it. */
export interface OpenStream {
  /** Aborted when the client has left, the key is not valid any more, the reader stalls, or the server stops. */
  readonly signal: AbortSignal
  /** Whether the client has taken all that was written. */
  readonly idle: boolean
  /** Resolves when the client is ready for more. @throws the reason of the abort */
  write(piece: string | Uint8Array): Promise<void>
}

/** What a route wants to stream. */
export interface StreamPlan {
  kind: 'tails' | 'exports'
  headers: Record<string, string>
  /** Throws once the caller may not read any more. */
  check: () => void
  work: (stream: OpenStream) => Promise<void>
  /** The last words to a client whose stream ends for this reason; without them the connection is cut. */
  lastWords?: (reason: LedgerError) => string
}

/** Why a stream ends that nobody is to blame for. */
const over: unique symbol = Symbol('over')

/** All long answers of a server. */
export class OpenStreams {
  readonly #settings: StreamSettings
  readonly #onFault: (error: unknown) => void
  readonly #open = { tails: 0, exports: 0 }
  readonly #stop = new AbortController()

  /** @param app its stop ends every stream */
  constructor(app: FastifyInstance, settings: Partial<StreamSettings>, onFault: (error: unknown) => void) {
    this.#settings = { ...defaultStreamSettings, ...settings }
    this.#onFault = onFault
    app.addHook('preClose', async () => this.#stop.abort(over))
  }

  /** How many there are of each kind. */
  get open(): Readonly<Record<StreamPlan['kind'], number>> {
    return this.#open
  }

  /** Milliseconds between the signs of life of a tail. */
  get heartbeat(): number {
    return this.#settings.heartbeat
  }

  /**
   * Takes the answer over. From here on errors are its own affair.
   *
   * @throws LedgerError `overloaded` before anything is written
   */
  start(request: FastifyRequest, reply: FastifyReply, plan: StreamPlan): FastifyReply {
    if (request.method === 'HEAD') return reply.headers(plan.headers).send()
    const { kind } = plan
    if (this.#open[kind] >= this.#settings[kind] || this.#stop.signal.aborted) {
      throw new LedgerError(
        'overloaded',
        `The server has ${this.#settings[kind]} ${kind} open, and takes no more. Try again later.`,
      )
    }
    this.#open[kind]++
    reply.hijack()
    const response = reply.raw
    for (const [name, value] of Object.entries({ ...reply.getHeaders(), ...plan.headers })) {
      if (value !== undefined) response.setHeader(name, value)
    }
    void this.#run(response, plan).finally(() => this.#open[kind]--)
    return reply
  }

  async #run(response: ServerResponse, plan: StreamPlan): Promise<void> {
    const control = new AbortController()
    const abort = (reason: unknown) => control.abort(reason)
    const onGone = () => abort(over)
    const onStop = () => abort(over)
    // Nothing else comes over this connection, and a server that stops need not wait for its client to hang up.
    response.shouldKeepAlive = false
    response.on('close', onGone)
    response.on('error', onGone)
    this.#stop.signal.addEventListener('abort', onStop, { once: true })
    const keyCheck = setInterval(() => {
      try {
        plan.check()
      } catch (reason) {
        abort(reason)
      }
    }, this.#settings.keyCheck)
    try {
      response.flushHeaders()
      await plan.work(new ResponseStream(response, control.signal, this.#settings.stall))
      if (control.signal.aborted) throw control.signal.reason
      response.end()
    } catch (error) {
      this.#endFor(error, response, plan)
    } finally {
      clearInterval(keyCheck)
      this.#stop.signal.removeEventListener('abort', onStop)
      response.off('close', onGone)
    }
  }

  #endFor(error: unknown, response: ServerResponse, { lastWords }: StreamPlan): void {
    if (error !== over && !(error instanceof LedgerError)) this.#onFault(error)
    const canSpeak = lastWords !== undefined && !response.writableNeedDrain && !response.destroyed
    if (!canSpeak) {
      // No regular end: the reader has to see that something is missing.
      response.destroy()
      return
    }
    response.end(error instanceof LedgerError ? lastWords(error) : undefined)
  }
}

class ResponseStream implements OpenStream {
  readonly signal: AbortSignal
  readonly #response: ServerResponse
  readonly #stall: number

  constructor(response: ServerResponse, signal: AbortSignal, stall: number) {
    this.#response = response
    this.signal = signal
    this.#stall = stall
  }

  get idle(): boolean {
    return !this.#response.writableNeedDrain
  }

  async write(piece: string | Uint8Array): Promise<void> {
    if (this.signal.aborted) throw this.signal.reason
    if (this.#response.write(piece)) return
    await new Promise<void>((resolve, reject) => {
      const settle = (end: () => void) => {
        clearTimeout(timer)
        this.#response.off('drain', onDrain)
        this.signal.removeEventListener('abort', onAbort)
        end()
      }
      const onDrain = () => settle(resolve)
      const onAbort = () => settle(() => reject(this.signal.reason))
      const timer = setTimeout(() => settle(() => reject(over)), this.#stall)
      this.#response.once('drain', onDrain)
      this.signal.addEventListener('abort', onAbort, { once: true })
    })
  }
}
