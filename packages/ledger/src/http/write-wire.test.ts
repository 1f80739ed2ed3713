import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkLog } from '../testing/temp-ledger.ts'
import { startTestServer } from '../testing/temp-server.ts'

const meta = { type: 'info', event_name: 'http.GET./a/b%2Fc', service: 'shop' }
const event = (n: number) => ({ payload: JSON.stringify({ n }), meta: { ...meta, request_id: `r${n}` } })

test('IF-27 IF-28 IP-06 POST /v1/events answers 202 with the six fields of the contract, and the index', async t => {
  const server = await startTestServer(t)
  const answer = await server.call('POST', '/v1/events', {
    body: event(1),
    headers: {
      'idempotency-key': 'http.GET./日本-x'.replace(/[^\x00-\x7f]/g, c => encodeURIComponent(c)),
      'request-id': 'abc-123',
      'x-client-tz': 'UTC',
      'x-client-offset-minutes': '0',
    },
  })
  assert.equal(answer.status, 202)
  assert.deepEqual(Object.keys(answer.json), [
    'ok',
    'tx_id',
    'payload_hash',
    'status',
    'duplicate',
    'request_id',
    'index',
  ])
  const { ok, status, duplicate, request_id, index } = answer.json
  assert.deepEqual(
    { ok, status, duplicate, request_id, index },
    { ok: true, status: 'accepted', duplicate: false, request_id: 'abc-123', index: 1 },
  )
  const stored = await server.call('GET', `/v1/events/${answer.json.tx_id}`)
  assert.equal(stored.json.payload, '{"n":1}')
  assert.deepEqual(stored.json.meta, event(1).meta)
  assert.equal(stored.json.payload_hash, answer.json.payload_hash)
})

test('IF-30 IF-31 idempotency keys with slashes, percent signs and other scripts; header and batch keys agree', async t => {
  const server = await startTestServer(t)
  for (const key of ['a/b', 'a%2Fb', 'http.GET./x?y=1-1', 'ключ-日本', 'é']) {
    const header = Buffer.from(key, 'utf8').toString('latin1')
    const first = await server.call('POST', '/v1/events', {
      body: event(1),
      headers: { 'idempotency-key': header },
    })
    const again = await server.call('POST', '/v1/events', {
      body: event(1),
      headers: { 'idempotency-key': header },
    })
    assert.deepEqual([again.status, again.json.tx_id, again.json.duplicate], [202, first.json.tx_id, true])
    const batch = await server.call('POST', '/v1/events/batch', {
      body: [{ ...event(1), idempotency_key: key }],
    })
    const [result] = batch.json.results as { tx_id: string; duplicate: boolean }[]
    assert.deepEqual([result?.tx_id, result?.duplicate], [first.json.tx_id, true])
  }
  assert.equal(server.ledger.head().size, 1 + 5)
})

test('IF-29 the second, richer report under one key is kept as an amendment', async t => {
  const server = await startTestServer(t)
  const headers = { 'idempotency-key': 'http.GET./x-r1' }
  const poorer = await server.call('POST', '/v1/events', { body: event(1), headers })
  const richer = await server.call('POST', '/v1/events', { body: event(2), headers })
  assert.equal(richer.status, 202)
  assert.equal(richer.json.amends, poorer.json.tx_id)
  const shown = await server.call('GET', `/v1/events/${richer.json.tx_id}`)
  assert.equal(shown.json.amends, poorer.json.tx_id)
})

test('batch: a JSON array, results in order, valid ones stored together', async t => {
  const server = await startTestServer(t)
  const body = [
    event(1),
    { payload: 1, meta },
    event(2),
    'x',
    { ...event(3), more: 1 },
    { ...event(4), idempotency_key: 4 },
  ]
  const { status, json } = await server.call('POST', '/v1/events/batch', { body })
  assert.equal(status, 200)
  const results = json.results as {
    ok: boolean
    index?: number
    reason?: string
    status: number
  }[]
  assert.deepEqual(
    results.map(result => [result.status, result.ok, result.index ?? result.reason]),
    [
      [202, true, 1],
      [400, false, 'invalid_payload'],
      [202, true, 2],
      [400, false, 'invalid_event'],
      [400, false, 'invalid_event'],
      [400, false, 'invalid_idempotency_key'],
    ],
  )
  assert.deepEqual((await server.call('POST', '/v1/events/batch', { body: [] })).json.results, [])
})

test('batch: NDJSON, where a bad line fails only itself', async t => {
  const server = await startTestServer(t)
  const lines = [
    JSON.stringify(event(1)),
    '{broken',
    '',
    `${JSON.stringify({ ...event(2), idempotency_key: 'k' })}\r`,
    '{"a":1,"a":2}',
    '[]',
  ]
  const body = Buffer.concat([
    Buffer.from(lines.join('\n')),
    Buffer.from('\n"'),
    Buffer.of(0xff),
    Buffer.from('"\n'),
  ])
  const { status, json } = await server.call('POST', '/v1/events/batch', {
    body,
    headers: { 'content-type': 'application/x-ndjson' },
  })
  assert.equal(status, 200)
  const results = json.results as { reason?: string; message?: string }[]
  assert.deepEqual(
    results.map(result => result.reason),
    [undefined, 'malformed_json', undefined, 'duplicate_key', 'invalid_event', 'malformed_json'],
  )
  assert.match(results[1]?.message ?? '', /^Line 2 /)
  assert.equal(server.ledger.head().size, 3)
})

test('batch: as a whole it is refused when the array is broken, too long or no array', async t => {
  const server = await startTestServer(t)
  const refusals: [unknown, number, string][] = [
    ['[{"payload":"x"', 400, 'malformed_json'],
    ['{"payload":"x"}', 400, 'invalid_event'],
    [Array.from({ length: 1001 }, (_, n) => event(n)), 413, 'batch_too_large'],
    ['[{"a":1,"a":2}]', 400, 'duplicate_key'],
    ['x'.repeat(8 * 1024 * 1024 + 1), 413, 'body_too_large'],
  ]
  for (const [body, status, reason] of refusals) {
    const answer = await server.call('POST', '/v1/events/batch', { body })
    assert.deepEqual([answer.status, answer.json.reason], [status, reason])
  }
  const full = await server.call('POST', '/v1/events/batch', {
    body: Array.from({ length: 1000 }, (_, n) => event(n)),
  })
  assert.equal((full.json.results as { ok: boolean }[]).filter(result => result.ok).length, 1000)
  assert.equal(server.ledger.head().size, 1001)
})

test('what came over the wire is what verification finds', async t => {
  const server = await startTestServer(t)
  for (let n = 0; n < 5; n++) await server.call('POST', '/v1/events', { body: event(n) })
  assert.equal(checkLog(server.folder).verdict, 'ok')
  assert.deepEqual(server.faults, [])
})
