// Bytes on a socket that are HTTP, nearly HTTP, or not HTTP at all.

import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { test } from 'node:test'
import { startTestServer, type TestServer } from '../../packages/ledger/src/testing/temp-server.ts'
import { fuzzAsync, requireReached } from './fuzz.ts'
import { acknowledged, checkAnswer, checkLedger, type FuzzAnswer } from './http-answers.ts'
import { mutate } from './mutator.ts'

const meta = '{"type":"info","event_name":"a.b","service":"s"}'

/** Valid requests, each by itself, pipelined, and with bodies in every framing. */
function validRequests(key: string): string[] {
  const head = (line: string, ...more: string[]) =>
    [line, 'host: x', `authorization: Bearer ${key}`, ...more, '', ''].join('\r\n')
  const json = 'content-type: application/json'
  const body = `{"payload":"x","meta":${meta}}`
  const lines = `${body}\n${body}\n`
  const post = head('POST /v1/events HTTP/1.1', json, `content-length: ${body.length}`) + body
  const get = head('GET /v1/events?limit=2 HTTP/1.1', 'accept: */*')
  const half = body.length - 20
  const chunks = `14\r\n${body.slice(0, 20)}\r\n${half.toString(16)};a=b\r\n${body.slice(20)}\r\n0\r\ntrailer: t\r\n\r\n`
  const batch = 'POST /v1/events/batch HTTP/1.1'
  return [
    get,
    post,
    post + post + get,
    head('POST /v1/events HTTP/1.1', json, 'transfer-encoding: chunked') + chunks,
    head(batch, 'content-type: application/x-ndjson', `content-length: ${lines.length}`) + lines,
    head('POST /v1/events HTTP/1.1', json, 'expect: 100-continue', `content-length: ${body.length}`) + body,
    head('GET /ledgers/main/tile/0/000.p/1 HTTP/1.0', 'connection: keep-alive'),
    head('OPTIONS * HTTP/1.1', 'content-length: 0'),
    head('GET http://other.example/v1/events HTTP/1.1', 'host: y', 'x-forwarded-for: 1'),
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  ]
}

/** What makes the server close a connection on which it has answered everything before. */
const goodbye = 'GET /__lbheartbeat__ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n'

/** A socket on which everything was answered and that nobody closes is given up after so many milliseconds. */
const patience = 10_000

/** Sends bytes and resolves to everything that came back until the connection closed. */
function exchange(server: TestServer, bytes: Uint8Array, last: string = goodbye): Promise<Buffer> {
  return new Promise(resolve => {
    const socket = connect(server.port, '127.0.0.1')
    const pieces: Buffer[] = []
    socket.on('data', (piece: Buffer) => pieces.push(piece))
    // A server that closes while we still send resets the connection; what it said before counts.
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(Buffer.concat(pieces)))
    socket.setTimeout(patience, () => socket.destroy())
    socket.write(bytes)
    socket.write(last)
  })
}

/** The answers in what came back, whole ones; the last may have been cut off by the end of the connection. */
function answersIn(received: Buffer): FuzzAnswer[] {
  const answers: FuzzAnswer[] = []
  for (let at = 0; at < received.length; ) {
    const end = received.indexOf('\r\n\r\n', at)
    if (end < 0) break
    const [line = '', ...rest] = received.toString('latin1', at, end).split('\r\n')
    assert.match(line, /^HTTP\/1\.1 [1-5]\d\d [A-Za-z ]+$/)
    const headers = Object.fromEntries(
      rest.map(header => [
        header.slice(0, header.indexOf(':')).toLowerCase(),
        header.slice(header.indexOf(':') + 2),
      ]),
    )
    const status = Number(line.slice(9, 12))
    const length = status < 200 ? 0 : Number(headers['content-length'] ?? 0)
    at = end + 4 + length
    if (status >= 200) answers.push({ status, headers, body: received.subarray(end + 4, at) })
  }
  return answers
}

test('P27 whatever bytes come over a socket: every answer is HTTP in our form, and what was promised is stored', async t => {
  const server = await startTestServer(t, { requestTimeout: 300 })
  const valid = validRequests(server.key).map(text => Buffer.from(text, 'latin1'))
  const promised = new Map<string, string>()
  const take = (received: Buffer): number[] =>
    answersIn(received).map(answer => {
      for (const [txId, hash] of acknowledged(checkAnswer(server, answer))) promised.set(txId, hash)
      return answer.status
    })
  for (const bytes of valid)
    assert.ok(take(await exchange(server, bytes)).length > 0, bytes.toString('latin1'))
  assert.equal(promised.size, 1 + 3 + 1 + 2 + 1 - 1)
  const reached = { 200: 0, 202: 0, 400: 0, 404: 0, 408: 0 }
  await fuzzAsync('raw http', 5, async (random, note) => {
    const sent = Array.from({ length: 48 }, () => mutate(random, random.pick(valid), valid))
    // One that never ends, in its head or in its body: its time runs out.
    const post = valid[1]!
    sent.push(post.subarray(0, 1 + random.below(post.length - 1)))
    const received = await Promise.all(
      sent.map((bytes, i) => exchange(server, bytes, i === sent.length - 1 ? '' : goodbye)),
    )
    for (const [i, bytes] of received.entries()) {
      note(sent[i])
      for (const status of take(bytes)) if (status in reached) reached[status as 200]++
    }
  })
  requireReached(reached)
  t.diagnostic(`answers ${JSON.stringify(reached)}, ${promised.size} events stored`)
  await checkLedger(server, promised)
})
