import {
  type ClientRequest,
  type Agent as HttpAgent,
  request as httpRequest,
  type IncomingMessage,
} from 'node:http'
import { request as httpsRequest } from 'node:https'
import { urlToHttpOptions } from 'node:url'
import { readRetryAfter } from '../audit/index.ts'

/** What a server made of a post. */
export interface HttpAnswer {
  readonly status: number
  /** The beginning of what it said. */
  readonly text: string
  /** Milliseconds after which it wants to be asked again. */
  readonly retryAfter: number | undefined
}

/** Characters of an answer that are kept. */
const longestText = 2_000
/** Bytes of an answer that are read; the connection of one that goes on is given up. */
const mostBytes = 256 * 1_024

/**
 * Posts once, on a connection that is kept. Redirects are not followed. Resolves once the answer is at its end, or is known as
 * far as it goes.
 * @throws Error where there was no answer
 */
export async function post(
  target: { readonly url: URL; readonly agent: HttpAgent; readonly timeout: number },
  headers: Readonly<Record<string, string>>,
  body: string,
): Promise<HttpAnswer> {
  const send = (): Sent => sent(target, headers, body)
  const first = send()
  try {
    return await first.answer
  } catch (error) {
    // The server may have closed an idle connection at the very moment in which it was used again.
    if (first.request.reusedSocket && isReset(error)) return send().answer
    throw error
  }
}

interface Sent {
  readonly request: ClientRequest
  readonly answer: Promise<HttpAnswer>
}

function sent({ url, agent, timeout }: Parameters<typeof post>[0], headers: object, body: string): Sent {
  const request = (url.protocol === 'https:' ? httpsRequest : httpRequest)({
    ...urlToHttpOptions(url),
    method: 'POST',
    agent,
    headers: { ...headers },
  })
  const answer = new Promise<HttpAnswer>((resolve, reject) => {
    let response: IncomingMessage | undefined
    const timer = setTimeout(() => request.destroy(new Error(`no answer within ${timeout} ms`)), timeout)
    request.on('response', received => {
      response = received
      read(received, resolve)
    })
    // With an answer it is known what became of the post, whatever becomes of the connection.
    request.on('error', error => {
      if (response === undefined) reject(error)
    })
    request.on('close', () => {
      clearTimeout(timer)
      if (response === undefined) reject(new Error('the connection was closed'))
    })
  })
  request.end(body)
  return { request, answer }
}

function read(response: IncomingMessage, resolve: (answer: HttpAnswer) => void): void {
  let text = ''
  let bytes = 0
  response.setEncoding('utf8')
  response.on('data', (chunk: string) => {
    text += chunk.slice(0, longestText - text.length)
    bytes += Buffer.byteLength(chunk)
    if (bytes > mostBytes) response.destroy()
  })
  response.on('error', () => {})
  response.on('close', () => {
    const retryAfter = readRetryAfter(response.headers['retry-after'] ?? null, Date.now())
    resolve({ status: response.statusCode ?? 0, text, retryAfter })
  })
}

function isReset(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ['ECONNRESET', 'EPIPE'].includes(String(error.code))
}
