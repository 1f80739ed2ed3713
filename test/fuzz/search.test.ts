// Search with any filters, cursors, sizes and times: a page, or a refusal that says which parameter is wrong.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { EventQuery, StoredEvent } from '@deedbox/ledger'
import { LedgerError } from '../../packages/ledger/src/errors.ts'
import { openTestLedger, tempFolder } from '../../packages/ledger/src/testing/temp-ledger.ts'
import { fuzzAsync, requireReached } from './fuzz.ts'
import { mutateText, numberEdges } from './mutator.ts'
import type { Random } from './random.ts'

const values = ['a', 'b', 'ü%_*', "' OR 1=1 --", '\u0001', 'a b']
const metaFilters = ['env', 'request_id', 'trace_id', 'subject', 'correlation_id', 'outcome'] as const
const times = [
  '2026-11-20T18:00:00Z',
  '1970-01-01T00:00Z',
  '9999-12-31T23:59:59.999999999+14:00',
  '2026-02-30T00:00:00Z',
]

function madeQuery(random: Random): EventQuery {
  const query: Record<string, unknown> = {}
  const maybe = (name: string, value: () => unknown, odds = 4) => {
    if (random.once(odds)) query[name] = value()
  }
  for (const name of [...metaFilters, 'actor', 'event_name'] as const)
    maybe(name, () => random.pick(values), 7)
  maybe('kind', () => random.pick(['event', 'admin', 'erasure']))
  maybe('order', () => random.pick(['asc', 'desc']), 2)
  maybe('limit', () => 1 + random.below(random.pick([3, 50, 500])), 2)
  maybe('as_of', () => (random.once(2) ? random.below(90) : Number(random.pick(numberEdges))))
  maybe('since', () => mutateText(random, random.pick(times), times), 8)
  maybe(
    'until',
    () => (random.once(2) ? random.pick(times) : mutateText(random, random.pick(times), times)),
    8,
  )
  maybe('cursor', () => random.pick([String(random.below(90)), ...numberEdges]), 8)
  return query as EventQuery
}

/** What the query's filters say, asked of each event by itself. */
function fits(event: StoredEvent, query: EventQuery): boolean {
  const { actor, ...meta } = event.meta
  return (
    (query.kind === undefined || query.kind === event.kind) &&
    (query.actor === undefined || query.actor === actor?.id) &&
    (query.event_name === undefined || query.event_name === meta.event_name) &&
    metaFilters.every(name => query[name] === undefined || query[name] === meta[name]) &&
    (query.since === undefined || Date.parse(event.at) >= Date.parse(query.since)) &&
    (query.until === undefined || Date.parse(event.at) < Date.parse(query.until))
  )
}

test('P11 every search ends, page after page, with exactly the events that fit, or is refused for a reason', async t => {
  const ledger = await openTestLedger(t, tempFolder(t))
  for (let n = 0; n < 80; n++) {
    const [value, other] = [values[n % values.length]!, values[(n * 5 + 1) % values.length]!]
    const some = Object.fromEntries(
      metaFilters.filter((_, i) => (n >> (i % 3)) & 1).map(name => [name, value]),
    )
    const meta = { type: 'info', event_name: other, service: 's', ...some } as const
    await ledger.append({ payload: String(n), meta: n % 3 === 0 ? { ...meta, actor: { id: value } } : meta })
  }
  const all = ledger.search({ order: 'asc', limit: 500 }).events
  assert.equal(all.length, 80)
  const reached = { found: 0, none: 0, refused: 0, pages: 0 }
  await fuzzAsync('search', 800, async (random, note) => {
    const query = madeQuery(random)
    note(query)
    const found: StoredEvent[] = []
    let cursor: string | null | undefined = query.cursor
    let asOf = query.as_of
    try {
      for (let pages = 0; cursor !== null; pages++) {
        assert.ok(pages <= 100, 'the pages never end')
        const page = ledger.search({
          ...query,
          ...(cursor === undefined ? {} : { cursor }),
          ...(asOf === undefined ? {} : { as_of: asOf }),
        })
        found.push(...page.events)
        cursor = page.nextCursor
        asOf = page.asOf
        if (pages > 0) reached.pages++
      }
    } catch (error) {
      assert.ok(error instanceof LedgerError, String((error as Error).stack))
      assert.equal(error.code, 'invalid_query')
      assert.match(error.message, /^The query parameter (as_of|cursor|since|until) must be /)
      reached.refused++
      return
    }
    const newestFirst = query.order !== 'asc'
    const expected = all.filter(event => {
      const start = query.cursor === undefined ? undefined : Number(query.cursor)
      const isBehind = start === undefined || (newestFirst ? event.index <= start : event.index >= start)
      return isBehind && event.index < (query.as_of ?? 80) && fits(event, query)
    })
    assert.deepEqual(found, newestFirst ? expected.toReversed() : expected)
    if (found.length > 0) reached.found++
    else reached.none++
  })
  requireReached(reached)
})
