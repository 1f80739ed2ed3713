import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Ledger } from '../ledger.ts'
import { termOf } from '../store/sqlite/terms.ts'
import { checkLog, openTestLedger, tempFolder, testEvent } from '../testing/temp-ledger.ts'

async function fresh(t: TestContext): Promise<{ folder: string; ledger: Ledger }> {
  const folder = tempFolder(t)
  return { folder, ledger: await openTestLedger(t, folder) }
}

test('search: every filter, time range, order, pages and an earlier state of the tree', async t => {
  const { ledger } = await fresh(t)
  const events = Array.from({ length: 60 }, (_, n) =>
    testEvent(n, {
      meta: {
        type: n % 10 === 0 ? 'error' : 'info',
        event_name: n % 2 === 0 ? 'even/ön' : 'odd',
        service: 'svc',
        env: n < 30 ? 'prod' : 'dev',
        request_id: `r${n}`,
        trace_id: `t${n % 5}`,
        immutable_trail: `trail ${n % 3}`,
        actor: { id: `u${n % 4}` },
        subject: `s${n % 6}`,
        correlation_id: `c${n}`,
        outcome: n % 2 === 0 ? 'success' : 'failure',
      },
    }),
  )
  for (const [i, event] of events.entries()) {
    await ledger.append(event)
    // The middle event gets a millisecond of its own, so that a time can be named that divides the rest.
    if (i === 29 || i === 30) {
      const at = Date.now()
      while (Date.now() === at);
    }
  }
  const indices = (query: Parameters<Ledger['search']>[0]) =>
    ledger.search({ order: 'asc', limit: 500, ...query }).events.map(event => event.index)
  const where = (fits: (n: number) => boolean) => events.map((_, n) => n).filter(fits)
  assert.deepEqual(
    indices({ event_name: 'even/ön' }),
    where(n => n % 2 === 0),
  )
  assert.deepEqual(
    indices({ type: 'error', env: 'dev' }),
    where(n => n % 10 === 0 && n >= 30),
  )
  assert.deepEqual(
    indices({ actor: 'u1', trace_id: 't1' }),
    where(n => n % 4 === 1 && n % 5 === 1),
  )
  assert.deepEqual(indices({ request_id: 'r17' }), [17])
  assert.deepEqual(indices({ correlation_id: 'c3', outcome: 'failure' }), [3])
  assert.deepEqual(
    indices({ immutable_trail: 'trail 2', subject: 's2' }),
    where(n => n % 3 === 2 && n % 6 === 2),
  )
  assert.deepEqual(
    indices({ env: 'prod' }),
    where(n => n < 30),
  )
  assert.deepEqual(indices({ service: 'other' }), [])
  assert.deepEqual(indices({ kind: 'admin' }), [])
  assert.deepEqual(indices({ as_of: 3 }), [0, 1, 2])
  const middle = ledger.search({ request_id: 'r30' }).events[0]!.at
  assert.deepEqual(
    indices({ since: middle }),
    where(n => n >= 30),
  )
  assert.deepEqual(
    indices({ until: middle }),
    where(n => n < 30),
  )
  assert.deepEqual(indices({ since: middle, until: middle }), [])

  const pages: number[][] = []
  let cursor: string | null = null
  do {
    const page = ledger.search({ event_name: 'odd', limit: 7, ...(cursor === null ? {} : { cursor }) })
    pages.push(page.events.map(event => event.index))
    cursor = page.nextCursor
  } while (cursor !== null)
  assert.deepEqual(pages.flat(), where(n => n % 2 === 1).reverse())
  assert(pages.every(page => page.length <= 7))
  for (const query of [{ since: 'now' }, { until: '2026' }, { cursor: '-1' }, { as_of: -1 }]) {
    assert.throws(() => ledger.search(query), { code: 'invalid_query' })
  }
})

test('two values of one event that share a term are indexed once, and found by either', async t => {
  const { folder, ledger } = await fresh(t)
  // Found by trying: both have the same 40 bits.
  const [requestId, traceId] = ['r1316176', 't1912941']
  assert.equal(termOf('request_id', requestId), termOf('trace_id', traceId))
  const { meta } = testEvent(0)
  await ledger.append({ payload: '', meta: { ...meta, request_id: requestId, trace_id: traceId } })
  for (let from = 1; from < 5_000; from += 1_000) {
    await ledger.appendBatch(Array.from({ length: 1_000 }, (_, i) => testEvent(from + i)))
  }
  assert.equal(ledger.head().size, 5_001)
  for (const query of [{ request_id: requestId }, { trace_id: traceId }]) {
    assert.deepEqual(
      ledger.search(query).events.map(event => event.index),
      [0],
    )
  }
  await ledger.close()
  assert.equal(checkLog(folder).verdict, 'ok')
})

test('a search goes on from one segment of the index into the next, in both directions', async t => {
  const { folder, ledger } = await fresh(t)
  const marks = [0, 4_095, 4_096, 4_097, 8_191, 8_192, 8_300]
  const total = 9_000
  for (let from = 0; from < total; from += 1_000) {
    await ledger.appendBatch(Array.from({ length: 1_000 }, (_, i) => testEvent(from + i, marked(from + i))))
  }
  for (const order of ['asc', 'desc'] as const) {
    const seen: number[] = []
    let cursor: string | undefined
    do {
      const page = ledger.search({
        subject: 'marked',
        order,
        limit: 2,
        ...(cursor === undefined ? {} : { cursor }),
      })
      seen.push(...page.events.map(event => event.index))
      cursor = page.nextCursor ?? undefined
    } while (cursor !== undefined)
    assert.deepEqual(seen, order === 'asc' ? marks : marks.toReversed())
  }
  assert.deepEqual(
    ledger.search({ subject: 'marked', as_of: 4_096 }).events.map(event => event.index),
    [4_095, 0],
  )
  await ledger.close()
  assert.equal(checkLog(folder).verdict, 'ok')

  function marked(n: number) {
    const { meta } = testEvent(n)
    return { meta: marks.includes(n) ? { ...meta, subject: 'marked' } : meta }
  }
})
