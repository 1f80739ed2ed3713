import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { aLedger, someEvents } from '../testing/ledger-events.ts'
import {
  isBatch,
  keepAll,
  type LedgerStandIn,
  type Script,
  singlePostsOnly,
} from '../testing/ledger-stand-in.ts'
import { httpLedger } from './http-ledger.ts'
import { type LedgerClient, LedgerUnavailable } from './ledger-client.ts'

async function aClient(
  t: TestContext,
  script: Script,
  timeout?: number,
): Promise<{ ledger: LedgerStandIn; client: LedgerClient }> {
  const ledger = await aLedger(t, script)
  const client = httpLedger({
    url: ledger.url,
    apiKey: 'test-key',
    ...(timeout === undefined ? {} : { timeout }),
  })
  return { ledger, client }
}

async function someTurns(): Promise<void> {
  for (let i = 0; i < 100; i++) await setImmediate()
}

test('IF-27 IF-28 IP-05 one event on the wire: the call, the raw headers, JSON inside JSON', async t => {
  const { ledger, client } = await aClient(t, keepAll)
  const [event] = someEvents(1)
  const [result] = await client.appendBatch([event!])
  const [call] = ledger.calls
  assert.deepEqual([call!.method, call!.path], ['POST', '/v1/events'])
  const raw = new Map<string, string>()
  for (let i = 0; i < call!.rawHeaders.length; i += 2) {
    const name = call!.rawHeaders[i]!.toLowerCase()
    assert.ok(!raw.has(name), `${name} twice`)
    raw.set(name, call!.rawHeaders[i + 1]!)
  }
  assert.equal(raw.get('authorization'), 'Bearer test-key')
  assert.equal(raw.get('content-type'), 'application/json')
  assert.equal(raw.get('idempotency-key'), event!.idempotencyKey)
  assert.equal(raw.get('request-id'), 'r0')
  assert.equal(raw.get('x-client-tz'), 'UTC')
  assert.equal(raw.get('x-client-offset-minutes'), '0')
  assert.deepEqual(JSON.parse(call!.body), { payload: event!.payload, meta: event!.meta })
  assert.deepEqual(JSON.parse(JSON.parse(call!.body).payload), { n: 0, word: 'naïve 日本' })
  assert.ok(call!.body.includes('日本'), 'UTF-8, not escapes')
  assert.deepEqual(result, {
    ok: true,
    txId: `tx-${event!.idempotencyKey}`,
    payloadHash: 'ab'.repeat(32),
    duplicate: false,
    requestId: 'r0',
  })
})

test('IF-31 keys and request ids that no header can hold arrive percent-encoded', async t => {
  const { ledger, client } = await aClient(t, keepAll)
  const [event] = someEvents(1)
  const strange = { ...event!, idempotencyKey: 'http.GET./日本 \r\nX-Evil: 1', requestId: '\ud800ü' }
  assert.equal((await client.appendBatch([strange]))[0]!.ok, true)
  assert.equal(decodeURIComponent(ledger.calls[0]!.headers['idempotency-key']!), strange.idempotencyKey)
  assert.equal(decodeURIComponent(ledger.calls[0]!.headers['request-id']!), '\ufffdü')
  assert.equal(ledger.calls[0]!.headers['x-evil'], undefined)
})

test('IP-09 a batch is one call; each result stands where its event stood, by its own numeric status', async t => {
  const refusals = new Map([
    [1, { ok: false, status: 400, reason: 'invalid_meta', message: 'meta has no type' }],
    [2, { ok: false, status: 503 }],
    [3, { ok: false, status: 429, reason: 'monthly_limit_exceeded' }],
  ])
  const { ledger, client } = await aClient(t, call => ({
    status: 200,
    body: {
      results: call.items.map(
        (item, i) => refusals.get(i) ?? { ok: true, status: 202, tx_id: item.key, index: i },
      ),
    },
  }))
  const results = await client.appendBatch(someEvents(5))
  assert.equal(ledger.calls.length, 1)
  assert.deepEqual(
    results.map(result => (result.ok ? result.index : [result.status, result.reason, result.retryable])),
    [0, [400, 'invalid_meta', false], [503, 'http_503', true], [429, 'monthly_limit_exceeded', false], 4],
  )
  assert.deepEqual(
    ledger.calls[0]!.items.map(({ meta }) => meta.event_name),
    ['e0', 'e1', 'e2', 'e3', 'e4'],
  )
})

test('ruling 22 404 and 405 on the batch call: single posts, at most five at once, remembered', async t => {
  for (const status of [404, 405]) {
    const busy: (() => void)[] = []
    const { ledger, client } = await aClient(t, async (call, nth, ledger) => {
      if (isBatch(call)) return { status }
      // The first five are answered once all five are there, so that fewer at once would hang, and not before a
      // sixth had its chance.
      if (nth <= 6) {
        await new Promise<void>(go => {
          busy.push(go)
          if (busy.length === 5) {
            void someTurns().then(() => {
              for (const each of busy) each()
            })
          }
        })
      }
      return ledger.keep(call)
    })
    const events = someEvents(50)
    const results = await client.appendBatch(events)
    assert.deepEqual(
      results.map(result => result.ok && result.txId),
      events.map(({ idempotencyKey }) => `tx-${idempotencyKey}`),
    )
    assert.equal(ledger.mostAtOnce, 5)
    assert.equal(ledger.calls.length, 51)
    await client.appendBatch(someEvents(3))
    assert.deepEqual(
      ledger.calls.slice(51).map(({ path }) => path),
      Array(3).fill('/v1/events'),
    )
  }
})

test('IP-06 single posts stop at the first 429', async t => {
  const { ledger, client } = await aClient(t, call =>
    isBatch(call) ? { status: 404 } : { status: 429, body: { reason: 'monthly_limit_exceeded' } },
  )
  const results = await client.appendBatch(someEvents(40))
  assert.ok(results.length === 40 && results.every(result => !result.ok && result.status === 429))
  assert.ok(ledger.calls.length <= 6, `${ledger.calls.length} calls`)
})

test('IF-34 single posts: one that fails for now is told apart from one refused for good', async t => {
  const { client } = await aClient(t, (call, nth, ledger) => {
    const name = call.items[0]!.meta.event_name
    if (isBatch(call)) return singlePostsOnly(call, nth, ledger)
    if (name === 'e1') return 'cut'
    if (name === 'e2') return { status: 503, headers: { 'Retry-After': '9' } }
    return name === 'e3' ? { status: 400 } : ledger.keep(call)
  })
  const results = await client.appendBatch(someEvents(5))
  assert.deepEqual(
    results.map(result => (result.ok ? 'kept' : [result.retryable, result.retryAfter, result.status])),
    ['kept', [true, undefined, undefined], [true, 9_000, undefined], [false, undefined, 400], 'kept'],
  )
})

test('IF-34 413 splits a batch until it fits; a single event too large is refused', async t => {
  const { ledger, client } = await aClient(t, (call, _nth, ledger) =>
    call.items.length > 3 || call.items.some(({ meta }) => meta.event_name === 'e5')
      ? { status: 413, body: { reason: 'payload_too_large' } }
      : ledger.keep(call),
  )
  const events = someEvents(10)
  const results = await client.appendBatch(events)
  assert.deepEqual(
    results.map(result => (result.ok ? result.txId : result.reason)),
    events.map(({ idempotencyKey }, i) => (i === 5 ? 'payload_too_large' : `tx-${idempotencyKey}`)),
  )
  assert.equal(ledger.stored.size, 9)
})

test('IF-34 a refusal of a whole batch is a refusal of the events that cause it, not of their company', async t => {
  for (const status of [400, 403, 409, 422]) {
    const { ledger, client } = await aClient(t, (call, _nth, ledger) =>
      call.items.some(({ meta }) => meta.event_name === 'e5')
        ? { status, body: 'blocked' }
        : ledger.keep(call),
    )
    const events = someEvents(20)
    const results = await client.appendBatch(events)
    assert.deepEqual(
      results.map(result => (result.ok ? result.txId : result.status)),
      events.map(({ idempotencyKey }, i) => (i === 5 ? status : `tx-${idempotencyKey}`)),
    )
    assert.equal(ledger.stored.size, 19)
  }
})

test('IF-34 IP-07 a refusal of the key is one of the whole batch, and asked once', async t => {
  for (const [status, reason] of [
    [401, 'anything'],
    [403, 'insufficient_scope'],
  ]) {
    const { ledger, client } = await aClient(t, () => ({ status: Number(status), body: { reason } }))
    const results = await client.appendBatch(someEvents(20))
    assert.ok(results.every(result => !result.ok && result.status === status && !result.retryable))
    assert.equal(ledger.calls.length, 1)
  }
})

test('IF-34 when the ledger goes away within a split batch, what it judged before stands', async t => {
  const { client } = await aClient(t, (call, nth, ledger) => {
    if (nth === 1) return { status: 422 }
    return nth === 2 ? ledger.keep(call) : { status: 503 }
  })
  const results = await client.appendBatch(someEvents(4))
  assert.deepEqual(
    results.map(result => result.ok || result.retryable),
    [true, true, true, true],
  )
  assert.deepEqual(
    results.map(({ ok }) => ok),
    [true, true, false, false],
  )
})

test('IP-06 a split batch stops at a 429 too', async t => {
  const { ledger, client } = await aClient(t, call => ({ status: call.items.length > 4 ? 413 : 429 }))
  const results = await client.appendBatch(someEvents(16))
  assert.ok(results.length === 16 && results.every(result => !result.ok && result.status === 429))
  assert.equal(ledger.calls.length, 3)
})

test('IF-34 IP-07 statuses of a whole call: final, quota, or to be tried again', async t => {
  let status = 0
  const { client } = await aClient(t, () => ({ status, body: { ok: false, reason: 'because' } }))
  for (const count of [1, 2]) {
    for (status of [400, 401, 403, 409, 422, 429]) {
      const results = await client.appendBatch(someEvents(count))
      assert.deepEqual(
        results.map(result => !result.ok && [result.status, result.reason, result.retryable]),
        Array(count).fill([status, 'because', false]),
      )
    }
    for (status of [302, 408, 425, 500, 502, 503, 504, 599])
      await assert.rejects(client.appendBatch(someEvents(count)), LedgerUnavailable, String(status))
  }
})

test('IF-28 a redirect is not followed: the key is for one URL only', async t => {
  const elsewhere = await aLedger(t, keepAll)
  const { client } = await aClient(t, () => ({
    status: 307,
    headers: { Location: `${elsewhere.url}/v1/events` },
  }))
  await assert.rejects(client.appendBatch(someEvents(1)), LedgerUnavailable)
  assert.equal(elsewhere.calls.length, 0)
})

test('IP-03 answers that say nothing leave the fate of the events open', async t => {
  let body = ''
  const { client } = await aClient(t, () => ({ status: 200, body }))
  for (body of ['', '<html>', 'null', '5']) {
    await assert.rejects(client.appendBatch(someEvents(1)), LedgerUnavailable, `one: ${body}`)
    await assert.rejects(client.appendBatch(someEvents(2)), LedgerUnavailable, `batch: ${body}`)
  }
  for (body of ['{}', '{"results":5}', '[]'])
    await assert.rejects(client.appendBatch(someEvents(2)), LedgerUnavailable, body)
})

test('IF-32 a ledger that never answers is given up after the timeout', async t => {
  const { client } = await aClient(t, () => 'never', 30)
  await assert.rejects(client.appendBatch(someEvents(1)), /timeout/)
})

test('IP-07 a ledger that is not there: the reason names the failure, never the key', async t => {
  const ledger = await aLedger(t, () => 'cut')
  const client = httpLedger({ url: ledger.url, apiKey: 'iml_live_secret' })
  await assert.rejects(client.appendBatch(someEvents(1)), (error: Error) => {
    assert.ok(error instanceof LedgerUnavailable && error.cause !== undefined)
    assert.match(error.message, /closed|reset|terminated/i)
    assert.ok(!error.message.includes('iml_live_secret'))
    return true
  })
})

test('IF-27 the base URL may have a path and a trailing slash', async t => {
  const ledger = await aLedger(t, keepAll)
  await httpLedger({ url: `${ledger.url}/proxy//`, apiKey: 'k' }).appendBatch(someEvents(1))
  assert.equal(ledger.calls[0]!.path, '/proxy/v1/events')
})

test('ruling 22 a ledger known to have no batch call is never asked for one', async t => {
  const ledger = await aLedger(t, keepAll)
  const client = httpLedger({ url: ledger.url, apiKey: 'test-key', batches: false })
  const events = someEvents(12)
  const results = await client.appendBatch(events)
  assert.ok(results.every(({ ok }) => ok))
  assert.deepEqual(
    ledger.calls.map(({ path }) => path),
    events.map(() => '/v1/events'),
  )
  assert.ok(ledger.mostAtOnce <= 5)
})

test('IP-06 one post gives the answer as it came, beside what it means', async t => {
  const { ledger } = await aClient(t, () => ({ status: 202, body: { tx_id: 'tx-1', more: [1] } }))
  const client = httpLedger({ url: ledger.url, apiKey: 'test-key' })
  const [event] = someEvents(1)
  const { result, body } = await client.post(event!)
  assert.deepEqual([result.ok, body], [true, { tx_id: 'tx-1', more: [1] }])
})
