import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { mostProducers } from '../sequencer/producer-notes.ts'
import { checkLog, openTestLedger, testKey } from '../testing/temp-ledger.ts'
import { startTestServer, type TestServer } from '../testing/temp-server.ts'

type View = Record<string, unknown>

function anEvent(id: string, seq: number, more: object = {}): object {
  return {
    payload: `{"n":${seq}}`,
    meta: { type: 'info', event_name: 'p.tried', service: 'shop', env: 'test', producer: { id, seq } },
    ...more,
  }
}

async function list(server: TestServer, query = ''): Promise<View[]> {
  const { status, json, text } = await server.call('GET', `/v1/producers${query}`)
  assert.equal(status, 200, text)
  return json.producers as View[]
}

async function announce(server: TestServer, body: object, key: string = server.key): Promise<void> {
  const headers = { authorization: `Bearer ${key}` }
  const { status, json, text } = await server.call('POST', '/v1/producers', {
    body: { service: 'shop', high_water: 0, ...body },
    headers,
  })
  assert.deepEqual([status, json], [200, { ok: true }], text)
}

async function store(server: TestServer, events: object[], key: string = server.key): Promise<void> {
  const headers = { authorization: `Bearer ${key}` }
  const { json, text } = await server.call('POST', '/v1/events/batch', { body: events, headers })
  assert(
    (json.results as View[]).every(({ ok }) => ok),
    text,
  )
}

test('DESIGN 3 7.1 GET /v1/producers shows exactly the numbers that no event has, and a late one closes its gap', async t => {
  const server = await startTestServer(t)
  await store(
    server,
    [1, 2, 5, 9].map(n => anEvent('a', n)),
  )
  const [one] = await list(server)
  assert.deepEqual(
    [one?.gaps, one?.missing, one?.seen_to],
    [
      [
        { from: 3, to: 4 },
        { from: 6, to: 8 },
      ],
      5,
      9,
    ],
  )
  await store(server, [anEvent('a', 7), anEvent('a', 3)])
  await announce(server, { id: 'a', high_water: 11, ended: 'crashed' })
  const [two] = await list(server)
  assert.deepEqual(
    [two?.state, two?.gaps, two?.missing, two?.high_water],
    [
      'crashed',
      [
        { from: 4, to: 4 },
        { from: 6, to: 6 },
        { from: 8, to: 8 },
        { from: 10, to: 11 },
      ],
      5,
      11,
    ],
  )
  await store(
    server,
    [4, 6, 8, 10, 11].map(n => anEvent('a', n)),
  )
  const [three] = await list(server)
  assert.deepEqual([three?.state, three?.gaps, three?.missing], ['crashed', [], 0])
  assert.equal(checkLog(server.folder).verdict, 'ok')
})

test('DESIGN 7.2 a repeat and an amendment count once; an event without a mark, or with one that is none, not at all', async t => {
  const server = await startTestServer(t)
  await store(server, [anEvent('a', 1, { idempotency_key: 'k' })])
  await store(server, [anEvent('a', 1, { idempotency_key: 'k' })])
  await store(server, [anEvent('a', 1, { idempotency_key: 'k', payload: 'amended' })])
  await store(server, [anEvent('a', 0), anEvent('x'.repeat(200), 1)])
  await store(server, [{ payload: 'x', meta: { type: 'info', event_name: 'n', service: 's' } }])
  const shown = await list(server)
  assert.deepEqual(
    shown.map(({ id, seen_to, missing }) => [id, seen_to, missing]),
    [['a', 1, 0]],
  )
})

test('DESIGN 3 what an announcement says is shown, and that it ended; its next word makes it live again', async t => {
  const server = await startTestServer(t)
  const size = () => server.ledger.head().size
  const before = size()
  const facts = { env: 'prod', host: 'web-1', pid: 42, version: '1.2.3' }
  await announce(server, {
    id: 'a',
    ...facts,
    started_at: '2026-01-02T03:04:05.678Z',
    high_water: 3,
    queued: 2,
  })
  const [live] = await list(server)
  assert.deepEqual(
    { ...live, first_at: '', last_at: '', principal: '' },
    {
      ...{ id: 'a', principal: '', service: 'shop', ...facts, state: 'live', first_at: '', last_at: '' },
      ...{ started_at: '2026-01-02T03:04:05.678Z', ended_at: null, high_water: 3, seen_to: 0, waiting: 2 },
      ...{ missing: 1, gaps: [{ from: 1, to: 1 }], counted_only_to: 0 },
    },
  )
  await announce(server, { id: 'a', high_water: 3, ended: 'clean' })
  const [ended] = await list(server)
  assert.deepEqual([ended?.state, ended?.waiting, ended?.missing, ended?.host], ['ended', 0, 3, 'web-1'])
  assert.notEqual(ended?.ended_at, null)
  await announce(server, { id: 'a', high_water: 2 })
  const [again] = await list(server)
  assert.deepEqual([again?.state, again?.ended_at, again?.high_water], ['live', null, 3])
  assert.equal(size(), before, 'announcements are no entries')
})

test('DESIGN 3 a producer that is not heard of for three minutes is silent, and filters find it by state and service', async t => {
  const server = await startTestServer(t)
  await announce(server, { id: 'quiet', service: 'night' })
  await announce(server, { id: 'loud' })
  await announce(server, { id: 'gone', ended: 'clean' })
  const db = new DatabaseSync(join(server.folder, 'ledger.db'))
  db.exec("UPDATE producers SET last_at = last_at - 181000 WHERE producer_id = 'quiet'")
  db.close()
  const ids = async (query: string) => (await list(server, query)).map(({ id }) => id)
  assert.deepEqual(await ids('?state=silent'), ['quiet'])
  assert.deepEqual(await ids('?state=live'), ['loud'])
  assert.deepEqual(await ids('?state=ended'), ['gone'])
  assert.deepEqual(await ids('?state=crashed'), [])
  assert.deepEqual(await ids('?service=night'), ['quiet'])
  assert.deepEqual(await ids('?service=night&state=live'), [])
})

test('DESIGN 3 two writers with the same producer id are two producers, and neither speaks for the other', async t => {
  const server = await startTestServer(t)
  const other = await testKey(server.ledger, ['write'])
  await store(
    server,
    [1, 2].map(n => anEvent('same', n)),
  )
  await store(
    server,
    [4].map(n => anEvent('same', n)),
    other,
  )
  await announce(server, { id: 'same', high_water: 900, ended: 'crashed' }, other)
  const shown = await list(server)
  assert.equal(new Set(shown.map(({ principal }) => principal)).size, 2)
  assert.deepEqual(shown.map(({ state, missing, high_water }) => [state, missing, high_water]).sort(), [
    ['crashed', 899, 900],
    ['live', 0, 2],
  ])
})

test('DESIGN 3 a writer has no more than 2,000 producers, the whole ones go first, and pages show each once', async t => {
  const server = await startTestServer(t)
  await store(server, [anEvent('lost', 7)])
  await announce(server, { id: 'fine', high_water: 0, ended: 'clean' })
  for (let from = 0; from < mostProducers; from += 500) {
    await store(
      server,
      Array.from({ length: 500 }, (_, i) => anEvent(`p${from + i}`, 1)),
    )
  }
  const ids: unknown[] = []
  let cursor: unknown = ''
  while (cursor !== null) {
    const after = cursor === '' ? '' : `&cursor=${cursor}`
    const { json } = await server.call('GET', `/v1/producers?limit=200${after}`)
    ids.push(...(json.producers as View[]).map(({ id }) => id))
    cursor = json.next_cursor
  }
  assert.equal(ids.length, mostProducers)
  assert.equal(new Set(ids).size, mostProducers)
  assert(!ids.includes('fine'))
})

test('DESIGN 3 a writer that leaves out every second number fills no memory: what is missing stays exact', async t => {
  const server = await startTestServer(t)
  for (let from = 0; from < 2; from++) {
    await store(
      server,
      Array.from({ length: 500 }, (_, i) => anEvent('a', 2 * (500 * from + i + 1))),
    )
  }
  const [shown] = await list(server)
  assert.deepEqual([shown?.missing, shown?.seen_to], [1000, 2000])
  assert.equal(Array.isArray(shown?.gaps) && shown.gaps.length, 200)
  assert.equal(shown?.counted_only_to, 1600)
})

test('DESIGN 7.1 /v1/producers wants a key: write to announce, read to look; and says what is wrong with a body', async t => {
  const server = await startTestServer(t)
  const status = async (method: string, key: string, body?: object) => {
    const headers = { authorization: `Bearer ${key}` }
    const answer = await server.call(
      method,
      '/v1/producers',
      body === undefined ? { headers } : { headers, body },
    )
    return [answer.status, answer.json.reason]
  }
  const good = { id: 'a', service: 's', high_water: 1 }
  const [reader, writer] = [await testKey(server.ledger, ['read']), await testKey(server.ledger, ['write'])]
  assert.deepEqual(await status('POST', reader, good), [403, 'insufficient_scope'])
  assert.deepEqual(await status('GET', writer), [403, 'insufficient_scope'])
  assert.deepEqual(await status('GET', 'deed_live_no'), [401, 'invalid_api_key'])
  const bad: object[] = [
    {},
    [],
    { ...good, id: '' },
    { ...good, id: 'x'.repeat(129) },
    { ...good, service: 7 },
    { ...good, high_water: -1 },
    { ...good, high_water: 1.5 },
    { ...good, pid: '1' },
    { ...good, started_at: 'yesterday' },
    { ...good, ended: 'maybe' },
    { ...good, more: 1 },
  ]
  for (const body of bad) {
    assert.deepEqual(await status('POST', writer, body), [400, 'invalid_event'], JSON.stringify(body))
  }
  assert.deepEqual(await list(server), [])
  for (const query of ['?state=odd', '?limit=0', '?limit=201', '?cursor=eA', '?more=1']) {
    const { status, json } = await server.call('GET', `/v1/producers${query}`)
    assert.deepEqual([status, json.reason], [400, 'invalid_query'], query)
  }
  const { json } = await server.call('GET', '/v1/openapi.json')
  assert.deepEqual(Object.keys((json.paths as Record<string, object>)['/v1/producers'] ?? {}).sort(), [
    'get',
    'post',
  ])
  assert.deepEqual(server.faults, [])
})

test('DESIGN 3 announcements are there after the ledger was closed and opened again', async t => {
  const server = await startTestServer(t)
  await Promise.all(Array.from({ length: 20 }, (_, i) => announce(server, { id: `p${i}`, high_water: i })))
  const before = await list(server)
  await server.stop()
  await server.ledger.close()
  const again = await openTestLedger(t, server.folder)
  assert.deepEqual(again.producers().producers, before)
})
