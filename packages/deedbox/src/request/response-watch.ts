import { Buffer } from 'node:buffer'
import { IncomingMessage, type OutgoingHttpHeader, ServerResponse } from 'node:http'
import { Socket } from 'node:net'

/** Who is told about a response as it is made. */
export interface ResponseWatcher {
  /**
   * Called before the headers are made, in the place of {@link beforeHeaders}, where headers of ours can go ahead of
   * the others as they are. `undefined` where the service gives one of them by itself, or where they could not be read
   * from the response later on.
   * @param given what `writeHead` was given, where that is all headers that there are; else they are those set before
   */
  headerLines(given: OwnHeaders | undefined): string | undefined
  /**
   * Called before the headers are made, while they can still be changed.
   * @param own a fresh object for headers that go with those of `writeHead`; without it they are set on the response
   */
  beforeHeaders(own: OwnHeaders | undefined): void
  /**
   * Called once they are made.
   * @param areUnset whether ours are not among those that can be read from the response
   */
  headersMade(areUnset: boolean): void
  /** Called with the size of each piece of the body that the service hands over, in bytes. */
  wrote(bytes: number): void
}

/** Headers of ours on their way into `writeHead`, by their names. */
export type OwnHeaders = Record<string, OutgoingHttpHeader | undefined>

/** What a watched response carries; the watchers of several instances form a chain. */
interface Watch {
  readonly write: ServerResponse['write']
  readonly end: ServerResponse['end']
  readonly writeHead: ServerResponse['writeHead']
  readonly watcher: ResponseWatcher
  readonly outer: Watch | undefined
  /** HTTP/2 responses pass the last chunk of end() on to write(); HTTP/1 responses do not. */
  ending: boolean
  /** Headers of ours, each with its line end, that go behind the status line. */
  lines: string
}

const watchKey: unique symbol = Symbol('deedbox.watch') as never

interface Watched extends ServerResponse {
  [watchKey]?: Watch
  /** What Node's `writeHead` makes the head of a response of HTTP/1 with, from its status line on. */
  _storeHeader?(statusLine: string, headers: unknown): void
}

const node: Watched = ServerResponse.prototype
const { writeHead: writeHeadOfNode, _storeHeader: storeHeaderOfNode } = node
const takesLines = canTakeLines()

/**
 * Has a watcher told when a response's headers are made and how much body is written. It wraps `write`, `end` and
 * `writeHead`: socket counters would include headers and chunk framing, and mix pipelined responses. Like
 * {@link bindEmitter}, it gives all responses the same functions.
 */
export function watchResponse(response: ServerResponse, watcher: ResponseWatcher): void {
  const watched: Watched = response
  const outer = watched[watchKey]
  const { write, end, writeHead } = outer ?? response
  watched[watchKey] = { write, end, writeHead, watcher, outer, ending: false, lines: '' }
  if (outer !== undefined) return
  if (takesLines && writeHead === writeHeadOfNode && watched._storeHeader === storeHeaderOfNode)
    watched._storeHeader = watchedStoreHeader
  response.write = watchedWrite as typeof write
  response.end = watchedEnd as typeof end
  response.writeHead = watchedWriteHead as typeof writeHead
}

// The types of these three methods are overloads that no single function has; the arguments pass unchanged.

function watchedWrite(this: Watched, chunk: unknown, encoding?: never, callback?: never): boolean {
  const watch = this[watchKey]!
  if (!watch.ending) count(this, watch, chunk, encoding)
  return watch.write.call(this, chunk, encoding as never, callback)
}

function watchedEnd(this: Watched, chunk?: unknown, encoding?: never, callback?: never): ServerResponse {
  const watch = this[watchKey]!
  count(this, watch, chunk, encoding)
  watch.ending = true
  try {
    return watch.end.call(this, chunk, encoding as never, callback)
  } finally {
    watch.ending = false
  }
}

function watchedWriteHead(
  this: Watched,
  status: number,
  reason?: unknown,
  headers?: unknown,
): ServerResponse {
  const watch = this[watchKey]!
  const writeHead = watch.writeHead as unknown as (this: Watched, ...head: unknown[]) => ServerResponse
  if (this.headersSent) return writeHead.call(this, status, reason, headers)
  // Node takes the third argument for the headers also where the second is there but no text.
  const given = typeof reason === 'string' ? headers : (headers ?? reason)
  const lines = linesAhead(this, watch, given)
  if (lines !== undefined) {
    watch.lines = lines
    try {
      writeHead.call(this, status, reason, headers)
    } finally {
      watch.lines = ''
    }
    watch.watcher.headersMade(given === undefined)
    return this
  }
  const own = ownHeaders(this, given)
  beforeHeaders(watch, own)
  if (own === undefined) writeHead.call(this, status, reason, headers)
  else {
    const all = Array.isArray(given) ? appended(given, own) : own
    if (typeof reason === 'string') writeHead.call(this, status, reason, all)
    else writeHead.call(this, status, all)
  }
  for (let each: Watch | undefined = watch; each !== undefined; each = each.outer)
    each.watcher.headersMade(false)
  return this
}

/**
 * Whether this version of Node makes the head of a response in a way in which text goes behind the status line, and
 * nobody has put a `writeHead` in the place of Node's for all responses.
 */
export function canTakeLines(): boolean {
  if (storeHeaderOfNode === undefined || !String(writeHeadOfNode).includes('this._storeHeader(')) return false
  const probe = new ServerResponse(new IncomingMessage(new Socket()))
  probe.sendDate = false
  const lines = 'HTTP/1.1 200 OK\r\nX-Probe: 1\r\n'
  storeHeaderOfNode.call(probe, lines, { 'X-A': '1' })
  return String(Reflect.get(probe, '_header')).startsWith(`${lines}X-A: 1\r\n`)
}

function watchedStoreHeader(this: Watched, statusLine: string, headers: unknown): void {
  storeHeaderOfNode!.call(this, statusLine + this[watchKey]!.lines, headers)
}

/**
 * Headers of ours as text, where all others were set before, or are in an object that `writeHead` is given: it spares
 * Node to look at ours, and a copy of the object. What `writeHead` is given Node does not keep, so in that case nobody
 * could read ours from the response in any other way either.
 */
function linesAhead(response: Watched, watch: Watch, given: unknown): string | undefined {
  if (watch.outer !== undefined || response._storeHeader !== watchedStoreHeader) return undefined
  if (given === undefined) return watch.watcher.headerLines(undefined)
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return undefined
  if (response.getHeaderNames().length > 0) return undefined
  return watch.watcher.headerLines(given as OwnHeaders)
}

/**
 * A fresh copy of the headers that `writeHead` was given, if they are the only ones: Node takes these as they are,
 * whatever object they are in. One header set before makes it set each of them one by one, which was measured to
 * cost more than all else here, loses names that differ in case only, and throws for a list of pairs.
 */
function ownHeaders(response: ServerResponse, given: unknown): OwnHeaders | undefined {
  if (given === undefined || given === null) return undefined
  if (response.getHeaderNames().length > 0) return undefined
  try {
    if (Array.isArray(given)) return namesIn(given)
    return { ...(given as OwnHeaders | null | undefined) }
  } catch {
    // A getter that throws does so again in Node's hands, which is where the service expects it.
    return undefined
  }
}

/** The names in a list, which is one of pairs, or of names and values in turn; Node refuses one that is neither. */
function namesIn(list: readonly unknown[]): OwnHeaders | undefined {
  const isOfPairs = Array.isArray(list[0])
  if (!isOfPairs && list.length % 2 !== 0) return undefined
  const names = isOfPairs
    ? list.map(pair => Reflect.get(Object(pair), 0))
    : list.filter((_, i) => i % 2 === 0)
  return Object.fromEntries(names.map(name => [name, undefined]))
}

/** A list of headers in the form that it has, with those of ours behind. */
function appended(list: readonly unknown[], own: OwnHeaders): unknown[] {
  const ours = Object.entries(own).filter(([, value]) => value !== undefined)
  return [...list, ...(Array.isArray(list[0]) ? ours : ours.flat())]
}

/** The outermost instance comes first, so that the client gets its request id. */
function beforeHeaders(watch: Watch, own: OwnHeaders | undefined): void {
  if (watch.outer !== undefined) beforeHeaders(watch.outer, own)
  watch.watcher.beforeHeaders(own)
}

function count(response: ServerResponse, watch: Watch, chunk: unknown, encoding: unknown): void {
  if (response.writableEnded || response.destroyed) return
  let bytes = 0
  if (typeof chunk === 'string') {
    bytes = Buffer.byteLength(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8')
  } else if (chunk instanceof Uint8Array) {
    bytes = chunk.byteLength
  }
  for (let each: Watch | undefined = watch; each !== undefined; each = each.outer) each.watcher.wrote(bytes)
}
