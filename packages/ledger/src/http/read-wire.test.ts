import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  checkReceipt,
  decodeEntryBundle,
  leafHash,
  openCheckpoint,
  parseEventLeaf,
  parseVerifierKey,
} from '@deedbox/tlog'
import { nodeCrypto } from '@deedbox/tlog/node'
import { testEvent, testKey } from '../testing/temp-ledger.ts'
import { startTestServer } from '../testing/temp-server.ts'

const meta = { type: 'info', event_name: 'http.GET./a/b%2Fc', service: 'shop' }
const event = (n: number) => ({ payload: JSON.stringify({ n }), meta: { ...meta, request_id: `r${n}` } })

test('a receipt comes with the event on request, or later, and holds offline', async t => {
  const server = await startTestServer(t)
  const vkey = (await server.call('GET', '/ledgers/main/vkey')).text.trim()
  const pinned = [parseVerifierKey(nodeCrypto.sha256, vkey)]
  const at = await server.call('POST', '/v1/events?receipt=1', { body: event(1) })
  assert.equal(checkReceipt(nodeCrypto, String(at.json.receipt), pinned).verdict, 'ok')
  await server.call('POST', '/v1/events', { body: event(2) })
  const later = await server.call('GET', `/v1/events/${at.json.tx_id}/receipt`)
  const report = checkReceipt(nodeCrypto, later.text, pinned)
  assert.deepEqual([report.verdict, report.checkpoint?.size, report.leaf?.tx_id], ['ok', 3, at.json.tx_id])
  const shown = await server.call('GET', `/v1/events/${at.json.tx_id}/receipt?disclose=payload,core`)
  assert.deepEqual(Object.keys(checkReceipt(nodeCrypto, shown.text, pinned).receipt.disclosed), [
    'core',
    'payload',
  ])
  assert.match(later.headers.get('content-disposition') ?? '', /tlog-proof/)
  assert.equal(
    (await server.call('GET', `/v1/events/${at.json.tx_id}/receipt?disclose=salt`)).json.reason,
    'invalid_query',
  )
})

test('GET /v1/events: filters, pages and an earlier tree size, over the wire', async t => {
  const server = await startTestServer(t)
  await server.ledger.appendBatch(
    Array.from({ length: 25 }, (_, n) =>
      testEvent(n, { meta: { ...testEvent(n).meta, event_name: n % 2 === 0 ? 'é/ä' : 'odd' } }),
    ),
  )
  const first = await server.call('GET', `/v1/events?event_name=${encodeURIComponent('é/ä')}&limit=10`)
  const events = first.json.events as { index: number; payload: string }[]
  assert.deepEqual(
    events.map(event => event.index),
    [25, 23, 21, 19, 17, 15, 13, 11, 9, 7],
  )
  const rest = await server.call(
    'GET',
    `/v1/events?event_name=%C3%A9%2F%C3%A4&limit=10&cursor=${first.json.next_cursor}&as_of=${first.json.as_of}`,
  )
  assert.deepEqual(
    (rest.json.events as { index: number }[]).map(event => event.index),
    [5, 3, 1],
  )
  assert.equal(rest.json.next_cursor, null)
  for (const query of [
    'limit=0',
    'limit=501',
    'limit=x',
    'order=up',
    'nonsense=1',
    'type=fatal',
    'since=now',
    'event_name=',
    'as_of=-1',
  ]) {
    const answer = await server.call('GET', `/v1/events?${query}`)
    assert.deepEqual([answer.status, answer.json.reason], [400, 'invalid_query'], query)
  }
  assert.match(
    (await server.call('GET', '/v1/events?nonsense=1')).json.message as unknown as string,
    /"nonsense"/,
  )
})

test('P23 P30 R1.3 the log is served byte for byte as tlog-tiles, and a reader of bundles gets the signed root', async t => {
  const server = await startTestServer(t)
  await server.ledger.appendBatch(Array.from({ length: 260 }, (_, n) => testEvent(n)))
  const bytes = async (path: string) => {
    const response = await fetch(`${server.url}/ledgers/main/${path}`, {
      headers: { authorization: `Bearer ${server.key}` },
    })
    return { response, body: new Uint8Array(await response.arrayBuffer()) }
  }
  const vkey = Buffer.from((await bytes('vkey')).body)
    .toString()
    .trim()
  const keys = [parseVerifierKey(nodeCrypto.sha256, vkey)]
  const { size } = openCheckpoint(nodeCrypto, Buffer.from((await bytes('checkpoint')).body).toString(), keys)
  assert(size >= 1)
  const full = await bytes('tile/entries/000')
  const partial = await bytes('tile/entries/001.p/5')
  const leaves = [...decodeEntryBundle(full.body), ...decodeEntryBundle(partial.body)]
  assert.equal(leaves.length, 261)
  const level0 = await bytes('tile/0/000')
  for (const [i, leaf] of leaves.slice(0, 256).entries()) {
    assert.deepEqual(leafHash(nodeCrypto.sha256, leaf), level0.body.slice(32 * i, 32 * i + 32))
    assert.equal(parseEventLeaf(leaf).ledger, server.ledger.about.origin)
  }
  assert.deepEqual((await bytes('tile/0/001.p/3')).body, (await bytes('tile/0/001.p/5')).body.slice(0, 96))
  assert.equal(full.response.headers.get('content-type'), 'application/octet-stream')
  assert.match(full.response.headers.get('cache-control') ?? '', /private.*immutable/)
  for (const path of [
    'tile/0/002',
    'tile/0/001',
    'tile/0/001.p/6',
    'tile/9/000',
    'tile/entries/001',
    'tile/00/000',
    'tile/0/0',
    'tile/0/000.p/256',
    'tile/x',
  ]) {
    const { response } = await bytes(path)
    // P30: an error must not be cached for a year.
    assert.deepEqual([response.status, response.headers.get('cache-control')], [404, 'no-store'], path)
  }
})

test('scopes: a key that may only write reads nothing, one that may only verify gets proofs without content', async t => {
  const server = await startTestServer(t)
  const { tx_id } = (await server.call('POST', '/v1/events', { body: event(1) })).json
  const as = (key: string) => ({ headers: { authorization: `Bearer ${key}` } })
  const writer = as(await testKey(server.ledger, ['write']))
  const verifier = as(await testKey(server.ledger, ['verify']))
  const reader = as(await testKey(server.ledger, ['read']))
  const table: [string, string, { headers: Record<string, string> }, number][] = [
    ['GET', '/v1/events', writer, 403],
    ['GET', `/v1/events/${tx_id}`, writer, 403],
    ['GET', `/v1/events/${tx_id}/receipt`, writer, 403],
    ['GET', '/ledgers/main/checkpoint', writer, 403],
    ['GET', `/v1/events/${tx_id}/receipt`, verifier, 200],
    ['GET', `/v1/events/${tx_id}/receipt?disclose=payload`, verifier, 403],
    ['GET', `/v1/events/${tx_id}`, verifier, 403],
    ['GET', '/ledgers/main/tile/0/000.p/1', verifier, 200],
    ['GET', `/v1/events/${tx_id}`, reader, 200],
    ['GET', `/v1/events/${tx_id}/receipt?disclose=payload`, reader, 200],
    ['GET', '/ledgers/main/vkey', reader, 403],
  ]
  for (const [method, path, options, status] of table) {
    const answer = await server.call(method, path, options)
    assert.equal(answer.status, status, `${method} ${path}: ${answer.text}`)
    if (status === 403) assert.equal(answer.json.reason, 'insufficient_scope')
  }
  assert.equal((await server.call('POST', '/v1/events', { body: event(9), ...reader })).status, 403)
})

test('reading event content is itself on record; proofs without content are not', async t => {
  const reads: { principal: string; events?: string[] }[] = []
  const server = await startTestServer(t, { onRead: read => reads.push(read) })
  const { tx_id } = (await server.call('POST', '/v1/events', { body: event(1) })).json
  await server.call('GET', `/v1/events/${tx_id}/receipt`)
  await server.call('GET', '/v1/events?service=nobody')
  assert.equal(reads.length, 0)
  await server.call('GET', `/v1/events/${tx_id}`)
  await server.call('GET', `/v1/events/${tx_id}/receipt?disclose=payload`)
  await server.call('GET', '/v1/events?service=shop')
  assert.deepEqual(
    reads.map(read => read.events),
    [[tx_id], [tx_id], [tx_id]],
  )
  assert.match(reads[0]?.principal ?? '', /^writer_/)
})

test('a public log needs no key for proofs, and still one for content', async t => {
  const server = await startTestServer(t, { publicLog: true })
  for (const path of ['vkey', 'checkpoint', 'tile/0/000.p/1', 'tile/entries/000.p/1']) {
    assert.equal((await fetch(`${server.url}/ledgers/main/${path}`)).status, 200, path)
  }
  assert.match(
    (await fetch(`${server.url}/ledgers/main/tile/0/000.p/1`)).headers.get('cache-control') ?? '',
    /public.*immutable/,
  )
  assert.equal((await fetch(`${server.url}/v1/events`)).status, 401)
  assert.equal((await fetch(`${server.url}/ledgers/other/vkey`)).status, 404)
})

test('the OpenAPI document names every call and validates as what it says it is', async t => {
  const server = await startTestServer(t)
  const { json } = await server.call('GET', '/v1/openapi.json')
  assert.equal(json.openapi, '3.1.0')
  assert.deepEqual(Object.keys(json.paths as object).sort(), [
    '/__heartbeat__',
    '/__lbheartbeat__',
    '/__readiness__',
    '/__version__',
    '/ledgers/{name}/add',
    '/ledgers/{name}/checkpoint',
    '/ledgers/{name}/tile/{*}',
    '/ledgers/{name}/vkey',
    '/metrics',
    '/v1/events',
    '/v1/events/batch',
    '/v1/events/stream',
    '/v1/events/{tx_id}',
    '/v1/events/{tx_id}/receipt',
    '/v1/export',
    '/v1/keys',
    '/v1/keys/{key_id}',
    '/v1/keys/{key_id}/rotate',
    '/v1/ledgers',
    '/v1/producers',
    '/v1/stats/facets',
    '/v1/stats/histogram',
  ])
  const paths = json.paths as Record<
    string,
    Record<string, { requestBody?: { content: Record<string, unknown> } }>
  >
  assert.deepEqual(Object.keys(paths['/v1/events/batch']?.post?.requestBody?.content ?? {}), [
    'application/json',
    'application/x-ndjson',
  ])
})
