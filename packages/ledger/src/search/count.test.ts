import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Ledger } from '../ledger.ts'
import { openTestLedger, tempFolder, testEvent, testKey } from '../testing/temp-ledger.ts'
import { startTestServer } from '../testing/temp-server.ts'

async function filled(t: TestContext, total: number): Promise<Ledger> {
  const ledger = await openTestLedger(t, tempFolder(t))
  for (let from = 0; from < total; from += 1_000) {
    const length = Math.min(1_000, total - from)
    await ledger.appendBatch(Array.from({ length }, (_, i) => numbered(from + i)))
  }
  return ledger
}

function numbered(n: number): ReturnType<typeof testEvent> {
  return testEvent(n, {
    meta: {
      ...testEvent(n).meta,
      type: n % 5 === 0 ? 'error' : 'info',
      event_name: `name ${n % 3}`,
      actor: { id: `u${n}` },
      ...(n % 2 === 0 ? { outcome: 'success' } : {}),
    },
  })
}

test('counts by time, type and value add up to what the search finds, with the same filters', async t => {
  const ledger = await filled(t, 3_000)
  const all = await ledger.view.count({ interval: 'day', fields: ['event_name', 'outcome'] })
  assert.deepEqual([all.counted, all.from, all.to, all.complete, all.asOf], [3_000, 0, 3_000, true, 3_000])
  const sum = (counts: readonly { count: number }[]) => counts.reduce((n, { count }) => n + count, 0)
  assert.equal(sum(all.buckets), 3_000)
  assert.equal(
    all.buckets.reduce((n, { byType }) => n + (byType.error ?? 0), 0),
    600,
  )
  for (const { from } of all.buckets) assert.equal(from % 86_400_000, 0)
  assert.deepEqual(all.values.get('event_name'), [
    { value: 'name 0', count: 1_000 },
    { value: 'name 1', count: 1_000 },
    { value: 'name 2', count: 1_000 },
  ])
  assert.deepEqual(all.values.get('outcome'), [{ value: 'success', count: 1_500 }])
  const errors = await ledger.view.count({ type: 'error', event_name: 'name 1', fields: ['type'] })
  assert.deepEqual(errors.values.get('type'), [{ value: 'error', count: 200 }])
  assert.equal(errors.complete, true)
  const earlier = await ledger.view.count({ as_of: 10, fields: ['type'] })
  assert.deepEqual([earlier.counted, earlier.to], [10, 10])
  const none = await ledger.view.count({ until: '2000-01-01T00:00:00Z', interval: 'hour' })
  assert.deepEqual([none.counted, none.complete, none.buckets], [0, true, []])
})

test('a count that reaches its bound says for which indices it is exact', async t => {
  const ledger = await filled(t, 2_500)
  const part = await ledger.view.count({ fields: ['type'], scanLimit: 1_500 })
  assert.deepEqual([part.complete, part.from, part.to, part.counted], [false, 1_000, 2_500, 1_500])
  const same = ledger.view
  const exact = await same.count({ fields: ['type'], scanLimit: 2_500 })
  assert.deepEqual([exact.complete, exact.from], [true, 0])
  const errors = await same.count({ type: 'error', fields: ['type'], scanLimit: 100 })
  const found = errors.values.get('type')?.[0]?.count ?? 0
  assert.equal(errors.complete, false)
  let counted = 0
  for (let n = errors.from; n < errors.to; n++) if (n % 5 === 0) counted++
  assert.equal(found, counted, 'every error of the range that it names, and no other')
})

test('too many different values end a count before the memory does', async t => {
  const ledger = await filled(t, 20_500)
  const { complete, from, to, counted, values } = await ledger.view.count({ fields: ['actor'] })
  assert.deepEqual([complete, from, to, counted], [false, 500, 20_500, 20_000])
  assert.equal(values.get('actor')?.length, 20_000)
  const narrow = await ledger.view.count({ fields: ['actor'], as_of: 100 })
  assert.equal(narrow.complete, true)
})

test('other work goes on while a count is under way', async t => {
  const ledger = await filled(t, 5_000)
  let turns = 0
  let counting = true
  const turn = () => {
    turns++
    if (counting) setImmediate(turn)
  }
  setImmediate(turn)
  await ledger.view.count({ fields: ['type'] })
  counting = false
  assert(turns >= 4, `${turns} turns of the loop in five stretches`)
})

test('GET /v1/stats/histogram and /v1/stats/facets, their bounds and their refusals', async t => {
  const reads: unknown[] = []
  const server = await startTestServer(t, { onRead: read => reads.push(read) })
  await server.ledger.appendBatch(Array.from({ length: 40 }, (_, n) => numbered(n)))
  const histogram = await server.call(
    'GET',
    '/v1/stats/histogram?interval=hour&kind=event&event_name=name%200',
  )
  const { buckets, ...rest } = histogram.json as {
    buckets: { from: string; count: number; by_type: Record<string, number> }[]
  }
  assert.deepEqual(rest, {
    ok: true,
    as_of: 41,
    from: 0,
    to: 41,
    complete: true,
    counted: 14,
    interval: 'hour',
  })
  assert.match(buckets[0]?.from ?? '', /T\d\d:00:00\.000Z$/)
  assert.equal(
    buckets.reduce((n, { by_type }) => n + (by_type.error ?? 0), 0),
    3,
  )
  assert.deepEqual(reads, [], 'numbers show no content')
  const facets = await server.call('GET', '/v1/stats/facets?field=actor&limit=2&kind=event')
  assert.deepEqual([facets.json.different, (facets.json.values as unknown[]).length], [40, 2])
  const [seen] = reads as { principal: string }[]
  assert.deepEqual(reads, [{ principal: seen?.principal, range: { from: 0, to: 41 }, field: 'actor' }])
  for (const path of [
    'histogram',
    'histogram?interval=year',
    'histogram?interval=day&limit=3',
    'facets',
    'facets?field=payload',
    'facets?field=type&limit=101',
    'facets?field=type&since=now',
  ]) {
    const answer = await server.call('GET', `/v1/stats/${path}`)
    assert.deepEqual([answer.status, answer.json.reason], [400, 'invalid_query'], path)
  }
  const headers = { authorization: `Bearer ${await testKey(server.ledger, ['write'])}` }
  assert.equal((await server.call('GET', '/v1/stats/facets?field=type', { headers })).status, 403)
})
