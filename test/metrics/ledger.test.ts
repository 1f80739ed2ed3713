import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { deedbox } from 'deedbox'
import { newApiKey } from '../../packages/ledger/src/access/index.ts'
import { createLedgerServer } from '../../packages/ledger/src/http/index.ts'
import { startTestServer, type TestServer } from '../../packages/ledger/src/testing/temp-server.ts'
import { type Exposition, readExposition } from './exposition.ts'

const meta = { type: 'info', event_name: 'order.paid', service: 'shop' }

async function metricsOf(server: TestServer): Promise<Exposition> {
  const { status, text } = await server.call('GET', '/metrics')
  assert.equal(status, 200, text)
  return readExposition(text)
}

/** Records are made a moment after their answers. */
async function once(server: TestServer, holds: (read: Exposition) => boolean): Promise<Exposition> {
  let read = await metricsOf(server)
  while (!holds(read)) read = await metricsOf(server)
  return read
}

function requestsTo(read: Exposition, route: string): number {
  return read.samples
    .filter(({ name, labels }) => name === 'http_request_duration_seconds_count' && labels.route === route)
    .reduce((sum, { value }) => sum + value, 0)
}

test('the ledger tells what it stores, in how many transactions, and what it refuses', async t => {
  const server = await startTestServer(t)
  const events = Array.from({ length: 5 }, (_, n) => ({
    payload: `{"n":${n}}`,
    meta,
    idempotency_key: `k${n}`,
  }))
  assert.equal((await server.call('POST', '/v1/events/batch', { body: events })).status, 200)
  assert.equal((await server.call('POST', '/v1/events/batch', { body: events })).status, 200)
  const half = [events[0], { payload: 7, meta }]
  assert.equal((await server.call('POST', '/v1/events/batch', { body: half })).status, 200)
  assert.equal((await server.call('POST', '/v1/events', { body: { payload: '{}', meta } })).status, 202)
  assert.equal((await server.call('POST', '/v1/events', { body: { payload: 1, meta } })).status, 400)
  assert.equal((await fetch(`${server.url}/v1/events`)).status, 401)
  const read = await once(server, now => requestsTo(now, '/v1/events') === 3)
  const main = { ledger: 'main' }
  const { size } = server.ledger.head()
  assert.equal(read.value('deedbox_ledger_tree_size', main), size)
  // The key of the test is an entry, too, from before there was a server.
  assert.equal(read.value('deedbox_ledger_entries_appended_total', main), size - 1)
  assert.equal(read.value('deedbox_ledger_repeats_total', main), 6)
  assert.equal(read.value('deedbox_ledger_refused_total', { reason: 'invalid_payload' }), 2)
  assert.equal(read.value('deedbox_ledger_refused_total', { reason: 'missing_api_key' }), 1)
  assert.equal(read.value('deedbox_ledger_queued', main), 0)
  assert.equal(read.value('deedbox_ledger_batch_entries_sum', main), size - 1 + 6)
  assert(read.value('deedbox_ledger_commit_duration_seconds_sum', main) > 0)
  assert.equal(requestsTo(read, '/v1/events/batch'), 3)
  assert(read.families.has('process_resident_memory_bytes'))
  assert.equal(read.value('deedbox_build_info', { service: 'deedbox-ledger' }), 1)
  const told = (await server.call('GET', '/__version__')).json as { version: string; commit: string }
  assert.equal(read.value('deedbox_build_info', { version: told.version, commit: told.commit }), 1)
})

test('a key that is refused inside of its transaction is no repeat', async t => {
  const server = await startTestServer(t)
  const key = newApiKey()
  const made = await Promise.allSettled([1, 2].map(() => server.ledger.createApiKey(key, 'twice', ['write'])))
  assert.deepEqual(made.map(({ status }) => status).sort(), ['fulfilled', 'rejected'])
  assert.equal((await metricsOf(server)).value('deedbox_ledger_repeats_total', { ledger: 'main' }), 0)
})

test('items are counted one by one, also where all of a batch are refused', async t => {
  const server = await startTestServer(t)
  const batches = [
    [
      { payload: 7, meta },
      { payload: 8, meta },
    ],
    [
      { payload: 7, meta },
      { payload: '{}', meta },
      { payload: '{"n":1}', meta },
    ],
  ]
  const other = new DatabaseSync(join(server.folder, 'ledger.db'))
  t.after(() => other.close())
  other.exec("CREATE TRIGGER broken BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'on purpose'); END")
  const statuses = []
  for (const body of batches) statuses.push((await server.call('POST', '/v1/events/batch', { body })).status)
  assert.deepEqual(statuses, [200, 500])
  const read = await metricsOf(server)
  assert.equal(read.value('deedbox_ledger_refused_total', { reason: 'invalid_payload' }), 3)
  assert.equal(read.value('deedbox_ledger_refused_total', { reason: 'internal_error' }), 2)
})

test('P29 gap 8 paths and ids of a caller are no labels of the ledger', async t => {
  const server = await startTestServer(t)
  const { json } = await server.call('POST', '/v1/events', { body: { payload: '{}', meta } })
  const txId = String(json.tx_id)
  for (const path of [`/v1/events/${txId}`, '/v1/events/4711', '/no/such/path', '/ledgers/other/vkey'])
    await server.call('GET', path)
  const read = await once(server, now => requestsTo(now, 'unmatched') === 1)
  assert.equal(requestsTo(read, '/v1/events/:tx_id'), 2)
  const { text } = await server.call('GET', '/metrics')
  for (const word of [txId, '4711', 'no/such', 'other/vkey']) assert(!text.includes(word), word)
})

test('raw ledgers of the file have series of their own', async t => {
  const server = await startTestServer(t)
  await server.ledger.createLedger({ name: 'tools', kind: 'raw' })
  const raw = await server.ledger.rawLedger('tools')
  for (let n = 0; n < 3; n++) await raw.add(Buffer.from([n]))
  const read = await metricsOf(server)
  assert.equal(read.value('deedbox_ledger_tree_size', { ledger: 'tools' }), 3)
  assert.equal(read.value('deedbox_ledger_entries_appended_total', { ledger: 'tools' }), 3)
  assert.deepEqual(read.labelValues('deedbox_ledger_queued', 'ledger'), ['main', 'tools'])
})

test('a ledger that is closed has metrics all the same', async t => {
  const server = await startTestServer(t, { metrics: 'everybody' })
  await server.ledger.close()
  const read = readExposition(await (await fetch(`${server.url}/metrics`)).text())
  assert.deepEqual(read.labelValues('deedbox_ledger_tree_size', 'ledger'), [], 'nobody knows any more')
})

test('a server that was stopped counts no more of what is written to its ledger', async t => {
  const server = await startTestServer(t)
  const told: string[] = []
  const listen = server.ledger.onCommit.bind(server.ledger)
  server.ledger.onCommit = listener => {
    const stop = listen(listener)
    return () => {
      told.push('stopped')
      stop()
    }
  }
  const app = await createLedgerServer(server.ledger, {
    box: deedbox({ service: 'other', ledger: null, flushOnSignal: false, log: { sink: () => undefined } }),
    folder: server.folder,
    version: { source: '', version: '', commit: '', build: '' },
  })
  assert.deepEqual(told, [])
  await app.close()
  assert.deepEqual(told, ['stopped'])
})

test('a live tail is a stream until its reader leaves', async t => {
  const server = await startTestServer(t)
  const open = async (): Promise<number> =>
    (await metricsOf(server)).value('deedbox_ledger_streams_open', { kind: 'tails' })
  assert.equal(await open(), 0)
  const leave = new AbortController()
  await fetch(`${server.url}/v1/events/stream`, {
    headers: { authorization: `Bearer ${server.key}` },
    signal: leave.signal,
  })
  assert.equal(await open(), 1)
  leave.abort()
  while ((await open()) > 0);
})

async function statusFor(server: TestServer, authorization?: string): Promise<number> {
  const response = await fetch(`${server.url}/metrics`, {
    headers: authorization === undefined ? {} : { authorization },
  })
  await response.text()
  return response.status
}

test('gap 13 the metrics are for keys that verify, and for who has the token of the operator', async t => {
  const token = 'a-token-for-prometheus'
  const server = await startTestServer(t, { metrics: { token } })
  assert.equal(await statusFor(server), 401)
  assert.equal(await statusFor(server, 'Bearer a-token-for-promethew'), 401)
  assert.equal(await statusFor(server, `Bearer ${token}`), 200)
  assert.equal(await statusFor(server, `Bearer ${server.key}`), 200)
  const writer = newApiKey()
  await server.ledger.createApiKey(writer, 'writer', ['write'])
  assert.equal(await statusFor(server, `Bearer ${writer}`), 403)
  const told = (): unknown[] =>
    server.lines
      .map(line => JSON.parse(line))
      .filter(({ path_with_query: path }) => path === '/metrics')
      .map(({ status_code: status }) => status)
  while (told().length < 3) await new Promise(setImmediate)
  assert.deepEqual(told(), [401, 401, 403], 'who fetches them all the time leaves no lines')
  const { headers } = await server.call('GET', '/metrics')
  assert.equal(headers.get('cache-control'), 'no-store')
  assert.equal(headers.get('content-type'), 'text/plain; version=0.0.4; charset=utf-8')
})

test('gap 13 everybody sees them where the operator says so', async t => {
  assert.equal(await statusFor(await openServer(t)), 200)
})

function openServer(t: TestContext): Promise<TestServer> {
  return startTestServer(t, { metrics: 'everybody' })
}
