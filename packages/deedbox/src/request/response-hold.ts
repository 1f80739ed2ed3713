import { ServerResponse } from 'node:http'
import type { ServerHttp2Stream } from 'node:http2'
import type { HeldOutput, Refusal } from './refusal.ts'
import { holdStream } from './stream-hold.ts'

/** Who has a response wait. */
export interface ResponseHolder {
  /** Asked once, when the first byte would leave: whether the response may go. Never rejects. */
  admit(): Promise<boolean>
  /** What the client gets instead of a response that may not go. */
  refusal(): Refusal
  /** The refusal went to the client. */
  refused(refusal: Refusal): void
}

/** Who holds a response; those of several instances hold it together. */
interface Hold {
  readonly holders: ResponseHolder[]
  begun: boolean
}

/** One piece of a response that waits for its connection. */
interface Piece {
  readonly data: string | Uint8Array
  readonly encoding: BufferEncoding | null | undefined
  readonly callback: (() => void) | null | undefined
}

const holdKey: unique symbol = Symbol('deedbox.hold') as never

/**
 * What Node's responses are inside. A response behind another one on its connection (pipelining, RFC 9112 §9.3.2) waits
 * in `outputData` until `_flush` writes it out; `_writeRaw` is what all its bytes pass.
 */
interface Outgoing extends ServerResponse {
  outputData: Piece[]
  outputSize: number
  /** The connection ends with this response. */
  _last: boolean
  _writeRaw(data: Piece['data'], encoding?: unknown, callback?: unknown): boolean
  _flush(): void
  _onPendingData(bytes: number): void
  [holdKey]?: Hold
}

/**
 * Has the bytes of a response wait from the first one on, until its holders let it go or have it replaced. For HTTP/1 a
 * held response is in the state in which Node itself has responses wait for earlier ones on their connection: to the
 * service, frameworks and streams it looks as it always does, callbacks, back-pressure and `drain` included.
 * Informational responses pass.
 */
export function holdResponse(response: ServerResponse, holder: ResponseHolder): void {
  const outgoing = response as Outgoing
  const held = outgoing[holdKey]
  if (held !== undefined) {
    if (!held.begun && !held.holders.includes(holder)) held.holders.push(holder)
    return
  }
  const hold: Hold = { holders: [holder], begun: false }
  outgoing[holdKey] = hold
  const { stream } = response as ServerResponse & { readonly stream?: ServerHttp2Stream }
  if (stream !== undefined) {
    holdStream(stream, output => begin(response, hold, output))
    return
  }
  outgoing._writeRaw = heldWrite
  outgoing._flush = heldFlush
}

/** Whether this version of Node has what holding a response of HTTP/1 takes. */
export function canHold(): boolean {
  const inside = ServerResponse.prototype as Partial<Outgoing>
  return [inside._writeRaw, inside._flush].every(part => typeof part === 'function')
}

/** The first byte would leave now. */
function begin(response: ServerResponse, hold: Hold, output: HeldOutput): void {
  hold.begun = true
  const { holders } = hold
  void Promise.all(holders.map(holder => holder.admit())).then(verdicts => {
    // In a turn of its own: what a listener of the service throws is an uncaught error, as it is without us.
    process.nextTick(() => {
      if (verdicts.every(Boolean)) {
        output.release()
        return
      }
      const refusal = holders[verdicts.indexOf(false)]!.refusal()
      if (!output.refuse(refusal)) return
      // Whoever reads it from now on, such as an access log, shall read what was answered.
      response.statusCode = refusal.status
      for (const holder of holders) holder.refused(refusal)
    })
  })
}

function heldWrite(this: Outgoing, data: Piece['data'], encoding?: unknown, callback?: unknown): boolean {
  const hold = this[holdKey]!
  if (!this.headersSent) return inside(this)._writeRaw.call(this, data, encoding, callback)
  if (this.socket?.destroyed === true) return false
  const [form, done] = typeof encoding === 'function' ? [null, encoding] : [encoding, callback]
  this.outputData.push({ data, encoding: form as Piece['encoding'], callback: done as Piece['callback'] })
  this.outputSize += data.length
  this._onPendingData(data.length)
  if (!hold.begun) {
    begin(this, hold, { release: () => release(this), refuse: refusal => refuse(this, refusal) })
  }
  return this.outputSize < this.writableHighWaterMark
}

/** Node flushes a response when its connection is free for it. */
function heldFlush(this: Outgoing): void {
  if (!this[holdKey]!.begun) inside(this)._flush.call(this)
}

function release(response: Outgoing): void {
  Reflect.deleteProperty(response, '_writeRaw')
  Reflect.deleteProperty(response, '_flush')
  response._flush()
}

function refuse(response: Outgoing, refusal: Refusal): boolean {
  const { socket, req } = response
  if (response.destroyed || socket?.destroyed === true || req.socket.destroyed) return false
  const isLast = !response.writableEnded || response._last || req.httpVersion !== '1.1'
  if (isLast) response._last = true
  const callbacks = response.outputData.map(({ callback }) => callback)
  const data = refusalText(refusal, isLast, req.method === 'HEAD')
  response._onPendingData(data.length - response.outputSize)
  response.outputSize = data.length
  response.outputData = [
    {
      data,
      encoding: 'utf8',
      callback: () => {
        for (const callback of callbacks) callback?.()
      },
    },
  ]
  response._writeRaw = discard
  response._flush = lastFlush
  response._flush()
  return true
}

/** What the service still writes to a response that was replaced. */
function discard(this: Outgoing, _data: Piece['data'], encoding?: unknown, callback?: unknown): boolean {
  const done = typeof encoding === 'function' ? encoding : callback
  if (typeof done === 'function') process.nextTick(done as () => void)
  return true
}

/** A service that has not ended the response may never do so: the connection ends without it. */
function lastFlush(this: Outgoing): void {
  inside(this)._flush.call(this)
  if (!this.writableEnded) this.socket?.destroySoon()
}

function inside(response: Outgoing): Outgoing {
  return Object.getPrototypeOf(response) as Outgoing
}

function refusalText({ status, reason, headers, body }: Refusal, isLast: boolean, isHead: boolean): string {
  const all = {
    ...headers,
    'Content-Length': Buffer.byteLength(body),
    Date: new Date().toUTCString(),
    ...(isLast ? { Connection: 'close' } : {}),
  }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status} ${reason}\r\n${lines.join('')}\r\n${isHead ? '' : body}`
}
