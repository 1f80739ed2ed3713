import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { type Answer, startTestServer, type TestServer } from '../testing/temp-server.ts'

const meta = { type: 'info', event_name: 'a.b', service: 's' }

async function open(server: TestServer): Promise<Socket & { received: () => string }> {
  const socket = connect(server.port, '127.0.0.1')
  let text = ''
  socket.on('data', data => {
    text += data.toString('latin1')
  })
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return Object.assign(socket, { received: () => text })
}

/** A request whose body never comes. */
const stalled = (path: string, headers = '') =>
  `POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 524288\r\n${headers}\r\n`

test('strangers that hold bodies back use nothing up: writes go on, and the sockets are closed', async t => {
  const server = await startTestServer(t, { maxBytesInFlight: 1024 * 1024 })
  const strangers = await Promise.all(Array.from({ length: 40 }, () => open(server)))
  for (const [i, socket] of strangers.entries()) socket.write(stalled(i % 2 === 0 ? '/nope' : '/v1/events'))
  await Promise.all(strangers.map(socket => (socket.closed ? undefined : once(socket, 'close'))))
  for (const [i, socket] of strangers.entries()) {
    assert.match(
      socket.received(),
      i % 2 === 0 ? /404 Not Found[\s\S]*unknown_route/ : /401 Unauthorized[\s\S]*missing_api_key/,
    )
  }
  assert.equal((await server.call('POST', '/v1/events', { body: { payload: 'x', meta } })).status, 202)
})

test('who sends rubbish and never hangs up is hung up on', async t => {
  const server = await startTestServer(t)
  const socket = await open(server)
  // Half-open on purpose: this client does not close when the server does.
  socket.allowHalfOpen = true
  socket.write('GARBAGE\r\n\r\n')
  await once(socket, 'end')
  assert.match(socket.received(), /400 Bad Request[\s\S]*malformed_request/)
  await server.hungUp()
  socket.destroy()
})

test('the budget for bodies is given back when a writer that holds its body back runs out of time', async t => {
  const server = await startTestServer(t, { maxBytesInFlight: 600_000, requestTimeout: 400 })
  const socket = await open(server)
  socket.write(stalled('/v1/events', `authorization: Bearer ${server.key}\r\nexpect: 100-continue\r\n`))
  await once(socket, 'data')
  const body = { payload: 'x'.repeat(60_000), meta }
  const batch = Array.from({ length: 2 }, () => body)
  assert.equal((await server.call('POST', '/v1/events/batch', { body: batch })).status, 503)
  await once(socket, 'close')
  assert.match(socket.received(), /408 Request Timeout/)
  assert.equal((await server.call('POST', '/v1/events/batch', { body: batch })).status, 200)
})

for (const [title, rubbish] of [
  ['rubbish', 'GARBAGE\r\n\r\n'],
  ['a request that never ends', 'POST /v1/events HTTP/1.1\r\nhost:'],
] as const) {
  test(`${title} behind whole requests does not take their answers away`, async t => {
    const server = await startTestServer(t, { requestTimeout: 200 })
    const socket = await open(server)
    const body = JSON.stringify({ payload: 'x', meta })
    const request = `POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${server.key}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`
    socket.write(`${request}${request}${request}${rubbish}`)
    await once(socket, 'close')
    assert.equal(socket.received().match(/HTTP\/1\.1 202 Accepted/g)?.length, 3)
    assert.equal(server.ledger.head().size, 4)
  })
}

test('what comes behind a request that was refused with "close" is not stored', async t => {
  const server = await startTestServer(t)
  const socket = await open(server)
  const body = JSON.stringify({ payload: 'x', meta })
  const request = (type: string) =>
    `POST /v1/events HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${server.key}\r\ncontent-type: ${type}\r\ncontent-length: ${body.length}\r\n\r\n${body}`
  socket.write(`${request('text/plain')}${request('application/json')}`)
  await once(socket, 'close')
  assert.match(socket.received(), /^HTTP\/1\.1 415 .*connection: close/s)
  assert.doesNotMatch(socket.received(), / 202 /)
  assert.equal((await server.call('POST', '/v1/events', { body: { payload: 'y', meta } })).status, 202)
  assert.equal(server.ledger.head().size, 2)
})

test('a refusal repeats no more than a sentence of what it refuses', async t => {
  const server = await startTestServer(t)
  const body = JSON.stringify({ payload: 'x', meta, ['n\u{1f600}'.repeat(50_000)]: 1 })
  const single = await server.call('POST', '/v1/events', { body })
  assert.deepEqual([single.status, single.json.reason], [400, 'invalid_event'])
  const batch = await server.call('POST', '/v1/events/batch', { body: `[${body}]` })
  const query = await server.call('GET', `/v1/events?${'q'.repeat(9_000)}=1`)
  for (const { text } of [single, batch, query]) assert.ok(text.length < 1_000, text.slice(0, 200))
  assert.match(String(single.json.message), /^An event has exactly .* … .* is not one\.$/)
})

test('a batch of a million items is refused as one, before any of them is looked at', async t => {
  const server = await startTestServer(t)
  const lines = await server.call('POST', '/v1/events/batch', {
    body: '1\n'.repeat(1_000_000),
    headers: { 'content-type': 'application/x-ndjson' },
  })
  assert.deepEqual([lines.status, lines.json.reason], [413, 'batch_too_large'])
  const array = await server.call('POST', '/v1/events/batch', { body: `[${'1,'.repeat(1_000_000)}1]` })
  assert.deepEqual([array.status, array.json.reason], [413, 'batch_too_large'])
})

test('a line of millions of escapes is one bad line', async t => {
  const server = await startTestServer(t)
  const body = `"${'\\n'.repeat(3_000_000)}"\n${JSON.stringify({ payload: 'x', meta })}\n`
  const { status, json } = await server.call('POST', '/v1/events/batch', {
    body,
    headers: { 'content-type': 'application/x-ndjson' },
  })
  assert.equal(status, 200)
  assert.deepEqual(
    (json.results as { status: number }[]).map(result => result.status),
    [400, 202],
  )
})

test('meta that is nested too deeply to be written out again is refused', async t => {
  const server = await startTestServer(t)
  const deep = (levels: number) =>
    `{"payload":"x","meta":{"type":"info","event_name":"a","service":"s","x":${'['.repeat(levels)}${']'.repeat(levels)}}}`
  const refused = await server.call('POST', '/v1/events', { body: deep(5_000) })
  assert.deepEqual([refused.status, refused.json.reason], [400, 'invalid_meta'])
  assert.equal((await server.call('POST', '/v1/events', { body: deep(60) })).status, 202)
  assert.equal((await server.call('GET', '/v1/events')).status, 200)
})

test('a page of large events ends early and says where it goes on', async t => {
  const server = await startTestServer(t)
  await server.ledger.appendBatch(
    Array.from({ length: 60 }, () => ({
      payload: 'x'.repeat(65_000),
      meta: { ...meta, type: 'info' as const },
    })),
  )
  let seen = 0
  let cursor: unknown = null
  let pages = 0
  do {
    const page = await server.call(
      'GET',
      `/v1/events?service=s&limit=500${cursor === null ? '' : `&cursor=${cursor}`}`,
    )
    const events = page.json.events as unknown[]
    assert(page.text.length < 2_000_000)
    seen += events.length
    cursor = page.json.next_cursor
    pages++
  } while (cursor !== null)
  assert.equal(seen, 60)
  assert(pages > 2)
})

test('compressed bodies and requests without a host get an answer in our form', async t => {
  const server = await startTestServer(t)
  const zipped = await server.call('POST', '/v1/events', {
    body: 'x',
    headers: { 'content-encoding': 'gzip' },
  })
  assert.deepEqual([zipped.status, zipped.json.reason], [415, 'unsupported_content_type'])
  const socket = await open(server)
  socket.write('GET /nope HTTP/1.1\r\nconnection: close\r\n\r\n')
  await once(socket, 'close')
  assert.match(socket.received(), /404 Not Found[\s\S]*unknown_route/)
})

test('a server that stops does not wait for those who never finish', async t => {
  const server = await startTestServer(t)
  const socket = await open(server)
  socket.write(stalled('/v1/events', `authorization: Bearer ${server.key}\r\nexpect: 100-continue\r\n`))
  await once(socket, 'data')
  await server.stop()
  await (socket.closed ? undefined : once(socket, 'close'))
})

test('answers that nobody reads are bounded, do not keep others out for good, and are cut off', async t => {
  const server = await startTestServer(t, { maxAnswerBytes: 4 * 1024 * 1024, stallTimeout: 4_000 })
  const large = { payload: 'x'.repeat(60_000), meta: { ...meta, type: 'info' as const } }
  await server.ledger.appendBatch(Array.from({ length: 20 }, () => large))
  const sockets = Array.from({ length: 4 }, () => {
    const socket = connect(server.port, '127.0.0.1')
    socket.on('error', () => undefined)
    socket.pause()
    return socket
  })
  t.after(() => {
    for (const socket of sockets) socket.destroy()
  })
  // Each answer is above a megabyte. The buffers of the system take some, so the four go on asking until those are full.
  const refused = await until(server, 503, () => {
    for (const socket of sockets) {
      socket.write(`GET /v1/events HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${server.key}\r\n\r\n`)
    }
  })
  assert.deepEqual([refused.json.reason, refused.headers.get('retry-after')], ['overloaded', '1'])
  // They never read on and never hang up; once they are cut off there is room again.
  const answered = await until(server, 200)
  assert.equal((answered.json.events as unknown[]).length > 0, true)
})

async function until(server: TestServer, status: number, meanwhile = () => {}): Promise<Answer> {
  for (let attempt = 0; ; attempt++) {
    const answer = await server.call('GET', '/v1/events')
    if (answer.status === status) return answer
    assert(attempt < 50_000, `the status ${status} never came; the last one was ${answer.status}`)
    meanwhile()
  }
}
