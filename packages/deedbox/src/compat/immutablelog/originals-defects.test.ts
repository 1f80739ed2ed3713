import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { aLedger } from '../../testing/ledger-events.ts'
import { keepAll, type LedgerStandIn, type Script, until } from '../../testing/ledger-stand-in.ts'
import { type OriginalSetup, originalMiddleware, originalSendWithRetry } from '../../testing/original-way.ts'
import { addRoutes, anAudit, aSender, serve } from '../../testing/originals.ts'

/** A service that was watched through some requests, and what it knows of its events. */
interface Watched {
  readonly ledger: LedgerStandIn
  get(path: string, headers?: Record<string, string>): Promise<unknown>
  /** Warnings so far. */
  readonly warnings: () => number
  /** Events that the service knows it lost or could not deliver. */
  readonly troubled: () => number
  /** Resolves once no event is under way. */
  settled(calls: number): Promise<void>
}

type Way = (t: TestContext, script: Script) => Promise<Watched>

const ours: Way = async (t, script) => {
  const ledger = await aLedger(t, script)
  const backoff = { base: 1, cap: 1 }
  const { audit, box, lines } = anAudit(t, ledger.url, { audit: { backoff, linger: 0 } })
  const url = await serve(t, app => {
    audit.attach(app)
    addRoutes(app)
  })
  return {
    ledger,
    get: (path, headers = {}) => fetch(url + path, { headers, redirect: 'manual' }).then(got => got.text()),
    warnings: () => lines.filter(({ level }) => level === 'WARNING').length,
    troubled: () => {
      const { queued, rejected, dropped, retried } = box.stats().audit
      return queued + rejected + dropped + retried
    },
    settled: async calls => {
      await until(() => ledger.calls.length >= calls)
      const { queued } = box.stats().audit
      if (queued > 0) await box.flush(2_000)
    },
  }
}

const originals: Way = async (t, script) => {
  const ledger = await aLedger(t, script)
  let warnings = 0
  const setup: OriginalSetup = { apiUrl: ledger.url, apiKey: 'iml_live_secret', warn: () => warnings++ }
  const url = await serve(t, app => {
    const last = originalMiddleware(app, setup)
    addRoutes(app)
    last()
  })
  return {
    ledger,
    get: (path, headers = {}) => fetch(url + path, { headers, redirect: 'manual' }).then(got => got.text()),
    warnings: () => warnings,
    troubled: () => 0,
    settled: async calls => until(() => ledger.calls.length + warnings >= calls),
  }
}

/** What holds for ours, and, so that the test is known to be able to fail, does not hold for the original. */
function better(title: string, holds: (way: Way, t: TestContext) => Promise<void>): void {
  test(title, async t => {
    await holds(ours, t)
    await assert.rejects(holds(originals, t), assert.AssertionError)
  })
}

better('IF-29 an unhandled exception is one event, with the exception', async (way, t) => {
  const { ledger, get, settled } = await way(t, keepAll)
  await get('/throws')
  await get('/after')
  await settled(2)
  await until(() => [...ledger.stored.values()].some(({ payload }) => payload.includes('/after')))
  const thrown = ledger.calls
    .flatMap(({ items }) => items)
    .filter(({ payload }) => payload.includes('/throws'))
  assert.deepEqual(
    thrown.map(({ payload }) => JSON.parse(payload).error.exception),
    ['RangeError'],
  )
})

better('IF-30 two requests under one client-chosen id are two entries', async (way, t) => {
  const { ledger, get, settled } = await way(t, keepAll)
  for (const _ of [1, 2]) await get('/orders/7', { 'x-request-id': 'chosen-by-the-client' })
  await settled(2)
  assert.equal(ledger.stored.size, 2)
})

better('IF-31 the event of a path that no header can hold arrives', async (way, t) => {
  const { ledger, get, settled } = await way(t, keepAll)
  await get('/日本')
  await settled(1)
  assert.equal(ledger.stored.size, 1)
})

better('IF-34 an event that met a 500 is sent again, until it is stored', async (way, t) => {
  const { ledger, get, settled } = await way(t, (call, nth, ledger) =>
    nth === 1 ? { status: 500, body: { ok: false, reason: 'internal_error' } } : ledger.keep(call),
  )
  await get('/orders/7')
  await settled(1)
  assert.equal(ledger.stored.size, 1)
})

better('IF-34 a refusal does not look like a success: it is counted and told', async (way, t) => {
  const { get, settled, troubled, warnings } = await way(t, () => ({ status: 401, body: { ok: false } }))
  await get('/orders/7')
  await settled(1)
  assert.deepEqual([troubled(), warnings()], [1, 1])
})

better('IF-35 with the ledger down warnings are bounded, and losses are counted', async (way, t) => {
  const { get, settled, troubled, warnings } = await way(t, () => 'cut')
  for (let n = 0; n < 40; n++) assert.equal(await get('/orders/7'), '{"ok":true}')
  await settled(1)
  assert.ok(troubled() > 0)
  assert.ok(warnings() < 5, `${warnings()} warnings`)
})

type Retry = (t: TestContext, ledger: LedgerStandIn, maxRetries: number) => Promise<unknown>

const oursAgain: Retry = (t, ledger, maxRetries) =>
  aSender(t, ledger.url).sender.sendWithRetry('paid', { id: 'p1' }, {}, { maxRetries, baseDelay: 0.001 })

const originalsAgain: Retry = (_t, ledger, maxRetries) =>
  originalSendWithRetry(
    { apiUrl: ledger.url, apiKey: 'iml_live_secret', warn: () => undefined },
    'paid',
    { id: 'p1' },
    {
      maxRetries,
      baseDelay: 0.001,
    },
  )

/** As {@link better}, for the function that sends again. */
function betterAgain(title: string, holds: (retry: Retry, t: TestContext) => Promise<void>): void {
  test(title, async t => {
    await holds(oursAgain, t)
    await assert.rejects(holds(originalsAgain, t), assert.AssertionError)
  })
}

for (const status of [400, 401, 403, 413]) {
  betterAgain(`IP-07 a ${status} is final: it is not sent again`, async (retry, t) => {
    const ledger = await aLedger(t, () => ({ status, body: { ok: false, reason: 'no' } }))
    assert.equal(await retry(t, ledger, 3), undefined)
    assert.equal(ledger.calls.length, 1)
  })
}

betterAgain('IP-07 a ledger that wishes an hour is not asked again before', async (retry, t) => {
  const ledger = await aLedger(t, () => ({ status: 503, headers: { 'Retry-After': '3600' } }))
  assert.equal(await retry(t, ledger, 3), undefined)
  assert.equal(ledger.calls.length, 1)
})

betterAgain(
  'IP-08 stored but unanswered: sent again as identical bytes under the same key, one entry',
  async (retry, t) => {
    const ledger = await aLedger(t, (call, nth, ledger) => {
      const answer = ledger.keep(call)
      return nth < 3 ? 'cut' : answer
    })
    const answer = (await retry(t, ledger, 3)) as { duplicate: boolean }
    assert.equal(ledger.stored.size, 1)
    assert.equal(new Set(ledger.calls.map(({ body }) => body)).size, 1)
    assert.deepEqual([ledger.calls.length, answer.duplicate], [3, true])
  },
)
