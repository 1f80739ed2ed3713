import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { toldMessage } from '../event-rules/index.ts'

/** An answer of the ledger in memory. */
export interface HttpAnswer {
  readonly status: number
  readonly body: object
  readonly headers?: Readonly<Record<string, string>>
}

/** A refusal on its way to an answer. */
export class Problem extends Error {
  readonly status: number
  readonly reason: string
  readonly headers: Readonly<Record<string, string>>

  constructor(
    status: number,
    reason: string,
    message: string,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(message)
    this.status = status
    this.reason = reason
    this.headers = headers
  }

  answer(): HttpAnswer {
    const body = { ok: false, reason: this.reason, message: toldMessage(this.message) }
    return { status: this.status, body, headers: { 'cache-control': 'no-store', ...this.headers } }
  }
}

/** A request whose head passed: what it is for, and its body. */
export interface TakenRequest {
  readonly path: string
  readonly query: string
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

/** One call: its body is read up to the limit before `answer` is asked. */
export interface Route {
  readonly method: string
  readonly path: RegExp
  /** The most bytes of its body; none: it has no body. */
  readonly bodyLimit?: number
  /** 'cut': the connection dies without an answer. */
  readonly answer: (request: TakenRequest) => Promise<HttpAnswer | 'cut'>
}

/** The HTTP side of the ledger in memory: it refuses in the order of the ledger's server, and in its words. */
export class MemoryServer {
  readonly #routes: readonly Route[]
  readonly #apiKey: string
  readonly #server: Server

  constructor(routes: readonly Route[], apiKey: string) {
    this.#routes = routes
    this.#apiKey = apiKey
    this.#server = createServer({ requireHostHeader: false }, (request, response) => {
      void this.#serve(request, response)
    })
    this.#server.on('clientError', answerClientError)
    // Expectations other than 100-continue are not minded, as the ledger's server does not.
    this.#server.on('checkExpectation', (request, response) =>
      this.#server.emit('request', request, response),
    )
  }

  /** Listens on a free port of the loopback interface and tells the URL. A process ends in spite of it. */
  async listen(): Promise<string> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    this.#server.unref()
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader('x-content-type-options', 'nosniff')
    try {
      const answer = await this.#answer(request)
      if (answer === 'cut') request.socket.destroy()
      else send(response, answer)
    } catch (error) {
      // A client that left in the middle of its body hears nothing any more.
      if (response.destroyed) return
      const problem =
        error instanceof Problem
          ? error
          : new Problem(500, 'internal_error', 'The ledger failed on this request. Its log says why.')
      // The rest of a body that nobody will read: better no connection than one that waits for it.
      if (!request.complete) response.setHeader('connection', 'close')
      send(response, problem.answer())
    }
  }

  async #answer(request: IncomingMessage): Promise<HttpAnswer | 'cut'> {
    const [path = '', query = ''] = (request.url ?? '').split('?', 2)
    const onPath = this.#routes.filter(route => route.path.test(path))
    const route = onPath.find(({ method }) => method === request.method)
    if (route === undefined) throw noRoute(onPath)
    this.#authenticate(request)
    const body = route.bodyLimit === undefined ? Buffer.alloc(0) : await readBody(request, route.bodyLimit)
    return route.answer({ path, query, headers: request.headers, body })
  }

  #authenticate({ headers: { authorization } }: IncomingMessage): void {
    const headers = { 'www-authenticate': 'Bearer' }
    if (authorization === undefined) {
      const message = 'Send your API key in the header "Authorization: Bearer …".'
      throw new Problem(401, 'missing_api_key', message, headers)
    }
    if (/^Bearer +(\S+)$/i.exec(authorization)?.[1] === this.#apiKey) return
    const message = 'This API key is not valid here. Check the key and the address.'
    throw new Problem(401, 'invalid_api_key', message, headers)
  }
}

function noRoute(onPath: readonly Route[]): Problem {
  const allowed = [...new Set(onPath.map(({ method }) => method))].join(', ')
  return allowed === ''
    ? new Problem(404, 'unknown_route', 'There is no such call. GET /v1/openapi.json lists them all.')
    : new Problem(405, 'method_not_allowed', `This path takes ${allowed} only.`, { allow: allowed })
}

async function readBody(request: IncomingMessage, limit: number): Promise<Buffer> {
  const {
    'content-encoding': encoding = 'identity',
    'content-type': type,
    'content-length': length,
  } = request.headers
  if (encoding !== 'identity')
    throw unsupported(`Bodies are taken as they are; "${encoding}" is not unpacked.`)
  const hasBody = request.headers['transfer-encoding'] !== undefined || Number(length ?? 0) > 0
  const isKnown = type !== undefined && /^application\/(json|x-ndjson)\s*(;|$)/i.test(type)
  if (!isKnown && (hasBody || type !== undefined))
    throw unsupported('Send "Content-Type: application/json", or "application/x-ndjson" to the batch call.')
  const tooLarge = () =>
    new Problem(413, 'body_too_large', 'The body is too large for this call. Send fewer or smaller events.')
  if (Number(length ?? 0) > limit) throw tooLarge()
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    bytes += (chunk as Buffer).length
    if (bytes > limit) throw tooLarge()
    chunks.push(chunk as Buffer)
  }
  return Buffer.concat(chunks)
}

function unsupported(message: string): Problem {
  return new Problem(415, 'unsupported_content_type', message)
}

function send(response: ServerResponse, { status, body, headers }: HttpAnswer): void {
  const text = JSON.stringify(body)
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    ...headers,
  })
  response.end(text)
}

function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const [line, reason, message] =
    error.code === 'HPE_HEADER_OVERFLOW'
      ? [
          '431 Request Header Fields Too Large',
          'header_too_large',
          'The headers are larger than 16 KiB. Send less.',
        ]
      : ['400 Bad Request', 'malformed_request', 'The request is not valid HTTP/1.1.']
  const text = JSON.stringify({ ok: false, reason, message })
  socket.end(
    `HTTP/1.1 ${line}\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(text)}\r\nConnection: close\r\n\r\n${text}`,
    () => socket.destroy(),
  )
}
