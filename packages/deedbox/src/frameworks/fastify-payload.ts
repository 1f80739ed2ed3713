import { errorMonitor } from 'node:events'
import type { RequestScope } from '../request/index.ts'

/**
 * Tells a scope the error of a response body that is a stream, without being the one who handles it. What is a
 * stream is decided by its form, as Fastify does, because a service may bring its own `Response` or stream.
 */
export function watchPayload(payload: unknown, scope: RequestScope): void {
  if (typeof payload !== 'object' || payload === null || payload instanceof Uint8Array) return
  const isResponse = Object.prototype.toString.call(payload) === '[object Response]'
  const body: unknown = isResponse ? Reflect.get(payload, 'body') : payload
  if (typeof body !== 'object' || body === null) return
  if ('getReader' in body) {
    watchWebStream(body as ReadableStream, scope)
  } else if ('pipe' in body && 'on' in body && typeof body.on === 'function') {
    body.on(errorMonitor, (error: unknown) => scope.fail(error))
  }
}

function watchWebStream(stream: ReadableStream, scope: RequestScope): void {
  const getReader = stream.getReader as (...options: unknown[]) => ReadableStreamDefaultReader
  stream.getReader = function (this: ReadableStream, ...options: unknown[]) {
    const reader = getReader.apply(this, options)
    // Releasing the stream rejects as well, and is no error.
    reader.closed.catch(error => {
      if (stream.locked) scope.fail(error)
    })
    return reader
  } as typeof stream.getReader
}
