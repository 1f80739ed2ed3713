import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { checkLog } from '../testing/temp-ledger.ts'
import { startTestServer, type TestServer } from '../testing/temp-server.ts'

const meta = '{"type":"info","event_name":"a.b","service":"s"}'
const good = `{"payload":"x","meta":${meta}}`

/** After whatever was sent: nothing is stored beyond `size`, no fault was ours, and a good event is still taken. */
async function unharmed(server: TestServer, size = 1): Promise<void> {
  assert.equal(server.ledger.head().size, size)
  assert.deepEqual(server.faults, [])
  assert.equal((await server.call('POST', '/v1/events', { body: good })).status, 202)
  assert.equal(checkLog(server.folder).verdict, 'ok')
}

interface Refused {
  title: string
  method?: string
  path?: string
  body?: string | Uint8Array
  headers?: Record<string, string>
  status: number
  reason: string
}

const json = (payload: string, rest = meta) => `{"payload":${payload},"meta":${rest}}`

const refusals: Refused[] = [
  { title: 'no key', headers: { authorization: '' }, body: good, status: 401, reason: 'invalid_api_key' },
  {
    title: 'a wrong key',
    headers: { authorization: `Bearer deed_live_${'x'.repeat(43)}` },
    body: good,
    status: 401,
    reason: 'invalid_api_key',
  },
  {
    title: 'another scheme',
    headers: { authorization: 'Basic dTpw' },
    body: good,
    status: 401,
    reason: 'invalid_api_key',
  },
  { title: 'an empty body', body: '', status: 400, reason: 'malformed_json' },
  { title: 'broken JSON', body: '{"payload":', status: 400, reason: 'malformed_json' },
  { title: 'JSON after JSON', body: `${good}${good}`, status: 400, reason: 'malformed_json' },
  { title: 'an array', body: `[${good}]`, status: 400, reason: 'invalid_event' },
  { title: 'null', body: 'null', status: 400, reason: 'invalid_event' },
  { title: 'a payload that is an object', body: json('{}'), status: 400, reason: 'invalid_payload' },
  { title: 'a payload that is null', body: json('null'), status: 400, reason: 'invalid_payload' },
  { title: 'no payload', body: `{"meta":${meta}}`, status: 400, reason: 'invalid_payload' },
  { title: 'no meta', body: '{"payload":"x"}', status: 400, reason: 'invalid_meta' },
  {
    title: 'a third member',
    body: `{"payload":"x","meta":${meta},"id":1}`,
    status: 400,
    reason: 'invalid_event',
  },
  {
    title: 'a duplicate key in meta',
    body: json('"x"', '{"type":"info","event_name":"a","event_name":"b","service":"s"}'),
    status: 400,
    reason: 'duplicate_key',
  },
  {
    title: 'a duplicate key in the envelope',
    body: `{"payload":"x","payload":"y","meta":${meta}}`,
    status: 400,
    reason: 'duplicate_key',
  },
  {
    title: 'a __proto__ member',
    body: json('"x"', '{"__proto__":{},"type":"info","event_name":"a","service":"s"}'),
    status: 400,
    reason: 'invalid_event',
  },
  { title: 'a lone surrogate in the payload', body: json('"\\ud83d"'), status: 400, reason: 'invalid_text' },
  {
    title: 'a lone surrogate in meta',
    body: json('"x"', '{"type":"info","event_name":"\\udc00","service":"s"}'),
    status: 400,
    reason: 'invalid_text',
  },
  { title: 'U+0000 in the payload', body: json('"a\\u0000b"'), status: 400, reason: 'invalid_text' },
  {
    title: 'U+0000 in meta',
    body: json('"x"', '{"type":"info","event_name":"a\\u0000","service":"s"}'),
    status: 400,
    reason: 'invalid_text',
  },
  {
    title: 'a number that no double holds',
    body: json('"x"', '{"type":"info","event_name":"a","service":"s","n":1e999}'),
    status: 400,
    reason: 'number_not_exact',
  },
  {
    title: 'bytes that are not UTF-8',
    body: Buffer.concat([
      Buffer.from('{"payload":"'),
      Buffer.of(0xc0, 0xaf),
      Buffer.from(`","meta":${meta}}`),
    ]),
    status: 400,
    reason: 'malformed_json',
  },
  {
    title: 'an unknown type',
    body: json('"x"', '{"type":"fatal","event_name":"a","service":"s"}'),
    status: 400,
    reason: 'invalid_meta',
  },
  {
    title: 'a payload one byte too large',
    body: json(`"${'x'.repeat(65_537)}"`),
    status: 413,
    reason: 'payload_too_large',
  },
  {
    title: 'a meta that is too large',
    body: json('"x"', `{"type":"info","event_name":"a","service":"s","note":"${'x'.repeat(16_400)}"}`),
    status: 413,
    reason: 'meta_too_large',
  },
  {
    title: 'a body that is too large',
    body: json(`"${'x'.repeat(520 * 1024)}"`),
    status: 413,
    reason: 'body_too_large',
  },
  {
    title: 'an empty idempotency key',
    body: good,
    headers: { 'idempotency-key': '' },
    status: 400,
    reason: 'invalid_idempotency_key',
  },
  {
    title: 'an idempotency key that is too long',
    body: good,
    headers: { 'idempotency-key': 'k'.repeat(2_049) },
    status: 400,
    reason: 'invalid_idempotency_key',
  },
  {
    title: 'another content type',
    body: good,
    headers: { 'content-type': 'text/plain' },
    status: 415,
    reason: 'unsupported_content_type',
  },
  {
    title: 'an unknown query parameter',
    path: '/v1/events?recipe=1',
    body: good,
    status: 400,
    reason: 'invalid_query',
  },
  { title: 'an unknown route', path: '/v2/events', body: good, status: 404, reason: 'unknown_route' },
  { title: 'another method', method: 'PUT', body: good, status: 405, reason: 'method_not_allowed' },
  {
    title: 'an event that is not there',
    method: 'GET',
    path: '/v1/events/tx_zzzzzzzzzzzzzzzzzzzzzzzz',
    status: 404,
    reason: 'unknown_event',
  },
  {
    title: 'an id that is none',
    method: 'GET',
    path: '/v1/events/..%2F..%2Fetc',
    status: 404,
    reason: 'unknown_event',
  },
]

for (const refused of refusals) {
  test(`bad input: ${refused.title} is answered ${refused.status} ${refused.reason}`, async t => {
    const server = await startTestServer(t)
    const { method = 'POST', path = '/v1/events', body, headers } = refused
    const answer = await server.call(method, path, {
      ...(body === undefined ? {} : { body }),
      ...(headers === undefined ? {} : { headers }),
    })
    assert.deepEqual(
      [answer.status, answer.json.ok, answer.json.reason],
      [refused.status, false, refused.reason],
    )
    assert.match(String(answer.json.message), /^.{20,}[.!]$/s)
    assert.deepEqual(Object.keys(answer.json), ['ok', 'reason', 'message'])
    assert.doesNotMatch(answer.text, /\bat .*:\d+:\d+|node_modules|\.ts\b/)
    await unharmed(server)
  })
}

/** Sends raw bytes and resolves to everything that came back until the socket closed. */
async function raw(server: TestServer, ...pieces: (string | Uint8Array)[]): Promise<string> {
  const socket = connect(server.port, '127.0.0.1')
  await once(socket, 'connect')
  const answer = received(socket)
  for (const piece of pieces) socket.write(piece)
  return answer
}

function received(socket: Socket): Promise<string> {
  let text = ''
  socket.on('data', data => {
    text += data.toString('latin1')
  })
  // A server that closes while we still send resets the connection; what it said before counts.
  socket.on('error', () => undefined)
  return new Promise(resolve => socket.on('close', () => resolve(text)))
}

test('bad input: what is not HTTP, too large a header and an impossible URL are answered on the socket', async t => {
  const server = await startTestServer(t)
  const auth = `authorization: Bearer ${server.key}\r\n`
  const table: [string, RegExp, string][] = [
    ['GARBAGE\r\n\r\n', /^HTTP\/1\.1 400 /, 'malformed_request'],
    ['\x16\x03\x01\x02\x00\x01\x00', /^HTTP\/1\.1 400 /, 'malformed_request'],
    [`GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`, /^HTTP\/1\.1 431 /, 'header_too_large'],
    [`GET /%c0%ae HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`, /^HTTP\/1\.1 400 /, 'malformed_request'],
    [
      `POST /v1/events HTTP/1.1\r\nhost: x\r\n${auth}content-type: application/json\r\ncontent-length: abc\r\n\r\n`,
      /^HTTP\/1\.1 400 /,
      'malformed_request',
    ],
    [
      `POST /v1/events HTTP/1.1\r\nhost: x\r\n${auth}content-type: application/json\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n`,
      /^HTTP\/1\.1 400 /,
      'malformed_request',
    ],
    [
      `POST /v1/events HTTP/1.1\r\nhost: x\r\n${auth}content-type: application/json\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n`,
      /^HTTP\/1\.1 400 /,
      'malformed_request',
    ],
  ]
  for (const [bytes, status, reason] of table) {
    const answer = await raw(server, bytes)
    assert.match(answer, status, JSON.stringify(bytes.slice(0, 60)))
    assert.match(answer, new RegExp(`"reason":"${reason}"`))
  }
  await unharmed(server)
})

test('bad input: a client that never finishes its request is answered 408 or cut off, and stores nothing', async t => {
  const server = await startTestServer(t, { requestTimeout: 300 })
  const auth = `authorization: Bearer ${server.key}\r\n`
  const slowBody = await raw(
    server,
    `POST /v1/events HTTP/1.1\r\nhost: x\r\n${auth}content-type: application/json\r\ncontent-length: 100\r\n\r\n{"payload":`,
  )
  assert.match(slowBody, /^HTTP\/1\.1 408 .*"reason":"request_timeout"/s)
  const slowHeader = await raw(server, 'POST /v1/events HTTP/1.1\r\nhost:')
  assert.match(slowHeader, /^HTTP\/1\.1 408 .*"reason":"request_timeout"/s)
  await unharmed(server)
})

test('bad input: a client that leaves in the middle of its body stores nothing', async t => {
  const server = await startTestServer(t)
  const socket = connect(server.port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(
    `POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${server.key}\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"payload":"x"`,
  )
  socket.destroy()
  await once(socket, 'close')
  await unharmed(server)
})

test('bad input: more bytes under way than the cap are answered 503 with Retry-After', async t => {
  const server = await startTestServer(t, { maxBytesInFlight: 1_000 })
  const socket = connect(server.port, '127.0.0.1')
  await once(socket, 'connect')
  const head = `POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${server.key}\r\ncontent-type: application/json\r\nconnection: close\r\n`
  const body = `{"payload":"${'x'.repeat(800)}","meta":${meta}}`
  // The first client declares 860 bytes and holds on to them; the continue line says that the server counts them.
  socket.write(`${head}content-length: ${body.length}\r\nexpect: 100-continue\r\n\r\n`)
  await once(socket, 'data')
  const refused = await server.call('POST', '/v1/events', { body })
  assert.deepEqual([refused.status, refused.json.reason], [503, 'overloaded'])
  assert.equal(refused.headers.get('retry-after'), '1')
  const answer = received(socket)
  socket.write(body)
  assert.match(await answer, /202 Accepted/)
  await unharmed(server, 2)
})
