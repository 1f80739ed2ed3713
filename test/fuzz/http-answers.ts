import assert from 'node:assert/strict'
import { type Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http'
import type { LedgerErrorCode } from '../../packages/ledger/src/errors.ts'
import { httpStatus } from '../../packages/ledger/src/http/problem.ts'
import { checkLog } from '../../packages/ledger/src/testing/temp-ledger.ts'
import type { TestServer } from '../../packages/ledger/src/testing/temp-server.ts'

/** One request; every byte of path, headers and body is meant as it stands. */
export interface FuzzRequest {
  method: string
  path: string
  headers: Record<string, string>
  body: Buffer
}

/** What came back, whole; of a live tail only its beginning. */
export interface FuzzAnswer {
  status: number
  headers: IncomingHttpHeaders
  body: Buffer
}

/** Sends a request and resolves to its answer; undefined when the connection was cut instead. */
export function send(
  server: TestServer,
  agent: Agent,
  { method, path, headers, body }: FuzzRequest,
): Promise<FuzzAnswer | undefined> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { host: '127.0.0.1', port: server.port, agent, method, path, headers },
      response => {
        // A live tail has no end: that it begins is the answer.
        if (response.headers['content-type']?.startsWith('text/event-stream') === true) {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.alloc(0) })
          request.destroy()
          return
        }
        const pieces: Buffer[] = []
        response.on('data', (piece: Buffer) => pieces.push(piece))
        response.on('error', () => resolve(undefined))
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            body: Buffer.concat(pieces),
          }),
        )
      },
    )
    // Who is refused before the body has come may find the connection closed while still sending.
    request.on('error', (error: NodeJS.ErrnoException) => {
      if (['ECONNRESET', 'EPIPE'].includes(error.code ?? '')) resolve(undefined)
      else
        reject(new Error(`${method} ${path} ${JSON.stringify(headers)}: ${error.message}`, { cause: error }))
    })
    request.end(body)
  })
}

/** Asserts what holds for every answer whatever was asked; returns its JSON, if it is some. */
export function checkAnswer(
  server: TestServer,
  { status, headers, body }: FuzzAnswer,
  isHead = false,
): unknown {
  const text = body.toString('utf8')
  assert.ok(status < 500 || status === 503, `the answer is ${status} ${text.slice(0, 300)}`)
  const isJson = headers['content-type']?.startsWith('application/json') === true
  const value: unknown = isJson && text !== '' ? JSON.parse(text) : undefined
  if (status < 400) return value
  // P30: what is only so now must not be kept by a cache.
  assert.doesNotMatch(String(headers['cache-control'] ?? 'no-store'), /max-age|public|immutable/)
  if (isHead) return undefined
  assert.ok(isJson, `the answer ${status} is no JSON but ${headers['content-type']}: ${text.slice(0, 100)}`)
  const { ok, reason, message, ...more } = value as Record<string, unknown>
  assert.deepEqual([ok, more], [false, {}])
  assert.equal(
    httpStatus(reason as LedgerErrorCode),
    status,
    `the reason ${reason} with the status ${status}`,
  )
  assert.match(String(message), /^.{20,}[.!]$/su)
  assert.ok(String(message).length <= 500, `the message has ${String(message).length} characters`)
  for (const secret of [
    server.folder,
    process.cwd(),
    server.key,
    'node_modules',
    '.ts:',
    'SQLITE',
    '    at ',
  ]) {
    assert.ok(!text.includes(secret), `the answer gives ${secret} away: ${text.slice(0, 300)}`)
  }
  return value
}

/** The events that a call's answer promised to keep: tx_id and hash of the payload. */
export function acknowledged(value: unknown): [txId: string, payloadHash: string][] {
  const { tx_id, payload_hash, results } = (value ?? {}) as Record<string, unknown>
  if (Array.isArray(results)) return results.flatMap(acknowledged)
  return typeof payload_hash === 'string' ? [[String(tx_id), payload_hash]] : []
}

/** After everything: the server answers, had no fault, and the ledger is sound and holds exactly what it promised. */
export async function checkLedger(server: TestServer, promised: ReadonlyMap<string, string>): Promise<void> {
  assert.deepEqual(server.faults, [])
  assert.equal((await server.call('GET', '/__heartbeat__')).status, 200)
  const body = { payload: 'the last one', meta: { type: 'info', event_name: 'a.b', service: 's' } }
  const last = await server.call('POST', '/v1/events', { body })
  assert.equal(last.status, 202)
  const stored = new Map<string, string | null>()
  let cursor: string | null = null
  do {
    const page = server.ledger.search({
      kind: 'event',
      order: 'asc',
      limit: 500,
      ...(cursor === null ? {} : { cursor }),
    })
    for (const event of page.events) stored.set(event.tx_id, event.payload_hash)
    cursor = page.nextCursor
  } while (cursor !== null)
  assert.deepEqual(
    stored,
    new Map<string, string | null>(
      [...promised, ...acknowledged(last.json)].sort(([a], [b]) => (a < b ? -1 : 1)),
    ),
  )
  const report = checkLog(server.folder)
  assert.equal(report.verdict, 'ok', JSON.stringify(report.findings))
}
