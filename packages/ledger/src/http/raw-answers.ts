import type { Socket } from 'node:net'
import type { Problem } from './problem.ts'

/**
 * Answers a request that never became one (broken syntax, too large a header, too slow), straight on the socket,
 * in the same form as every other refusal, and closes it.
 */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const { line, body } = answerTo(error.code)
  const text = JSON.stringify(body)
  socket.end(
    `HTTP/1.1 ${line}\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`,
  )
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
