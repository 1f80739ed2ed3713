import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Problem } from './problem.ts'

/** How long a client may take to read a refusal before it is cut off, in milliseconds. */
const lastWords = 1_000

/**
 * Answers a request that never became one (broken syntax, too large a header, too slow), straight on the socket,
 * in the same form as every other refusal, and closes it for good: who sends rubbish may also never hang up.
 */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  const current = responseOn(socket)
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  if (current?.req.complete === true) {
    // The rubbish came after whole requests. They get their own answers, and nothing gets another's.
    destroyWhenAnswered(socket, current)
    return
  }
  if (current?.headersSent === true) {
    socket.destroy()
    return
  }
  const { line, body } = answerTo(error.code)
  const text = JSON.stringify(body)
  socket.end(
    `HTTP/1.1 ${line}\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`,
    () => socket.destroy(),
  )
  setTimeout(() => socket.destroy(), lastWords).unref()
}

/** Several requests may have come whole before the rubbish: each may be stored already, and its answer is due. */
function destroyWhenAnswered(socket: Socket, current: ServerResponse): void {
  current.once('close', () => {
    const next = responseOn(socket)
    if (next !== undefined && next !== current && next.req.complete) destroyWhenAnswered(socket, next)
    else socket.destroy()
  })
}

/** The response that Node is waiting for on this socket; Node's own `clientError` handling looks at the same place. */
function responseOn(socket: Socket): ServerResponse | undefined {
  return (Reflect.get(socket, '_httpMessage') as ServerResponse | null | undefined) ?? undefined
}

function answerTo(code: string | undefined): { line: string; body: Problem } {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return {
        line: '431 Request Header Fields Too Large',
        body: {
          ok: false,
          reason: 'header_too_large',
          message: 'The headers are larger than 16 KiB. Send less.',
        },
      }
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return {
        line: '408 Request Timeout',
        body: {
          ok: false,
          reason: 'request_timeout',
          message: 'The request did not arrive in time. Send it again.',
        },
      }
    default:
      return {
        line: '400 Bad Request',
        body: { ok: false, reason: 'malformed_request', message: 'The request is not valid HTTP/1.1.' },
      }
  }
}
