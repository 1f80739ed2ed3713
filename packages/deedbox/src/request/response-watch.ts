import type { ServerResponse } from 'node:http'

/** Who is told about a response as it is made. */
export interface ResponseWatcher {
  /** Called before the headers are made, while they can still be changed. */
  beforeHeaders(): void
  /** Called once they are made. */
  headersMade(): void
  /** Called with the size of each piece of the body that the service hands over, in bytes. */
  wrote(bytes: number): void
}

/** What a watched response carries; the watchers of several instances form a chain. */
interface Watch {
  readonly write: ServerResponse['write']
  readonly end: ServerResponse['end']
  readonly writeHead: ServerResponse['writeHead']
  readonly watcher: ResponseWatcher
  readonly outer: Watch | undefined
  /** HTTP/2 responses pass the last chunk of end() on to write(); HTTP/1 responses do not. */
  ending: boolean
}

const watchKey: unique symbol = Symbol('deedbox.watch') as never

interface Watched extends ServerResponse {
  [watchKey]?: Watch
}

/**
 * Has a watcher told when a response's headers are made and how much body is written. It wraps `write`, `end` and
 * `writeHead`: socket counters would include headers and chunk framing, and mix pipelined responses. Like
 * {@link bindEmitter}, it gives all responses the same functions.
 */
export function watchResponse(response: ServerResponse, watcher: ResponseWatcher): void {
  const watched: Watched = response
  const outer = watched[watchKey]
  const { write, end, writeHead } = outer ?? response
  watched[watchKey] = { write, end, writeHead, watcher, outer, ending: false }
  if (outer !== undefined) return
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

function watchedWriteHead(this: Watched, ...head: Parameters<ServerResponse['writeHead']>): ServerResponse {
  const watch = this[watchKey]!
  if (this.headersSent) return watch.writeHead.apply(this, head)
  beforeHeaders(watch)
  watch.writeHead.apply(this, head)
  for (let each: Watch | undefined = watch; each !== undefined; each = each.outer) each.watcher.headersMade()
  return this
}

/** The outermost instance comes first, so that the client gets its request id. */
function beforeHeaders(watch: Watch): void {
  if (watch.outer !== undefined) beforeHeaders(watch.outer)
  watch.watcher.beforeHeaders()
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
