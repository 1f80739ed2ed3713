import { createHash, type Hash } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { BodyFacts } from './record.ts'

/** Bodies of this many bytes and more are never kept as text. (IF-22: 1,999 are, 2,000 are not) */
const keptBytes = 2_000

/** What a watched request carries; the watches of several instances form a chain. */
interface Watch {
  readonly push: IncomingMessage['push']
  readonly body: BodyWatch
  readonly outer: Watch | undefined
}

const watchKey: unique symbol = Symbol('deedbox.body') as never

interface Watched extends IncomingMessage {
  [watchKey]?: Watch
}

/** What to do with the bytes that pass. */
export interface BodyWatchOptions {
  readonly hash: boolean
  readonly keep: boolean
}

/**
 * Watches a request body pass. It wraps `push`, through which the parser hands every chunk to the stream as raw
 * bytes: no listener is added, so the stream stays paused until the service reads it, and neither a decoder
 * (`setEncoding`) nor the way of reading changes what is hashed. Nothing is buffered beyond 2,000 bytes.
 */
export class BodyWatch {
  readonly #request: IncomingMessage
  readonly #options: BodyWatchOptions
  #hash: Hash | undefined
  #kept: Buffer[] | undefined
  #length = 0
  #arrived = false
  #read = false
  #ended = false
  #over = false

  /** Bytes that the request says it brings; NaN if it does not say. */
  get #declared(): number {
    return Number(this.#request.headers['content-length'])
  }

  constructor(request: IncomingMessage, options: BodyWatchOptions) {
    this.#request = request
    this.#options = options
    if (options.keep) this.#kept = []
    const watched: Watched = request
    const outer = watched[watchKey]
    watched[watchKey] = { push: outer?.push ?? request.push, body: this, outer }
    if (outer === undefined) request.push = watchedPush
  }

  /** Takes a chunk on its way into the stream; `null` is the end. Requests that are no parser's push texts too. */
  see(pushed: unknown, encoding?: BufferEncoding): void {
    if (this.#over) return
    if (pushed === null) {
      this.#arrived = true
      return
    }
    const chunk = typeof pushed === 'string' ? Buffer.from(pushed, encoding) : pushed
    if (!(chunk instanceof Uint8Array)) return
    this.#length += chunk.byteLength
    if (this.#options.hash) {
      this.#hash ??= createHash('sha256')
      this.#hash.update(chunk)
    }
    if (this.#length >= keptBytes) this.#kept = undefined
    else this.#kept?.push(Buffer.from(chunk))
  }

  /** The service reads: a chunk was handed out while the response was not yet finished. */
  noteRead(): void {
    this.#read = true
  }

  /** All of it was handed out. Afterwards a framework may put another stream in the request's place, as Next does. */
  noteEnd(): void {
    this.#ended = true
  }

  /** What is known now; watching ends. `null` for a body that turned out to be empty. */
  finish(): BodyFacts | null {
    this.#over = true
    return this.#facts(hash => hash.digest('hex'))
  }

  /** The same, and watching goes on. */
  soFar(): BodyFacts | null {
    return this.#facts(hash => hash.copy().digest('hex'))
  }

  #facts(digest: (hash: Hash) => string): BodyFacts | null {
    const whole = this.#arrived && (this.#ended || this.#request.readableLength === 0)
    // HTTP/2 ends a body that nobody reads without handing anything over.
    if (this.#arrived && this.#length === 0 && !(this.#declared > 0)) return null
    const contentType = this.#request.headers['content-type'] ?? ''
    const facts = { length: this.#length, hash: null, bytes: null, contentType }
    if (!this.#read || (whole && this.#length === 0)) return { ...facts, state: 'unread' }
    if (!whole) return { ...facts, state: 'incomplete' }
    return {
      ...facts,
      state: 'read',
      hash: this.#hash === undefined ? null : digest(this.#hash),
      bytes: this.#kept === undefined ? null : Buffer.concat(this.#kept),
    }
  }
}

function watchedPush(this: Watched, chunk: unknown, encoding?: BufferEncoding): boolean {
  const watch = this[watchKey]!
  for (let each: Watch | undefined = watch; each !== undefined; each = each.outer)
    each.body.see(chunk, encoding)
  return watch.push.call(this, chunk, encoding)
}

/** Whether the request announced a body. (RFC 9112 §6; HTTP/2 tells it by the stream's state) */
export function announcesBody(request: IncomingMessage): boolean {
  const length = request.headers['content-length']
  if (length !== undefined) return length !== '0'
  if (request.headers['transfer-encoding'] !== undefined) return true
  if (request.httpVersionMajor === 1) return false
  const stream: unknown = Reflect.get(request, 'stream')
  return typeof stream === 'object' && stream !== null && Reflect.get(stream, 'endAfterHeaders') === false
}
