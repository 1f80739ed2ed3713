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

/**
 * Has a watcher told when a response's headers are made and how much body is written. It wraps `write`, `end` and
 * `writeHead`: socket counters would include headers and chunk framing, and mix pipelined responses.
 */
export function watchResponse(response: ServerResponse, watcher: ResponseWatcher): void {
  const { write, end, writeHead } = response
  // HTTP/2 responses pass the last chunk of end() on to write(); HTTP/1 responses do not.
  let ending = false
  const count = (chunk: unknown, encoding: unknown): void => {
    if (ending || response.writableEnded) return
    if (typeof chunk === 'string') {
      watcher.wrote(
        Buffer.byteLength(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8'),
      )
    } else if (chunk instanceof Uint8Array) {
      watcher.wrote(chunk.byteLength)
    }
  }
  // The types of these three methods are overloads that no single function has; the arguments pass unchanged.
  response.write = function (this: ServerResponse, chunk: unknown, encoding?: never, callback?: never) {
    count(chunk, encoding)
    return write.call(this, chunk, encoding as never, callback)
  } as typeof write
  response.end = function (this: ServerResponse, chunk?: unknown, encoding?: never, callback?: never) {
    count(chunk, encoding)
    ending = true
    try {
      return end.call(this, chunk, encoding as never, callback)
    } finally {
      ending = false
    }
  } as typeof end
  response.writeHead = function (this: ServerResponse, ...head: Parameters<typeof writeHead>) {
    if (response.headersSent) return writeHead.apply(this, head)
    watcher.beforeHeaders()
    writeHead.apply(this, head)
    watcher.headersMade()
    return this
  } as typeof writeHead
}
