import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { aLedger, someEvents } from '../testing/ledger-events.ts'
import { isBatch, keepAll, type Script, singlePostsOnly, until } from '../testing/ledger-stand-in.ts'
import { Delivery } from './delivery.ts'
import type { DeliveryOptions } from './delivery-options.ts'
import { httpLedger } from './http-ledger.ts'
import { SendError, type SendErrorCode } from './send-error.ts'

const quick: DeliveryOptions = { linger: 1, backoff: { base: 1, cap: 3 } }

/** A delivery to a stand-in, and the codes it warned with. */
async function aDelivery(t: TestContext, script: Script, options: DeliveryOptions = quick, timeout = 5_000) {
  const ledger = await aLedger(t, script)
  const warned: string[] = []
  const client = httpLedger({ url: ledger.url, apiKey: 'k', timeout })
  const delivery = new Delivery(client, code => warned.push(code), options)
  t.after(() => delivery.close())
  return { ledger, delivery, warned }
}

const failsWith =
  (code: SendErrorCode) =>
  (error: unknown): boolean =>
    error instanceof SendError && error.code === code

test('IF-33 IF-34 IP-06 a 202 is delivered and acknowledged with its tx_id', async t => {
  const { ledger, delivery } = await aDelivery(t, keepAll)
  const [event] = someEvents(1)
  const { txId, status, duplicate, requestId, idempotencyKey } = await delivery.send(event!, 5_000)
  assert.deepEqual(
    [txId, status, duplicate, requestId, idempotencyKey],
    [`tx-${event!.idempotencyKey}`, 'accepted', false, 'r0', event!.idempotencyKey],
  )
  assert.equal((await delivery.send(event!, 5_000)).duplicate, true)
  assert.deepEqual([delivery.stats().delivered, delivery.stats().duplicate, ledger.stored.size], [2, 1, 1])
})

test('IF-34 order is kept, over batches and over failures', async t => {
  const { ledger, delivery } = await aDelivery(t, (call, nth, ledger) =>
    nth % 2 === 1 ? { status: 500 } : ledger.keep(call),
  )
  const events = someEvents(700)
  for (const event of events) delivery.offer(event)
  assert.equal(await delivery.flush(5_000), true)
  assert.deepEqual(
    [...ledger.stored.keys()],
    events.map(({ idempotencyKey }) => idempotencyKey),
  )
  assert.equal(ledger.calls.length, 6)
  assert.ok(ledger.mostAtOnce <= 1)
})

test('IF-34 400 and 401 are final: counted, told, and never sent again', async t => {
  for (const status of [400, 401]) {
    const { ledger, delivery, warned } = await aDelivery(t, () => ({ status, body: { reason: 'because' } }))
    const [first, second] = someEvents(2)
    delivery.offer(first!)
    assert.equal(await delivery.flush(5_000), true)
    await assert.rejects(delivery.send(second!, 5_000), error => {
      assert.ok(failsWith('rejected')(error) && error instanceof SendError)
      assert.deepEqual([error.reason, error.ledgerStatus], ['because', status])
      return true
    })
    assert.equal(ledger.calls.length, 2)
    assert.equal(delivery.stats().rejected, 2)
    assert.equal(delivery.stats().queued, 0)
    assert.deepEqual(warned, ['audit_rejected', 'audit_rejected'])
  }
})

test('IF-34 one bad event of a batch does not hold the others', async t => {
  const { ledger, delivery } = await aDelivery(t, (call, _nth, ledger) => {
    const kept = ledger.keep(call) as { body: { results: object[] } }
    kept.body.results[1] = { ok: false, status: 422, reason: 'invalid_meta', message: 'bad' }
    return { status: 200, body: kept.body }
  })
  for (const event of someEvents(3)) delivery.offer(event)
  assert.equal(await delivery.flush(5_000), true)
  assert.equal(ledger.calls.length, 1)
  assert.deepEqual([delivery.stats().delivered, delivery.stats().rejected], [2, 1])
})

test('IP-06 after a 429 nothing is sent; waiting sends reject, automatic events stay', async t => {
  const { ledger, delivery, warned } = await aDelivery(t, () => ({
    status: 429,
    body: { ok: false, reason: 'monthly_limit_exceeded' },
  }))
  const [automatic, ...explicit] = someEvents(4)
  delivery.offer(automatic!)
  const waiting = explicit.map(event => delivery.send(event, 5_000))
  for (const each of waiting) await assert.rejects(each, failsWith('quota_exceeded'))
  assert.equal(ledger.calls.length, 1)
  for (const event of someEvents(100)) delivery.offer(event)
  await assert.rejects(delivery.send(someEvents(1)[0]!, 5_000), failsWith('quota_exceeded'))
  assert.equal(await delivery.flush(5_000), false, 'and does not wait for a pause of an hour')
  assert.equal(ledger.calls.length, 1)
  const { queued, rejected, dropped, delivered, pausedUntil } = delivery.stats()
  assert.deepEqual([queued, rejected, dropped, delivered], [101, 3, 1, 0])
  assert.ok(pausedUntil !== null && pausedUntil > Date.now() + 3_000_000)
  assert.deepEqual([...new Set(warned)], ['audit_quota'])
})

test('IP-06 a 429 that asks for no pause, or for an absurd one, still pauses for a time that exists', async t => {
  for (const wish of ['0', '9'.repeat(30), '9'.repeat(400), 'Mon, 01 Jan 2001 00:00:00 GMT', 'soon']) {
    const { ledger, delivery } = await aDelivery(t, () => ({ status: 429, headers: { 'Retry-After': wish } }))
    for (const event of someEvents(2)) delivery.offer(event)
    await until(() => delivery.stats().pausedUntil !== null || ledger.calls.length > 1)
    await assert.rejects(delivery.send(someEvents(1)[0]!, 5_000), failsWith('quota_exceeded'), wish)
    assert.equal(ledger.calls.length, 1, wish)
    assert.equal(delivery.stats().queued, 2)
  }
})

test('IP-07 IP-08 500 and 503 are tried again with the same bytes and keys, and stored once', async t => {
  const { ledger, delivery, warned } = await aDelivery(t, (call, nth, ledger) => {
    if (nth === 1) return { status: 500 }
    return nth === 2 ? { status: 503, headers: { 'Retry-After': '0' } } : ledger.keep(call)
  })
  const sent = someEvents(5).map(event => delivery.send(event, 5_000))
  const answers = await Promise.all(sent)
  assert.ok(answers.every(({ duplicate }) => !duplicate))
  assert.equal(ledger.calls.length, 3)
  assert.equal(new Set(ledger.calls.map(({ body }) => body)).size, 1)
  assert.equal(ledger.stored.size, 5)
  assert.deepEqual(
    [delivery.stats().delivered, delivery.stats().retried, delivery.stats().rejected],
    [5, 10, 0],
  )
  assert.deepEqual(warned, ['audit_delayed', 'audit_delayed', 'audit_resumed'])
})

test('IP-08 a connection cut after storing leaves one entry, for one event and for a batch', async t => {
  for (const count of [1, 4]) {
    const { ledger, delivery } = await aDelivery(t, (call, nth, ledger) => {
      const answer = ledger.keep(call)
      return nth === 1 ? 'cut' : answer
    })
    const answers = await Promise.all(someEvents(count).map(event => delivery.send(event, 5_000)))
    assert.ok(answers.every(({ duplicate }) => duplicate))
    assert.equal(ledger.stored.size, count)
    assert.deepEqual([ledger.calls.length, delivery.stats().delivered], [2, count])
    assert.equal(ledger.calls[0]!.body, ledger.calls[1]!.body)
    assert.equal(ledger.calls[0]!.headers['idempotency-key'], ledger.calls[1]!.headers['idempotency-key'])
  }
})

test('IF-30 IP-08 single posts: what was cut is repeated under its key, what was stored is not', async t => {
  let cut = true
  const { ledger, delivery } = await aDelivery(t, (call, nth, ledger) => {
    if (isBatch(call)) return singlePostsOnly(call, nth, ledger)
    const answer = ledger.keep(call)
    if (call.items[0]!.meta.event_name !== 'e1' || !cut) return answer
    cut = false
    return 'cut'
  })
  for (const event of someEvents(3)) delivery.offer(event)
  assert.equal(await delivery.flush(5_000), true)
  assert.equal(ledger.stored.size, 3)
  assert.equal(ledger.calls.length, 5)
  assert.deepEqual(
    [delivery.stats().delivered, delivery.stats().duplicate, delivery.stats().retried],
    [3, 1, 1],
  )
})

test('IF-32 IP-03 a ledger that never answers: send() rejects with timeout, the event is given up', async t => {
  const { ledger, delivery } = await aDelivery(t, () => 'never')
  await assert.rejects(delivery.send(someEvents(1)[0]!, 40), failsWith('timeout'))
  assert.ok(ledger.calls.length <= 1)
})

test('IF-32 one call without an answer is given up and made again', async t => {
  const { ledger, delivery } = await aDelivery(
    t,
    (call, nth, ledger) => (nth === 1 ? 'never' : ledger.keep(call)),
    quick,
    30,
  )
  delivery.offer(someEvents(1)[0]!)
  await until(() => ledger.calls.length > 1)
  assert.equal(await delivery.flush(5_000), true)
  assert.equal(ledger.stored.size, 1)
})

test('IF-35 the queue is bounded: the newest are dropped, counted, and send() says queue_full', async t => {
  const { ledger, delivery, warned } = await aDelivery(t, () => 'never', { ...quick, capacity: 10 })
  const events = someEvents(15)
  for (const event of events) delivery.offer(event)
  await assert.rejects(delivery.send(someEvents(1)[0]!, 5_000), failsWith('queue_full'))
  assert.deepEqual([delivery.stats().queued, delivery.stats().dropped], [10, 6])
  assert.deepEqual(warned, Array(5).fill('audit_dropped'))
  await until(() => ledger.calls.length === 1)
  assert.deepEqual(
    ledger.calls[0]!.items.map(({ key }) => key),
    events.slice(0, 10).map(({ idempotencyKey }) => idempotencyKey),
  )
})

test('IF-37 flush() resolves to false when time runs out, and to true at once when nothing waits', async t => {
  const { ledger, delivery } = await aDelivery(t, () => 'never')
  assert.equal(await delivery.flush(0), true)
  delivery.offer(someEvents(1)[0]!)
  await until(() => ledger.calls.length === 1)
  assert.equal(await delivery.flush(20), false)
})

test('IF-37 close() gives up what waits, rejects its senders, and takes nothing more', async t => {
  const { ledger, delivery, warned } = await aDelivery(t, () => ({
    status: 503,
    headers: { 'Retry-After': '60' },
  }))
  const [automatic, sent, late] = someEvents(3)
  delivery.offer(automatic!)
  const waiting = assert.rejects(delivery.send(sent!, 5_000), failsWith('closed'))
  await until(() => delivery.stats().retried > 0 || ledger.calls.length > 1)
  assert.deepEqual(delivery.close(), { dropped: 2, spooled: 0 })
  await waiting
  assert.equal(delivery.stats().dropped, 2)
  await assert.rejects(delivery.send(late!, 5_000), failsWith('closed'))
  delivery.offer(late!)
  assert.deepEqual([delivery.stats().dropped, delivery.stats().queued, ledger.calls.length], [4, 0, 1])
  assert.ok(warned.includes('audit_dropped'))
  assert.equal(await delivery.flush(5_000), true)
})

test('IF-37 close() while a call is under way: its answer still counts', async t => {
  const { ledger, delivery } = await aDelivery(t, async (call, _nth, ledger) => {
    delivery.close()
    return ledger.keep(call)
  })
  await delivery.send(someEvents(1)[0]!, 5_000)
  const { delivered, dropped, queued } = delivery.stats()
  assert.deepEqual([delivered, dropped, queued, ledger.stored.size], [1, 0, 0, 1])
})
