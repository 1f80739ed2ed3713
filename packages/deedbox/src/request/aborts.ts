import type { IncomingMessage, ServerResponse } from 'node:http'

/** Codes and names that streams, sockets and body parsers give to "the other side is gone". */
const goneCodes = new Set([
  'ABORT_ERR',
  'ECONNABORTED',
  'ECONNRESET',
  'EPIPE',
  'ERR_HTTP2_SESSION_ERROR',
  'ERR_HTTP2_STREAM_ERROR',
  'ERR_HTTP_REQUEST_ABORTED',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_PREMATURE_CLOSE',
])

/** Whether an error can be what code sees when its client leaves, rather than a failure of its own. */
export function looksLikeAbort(thrown: unknown): boolean {
  if (typeof thrown !== 'object' || thrown === null) return false
  try {
    const code: unknown = Reflect.get(thrown, 'code')
    return (typeof code === 'string' && goneCodes.has(code)) || Reflect.get(thrown, 'name') === 'AbortError'
  } catch {
    return false
  }
}

/** Whether the connection of an exchange is gone already. */
export function isConnectionGone(request: IncomingMessage, response: ServerResponse): boolean {
  return request.aborted || response.destroyed || request.socket?.destroyed === true
}

/** The error with which the service destroyed a response; HTTP/2 keeps it at the response's stream. */
export function destroyedWith(response: ServerResponse): unknown {
  const { errored: own, stream } = response as ServerResponse & {
    readonly errored?: unknown
    readonly stream?: { readonly errored?: unknown } | null
  }
  const errored = own ?? stream?.errored ?? null
  return errored === null || looksLikeAbort(errored) ? undefined : errored
}
