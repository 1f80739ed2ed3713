import type { ServerResponse } from 'node:http'

/**
 * Counts the bytes of a response body and tells when its headers are made. It wraps `write`, `end` and
 * `writeHead`: socket counters would include headers and chunk framing, and mix pipelined responses.
 */
export class ResponseWatch {
  readonly #response: ServerResponse
  #bytes = 0
  #ending = false

  /**
   * @param atHeaders called just before the headers are made, while they can still be changed
   * @param headersMade called once they are
   */
  constructor(response: ServerResponse, atHeaders: () => void, headersMade: () => void) {
    this.#response = response
    const { write, end, writeHead } = response
    response.write = ((chunk: unknown, encoding?: unknown, callback?: unknown) => {
      this.#count(chunk, encoding)
      return Reflect.apply(write, response, [chunk, encoding, callback])
    }) as typeof write
    response.end = ((chunk?: unknown, encoding?: unknown, callback?: unknown) => {
      this.#count(chunk, encoding)
      // HTTP/2 responses pass the last chunk on to write(); HTTP/1 responses do not.
      this.#ending = true
      try {
        return Reflect.apply(end, response, [chunk, encoding, callback])
      } finally {
        this.#ending = false
      }
    }) as typeof end
    response.writeHead = ((...head: unknown[]) => {
      if (response.headersSent) return Reflect.apply(writeHead, response, head)
      atHeaders()
      const result: unknown = Reflect.apply(writeHead, response, head)
      headersMade()
      return result
    }) as typeof writeHead
  }

  /** Bytes handed over as body, none where HTTP allows none (RFC 9110 §6.4.1). */
  bodyLength(method: string): number {
    const status = this.#response.statusCode
    const bodiless = method === 'HEAD' || status === 204 || status === 304
    return bodiless ? 0 : this.#bytes
  }

  #count(chunk: unknown, encoding: unknown): void {
    if (this.#ending || this.#response.writableEnded) return
    if (typeof chunk === 'string') {
      this.#bytes += Buffer.byteLength(
        chunk,
        typeof encoding === 'string' ? (encoding as BufferEncoding) : 'utf8',
      )
    } else if (chunk instanceof Uint8Array) {
      this.#bytes += chunk.byteLength
    }
  }
}
