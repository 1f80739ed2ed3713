import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { toldMessage } from 'deedbox/event-rules'
import { LedgerError } from '../errors.ts'
import { httpStatus, problemOf } from '../http/index.ts'
import { Arrival } from './arrival.ts'
import { type MovePlaces, sameToken, tokenHash } from './install.ts'
import { type MoveStatus, manifestBytes, pieceBytes } from './wire.ts'

/** Where a server listens that awaits a ledger, and who may bring it. */
export interface AwaitMoveOptions {
  places: MovePlaces
  host: string
  port: number
  token: string
  /** Told the port once it listens. */
  onListening: (port: number) => void
  /** Told what a call failed with, where its answer does not say all of it. */
  onFault: (error: unknown) => void
  /** Stops waiting. */
  signal: AbortSignal
}

const second = 1_000

/**
 * Listens until a ledger has arrived and is installed. Everything but the move is answered 503.
 *
 * @returns the port at which it listened; undefined when it was told to stop before
 * @throws what listening fails with
 */
export async function awaitMove(options: AwaitMoveOptions): Promise<number | undefined> {
  const arrival = new Arrival(options.places)
  const over = Promise.withResolvers<boolean>()
  const hash = tokenHash(options.token)
  const server = createServer(
    { maxHeaderSize: 16 * 1024, headersTimeout: 10 * second, requestTimeout: 120 * second },
    (request, response) => {
      answer(arrival, hash, request).then(
        status => {
          if (status.state === 'installed') {
            // Who asked may be gone by now; the ledger is here all the same.
            if (response.destroyed) over.resolve(true)
            response.once('close', () => over.resolve(true))
            response.setHeader('connection', 'close')
          }
          send(response, 200, { ok: true, ...status })
        },
        error => refuse(response, error, options.onFault),
      )
    },
  )
  server.timeout = 60 * second
  server.maxConnections = 64
  server.listen(options.port, options.host)
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  options.onListening(port)
  options.signal.addEventListener('abort', () => over.resolve(false), { once: true })
  const installed = await over.promise
  await closed(server)
  await arrival.close()
  // It may have been installed while it was told to stop; then it is there, and the next start serves it.
  return installed ? port : undefined
}

async function closed(server: Server): Promise<void> {
  const gone = once(server, 'close')
  server.close()
  const late = setTimeout(() => server.closeAllConnections(), 2 * second)
  await gone
  clearTimeout(late)
}

async function answer(arrival: Arrival, hash: string, request: IncomingMessage): Promise<MoveStatus> {
  const { pathname, searchParams } = new URL(request.url ?? '/', 'http://ledger')
  const [, version, move, moveId, ...rest] = pathname.split('/')
  if (version !== 'v1' || move !== 'move' || rest.length > 0) {
    throw new LedgerError(
      'awaiting_move',
      'This server holds no ledger yet: it waits for one that "deedbox move" brings. Send again later.',
    )
  }
  checkToken(request, hash)
  if (moveId === undefined && request.method === 'GET') return arrival.status
  if (moveId === undefined || !/^[0-9a-f-]{36}$/.test(moveId)) {
    throw new LedgerError('unknown_route', 'There is no such call of a move.')
  }
  switch (request.method) {
    case 'PUT':
      return arrival.begin(moveId, await bodyOf(request, manifestBytes))
    case 'PATCH':
      return arrival.take(
        moveId,
        Number(searchParams.get('offset')),
        searchParams.get('sha256') ?? '',
        await bodyOf(request, pieceBytes),
      )
    case 'POST':
      return searchParams.get('do') === 'install'
        ? arrival.install(moveId, hash, searchParams.get('server') ?? '')
        : arrival.check(moveId)
    case 'DELETE':
      return arrival.cancel(moveId)
    default:
      throw new LedgerError('method_not_allowed', 'A move takes PUT, PATCH, POST and DELETE.')
  }
}

function checkToken({ headers }: IncomingMessage, hash: string): void {
  const token = /^Bearer (\S+)$/i.exec(headers.authorization ?? '')?.[1]
  if (token !== undefined && sameToken(token, hash)) return
  throw new LedgerError('invalid_move_token', 'This is not the token of the server that awaits a ledger.')
}

/** At most `most` bytes; a body that is cut off is none. */
async function bodyOf(request: IncomingMessage, most: number): Promise<Buffer> {
  if (Number(request.headers['content-length'] ?? Number.NaN) > most) throw tooLarge()
  const pieces: Buffer[] = []
  let length = 0
  for await (const piece of request as AsyncIterable<Buffer>) {
    length += piece.length
    if (length > most) throw tooLarge()
    pieces.push(piece)
  }
  return Buffer.concat(pieces)
}

function tooLarge(): LedgerError {
  return new LedgerError('body_too_large', 'The body is too large for this call of a move.')
}

function refuse(response: ServerResponse, error: unknown, onFault: (error: unknown) => void): void {
  if (!(error instanceof LedgerError) || error.cause !== undefined) onFault(error)
  // The rest of the body, if there is one, is read by nobody.
  response.setHeader('connection', 'close')
  if (error instanceof LedgerError) {
    const status = httpStatus(error.code)
    if (error.code === 'awaiting_move') response.setHeader('retry-after', '5')
    if (status === 401) response.setHeader('www-authenticate', 'Bearer')
    const body = { ok: false, reason: error.code, message: toldMessage(error.message) }
    send(response, status === 500 ? 422 : status, body)
    return
  }
  const isFull = (error as NodeJS.ErrnoException | null)?.code === 'ENOSPC'
  const known = isFull ? new LedgerError('storage_full', 'The disk of the server is full.') : error
  const { status, body } = problemOf(known)
  send(response, status, body)
}

function send(response: ServerResponse, status: number, body: object): void {
  if (response.destroyed) return
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  })
  response.end(JSON.stringify(body))
}
