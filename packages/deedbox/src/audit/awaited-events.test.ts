import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { aLedger, someEvents } from '../testing/ledger-events.ts'
import { keepAll, type Script, until } from '../testing/ledger-stand-in.ts'
import { aSpooledOutlet, spoolFolder } from '../testing/spooled-events.ts'
import { Delivery } from './delivery.ts'
import type { DeliveryOptions } from './delivery-options.ts'
import { EventQueue } from './event-queue.ts'
import { httpLedger } from './http-ledger.ts'
import type { QueuedEvent } from './queued-event.ts'

/** A delivery to a stand-in whose first call is answered once the test lets go. */
async function aHeldDelivery(t: TestContext, batches: boolean) {
  const { promise, resolve: letGo } = Promise.withResolvers<void>()
  const ledger = await aLedger(t, async (call, _nth, ledger) => {
    await promise
    return ledger.keep(call)
  })
  const delivery = new Delivery(httpLedger({ url: ledger.url, apiKey: 'k', batches }), () => {}, {
    linger: 0,
  })
  t.after(() => delivery.close())
  return { ledger, delivery, letGo }
}

/** A delivery in memory to a stand-in. */
async function aDelivery(t: TestContext, script: Script, options: DeliveryOptions = {}) {
  const ledger = await aLedger(t, script)
  const delivery = new Delivery(httpLedger({ url: ledger.url, apiKey: 'k' }), () => {}, {
    linger: 0,
    backoff: { base: 1, cap: 3 },
    ...options,
  })
  t.after(() => delivery.close())
  return { ledger, delivery }
}

test('IF-34 a send does not stand behind the backlog; automatic events keep their order', async t => {
  const { ledger, delivery, letGo } = await aHeldDelivery(t, true)
  const events = someEvents(1_000)
  for (const event of events) delivery.offer(event)
  await until(() => ledger.calls.length === 1)
  const [explicit] = someEvents(1)
  const sent = delivery.send(explicit!, 60_000)
  letGo()
  await sent
  assert.equal(ledger.calls[1]!.items[0]!.key, explicit!.idempotencyKey)
  assert.equal(await delivery.flush(10_000), true)
  const automatic = [...ledger.stored.keys()].filter(key => key !== explicit!.idempotencyKey)
  assert.deepEqual(
    automatic,
    events.map(({ idempotencyKey }) => idempotencyKey),
  )
})

test('IF-34 ruling 22 a send waits for a few single posts of others, not for hundreds', async t => {
  const { ledger, delivery, letGo } = await aHeldDelivery(t, false)
  for (const event of someEvents(300)) delivery.offer(event)
  await until(() => ledger.calls.length === 5)
  const [explicit] = someEvents(1)
  const sent = delivery.send(explicit!, 60_000)
  letGo()
  await sent
  const nth = ledger.calls.findIndex(({ items }) => items[0]!.key === explicit!.idempotencyKey)
  assert.ok(nth < 15, `${nth} posts before it`)
  assert.ok(ledger.calls.length < 30, `answered after ${ledger.calls.length} posts`)
})

test('IF-34 a send that failed is tried again before the backlog', async t => {
  const { ledger, delivery } = await aDelivery(t, (call, nth, ledger) =>
    nth <= 3 ? { status: 503 } : ledger.keep(call),
  )
  for (const event of someEvents(600)) delivery.offer(event)
  const [explicit] = someEvents(1)
  await delivery.send(explicit!, 60_000)
  assert.deepEqual(
    ledger.calls.map(({ items }) => items[0]!.key),
    Array(4).fill(explicit!.idempotencyKey),
  )
})

test('X-11 IF-33 who waits less than a second has an attempt in that time, however long the pause', async t => {
  const { ledger, delivery } = await aDelivery(t, () => 'cut', { backoff: { base: 2 ** 40, cap: 2 ** 40 } })
  const [automatic, explicit] = someEvents(2)
  delivery.offer(automatic!)
  await until(() => ledger.calls.length === 1 && delivery.stats().retried === 1)
  ledger.follow(keepAll)
  await delivery.send(explicit!, 900)
  assert.equal(ledger.stored.has(explicit!.idempotencyKey), true)
})

test('IP-06 X-11 an event that a response waited for stays when the quota is used up, in memory too', async t => {
  const { ledger, delivery } = await aDelivery(t, () => ({ status: 429, headers: { 'Retry-After': '1' } }))
  const [first, second] = someEvents(2)
  assert.equal(await delivery.keep(first!), false)
  assert.equal(await delivery.keep(second!), false, 'and one during the pause is not waited for')
  assert.deepEqual([delivery.stats().queued, delivery.stats().rejected, delivery.stats().dropped], [2, 0, 0])
  ledger.follow(keepAll)
  await until(() => delivery.stats().delivered === 2)
  assert.deepEqual([...ledger.stored.keys()], [first!.idempotencyKey, second!.idempotencyKey])
})

test('X-11 in memory an event that a response waits for is kept once the ledger has it, or not at all', async t => {
  const { delivery } = await aDelivery(t, (call, _nth, ledger) =>
    call.items[0]!.meta.event_name === 'e1' ? { status: 400 } : ledger.keep(call),
  )
  const [good, bad] = someEvents(2)
  assert.equal(await delivery.keep(good!), true)
  assert.equal(await delivery.keep(bad!), false)
  const { delivery: closing } = await aDelivery(t, () => 'never', { linger: 60_000 })
  closing.offer(good!)
  const kept = closing.keep(bad!)
  closing.close()
  assert.equal(await kept, false)
})

test('IP-06 a 429 with Retry-After: 0 pauses for a second, not for an hour', async t => {
  const { delivery } = await aDelivery(t, () => ({ status: 429, headers: { 'Retry-After': '0' } }))
  delivery.offer(someEvents(1)[0]!)
  await until(() => delivery.stats().pausedUntil !== null)
  assert.ok(delivery.stats().pausedUntil! < Date.now() + 10_000)
})

test('IF-35 giving up one of many waiting sends looks at that one only', () => {
  let looks = 0
  const entries = someEvents(2_000).map((event): QueuedEvent => {
    const settle = (): void => {}
    return {
      get event() {
        looks++
        return event
      },
      get settle() {
        looks++
        return settle
      },
    }
  })
  const queue = new EventQueue(2_000)
  for (const entry of entries) assert.equal(queue.add(entry), true)
  assert.equal(queue.add(entries[0]!), false)
  looks = 0
  for (const entry of entries) assert.deepEqual(queue.remove(entry), [entry])
  assert.ok(looks < 10 * entries.length, `${looks} looks`)
  assert.deepEqual([queue.size, queue.take(10, 1_000), queue.remove(entries[0]!)], [0, [], []])
  assert.equal(queue.add(entries[0]!), true)
})

test('IF-32 IF-35 sends that time out leave their places to others', async t => {
  const { delivery } = await aDelivery(t, () => 'never', { capacity: 5 })
  for (let round = 0; round < 3; round++) {
    const sends = await Promise.allSettled(someEvents(5).map(event => delivery.send(event, 20)))
    assert.deepEqual(
      sends.map(sent => sent.status === 'rejected' && sent.reason.code),
      Array(5).fill('timeout'),
    )
  }
})

test('IF-35 once the ledger takes events again, one INFO line says so', async t => {
  const ledger = await aLedger(t, () => ({ status: 503 }))
  const { outlet, notices } = aSpooledOutlet(t, ledger, spoolFolder(t))
  for (const event of someEvents(3)) outlet.offer(event)
  await until(() => outlet.stats().retried > 6)
  ledger.follow(keepAll)
  assert.equal(await outlet.flush(10_000), true)
  outlet.offer(someEvents(1)[0]!)
  assert.equal(await outlet.flush(10_000), true)
  const said = notices.filter(({ notice }) => String(notice).startsWith('audit_'))
  assert.deepEqual(
    said.map(({ notice, level, waiting }) => [notice, level, waiting]),
    [
      ['audit_delayed', 'WARNING', undefined],
      ['audit_resumed', 'INFO', 3],
    ],
  )
  assert.equal(said[1]!.message, 'Audit events are delivered again; 3 were waiting')
})

test('IF-35 events that a burst leaves no room for are not laid on the ledger', async t => {
  const ledger = await aLedger(t, keepAll)
  const said: string[] = []
  const client = httpLedger({ url: ledger.url, apiKey: 'k' })
  const delivery = new Delivery(client, (_code, message) => said.push(message), { capacity: 10 })
  t.after(() => delivery.close())
  for (const event of someEvents(11)) delivery.offer(event)
  assert.deepEqual(said, ['Audit events are dropped: there is no room for more of them'])
  assert.equal(await delivery.flush(10_000), true)
})
