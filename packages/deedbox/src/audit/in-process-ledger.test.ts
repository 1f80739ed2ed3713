import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { someEvents, taken } from '../testing/ledger-events.ts'
import { until } from '../testing/ledger-stand-in.ts'
import { Delivery } from './delivery.ts'
import type { DeliveryOptions } from './delivery-options.ts'
import { type LedgerClient, type LedgerItem, type LedgerResult, LedgerUnavailable } from './ledger-client.ts'
import { SendError } from './send-error.ts'

type Append = (items: readonly LedgerItem[], nth: number) => Promise<readonly LedgerResult[]>

/** A delivery to a client in this process; `batches` holds what the client was called with. */
function aDelivery(t: TestContext, append: Append, options: DeliveryOptions = {}) {
  const batches: (readonly LedgerItem[])[] = []
  const warned: string[] = []
  const client: LedgerClient = {
    appendBatch: items => {
      batches.push(items)
      return append(items, batches.length)
    },
  }
  const delivery = new Delivery(client, (_code, message) => warned.push(message), {
    linger: 1,
    backoff: { base: 1, cap: 2 },
    ...options,
  })
  t.after(() => delivery.close())
  return { delivery, batches, warned }
}

const takeAll: Append = async items => items.map(taken)

/** Time that goes on by `tick` alone; nothing but the timers is mocked in the delivery's own parts. */
function mockTime(t: TestContext): void {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: 1_900_000_000_000 })
  t.mock.method(performance, 'now', () => Date.now())
}

/** Lets everything that is ready run, timers excepted. */
async function settle(): Promise<void> {
  for (let i = 0; i < 5; i++) await setImmediate()
}

test('IP-07 the waits between attempts are the schedule’s, and Retry-After lengthens them', async t => {
  mockTime(t)
  t.mock.method(Math, 'random', () => 0.5)
  const { delivery, batches } = aDelivery(
    t,
    async (items, nth) => {
      if (nth === 4) throw new LedgerUnavailable('busy', { retryAfter: 60_000 })
      if (nth < 6) throw new Error('down')
      return items.map(taken)
    },
    { linger: 25, backoff: { base: 500, cap: 30_000 } },
  )
  delivery.offer(someEvents(1)[0]!)
  const waits: number[] = []
  let waited = 0
  while (batches.length < 6 && waited < 200_000) {
    const before = batches.length
    t.mock.timers.tick(25)
    waited += 25
    await settle()
    if (batches.length > before) {
      waits.push(waited)
      waited = 0
    }
  }
  assert.deepEqual(waits, [25, 250, 500, 1_000, 60_000, 4_000])
  assert.equal(delivery.stats().delivered, 1)
})

test('IP-06 a pause ends: the events that stayed are sent, none before', async t => {
  mockTime(t)
  const refused = { ok: false, reason: 'quota', message: 'no', retryable: false, status: 429 } as const
  const { delivery, batches } = aDelivery(
    t,
    async (items, nth) => items.map(item => (nth === 1 ? refused : taken(item))),
    { quotaPause: 10_000 },
  )
  for (const event of someEvents(3)) delivery.offer(event)
  t.mock.timers.tick(1)
  await settle()
  assert.equal(delivery.stats().pausedUntil, 1_900_000_010_001)
  t.mock.timers.tick(9_999)
  await settle()
  assert.equal(batches.length, 1)
  t.mock.timers.tick(1)
  await settle()
  assert.deepEqual([batches.length, delivery.stats().delivered, delivery.stats().pausedUntil], [2, 3, null])
})

test('IP-06 a flush that meets a 429 ends at once, unless the pause ends within its time', async t => {
  mockTime(t)
  const refused = { ok: false, reason: 'quota', message: 'no', retryable: false, status: 429 } as const
  const { delivery } = aDelivery(
    t,
    async (items, nth) => items.map(item => (nth === 1 ? refused : taken(item))),
    { quotaPause: 10_000 },
  )
  delivery.offer(someEvents(1)[0]!)
  const short = delivery.flush(5_000)
  const long = delivery.flush(20_000)
  t.mock.timers.tick(1)
  assert.equal(await short, false)
  t.mock.timers.tick(10_000)
  assert.equal(await long, true)
})

test('IP-06 a pause longer than Node’s timers hold does not end at once', async t => {
  const retryAfter = 2_600_000_000
  const warnings: string[] = []
  const listen = ({ name }: Error): number => warnings.push(name)
  process.on('warning', listen)
  t.after(() => process.off('warning', listen))
  const { delivery, batches } = aDelivery(t, async items =>
    items.map(() => ({ ok: false, reason: 'quota', message: '', retryable: false, status: 429, retryAfter })),
  )
  delivery.offer(someEvents(1)[0]!)
  await until(() => delivery.stats().pausedUntil !== null)
  await settle()
  assert.deepEqual([batches.length, warnings], [1, []])
})

test('IF-35 a client that throws, rejects, or answers the wrong count is tried again with the same events', async t => {
  const failures: [string, Append][] = [
    [
      'throws',
      () => {
        throw new Error('thrown at once')
      },
    ],
    ['rejects', () => Promise.reject(new Error('rejected'))],
    ['rejects with nothing', () => Promise.reject(undefined)],
    ['too few', async items => items.slice(1).map(taken)],
    ['too many', async items => [...items, ...items].map(taken)],
    ['nothing', async () => undefined as never],
  ]
  for (const [what, failure] of failures) {
    const { delivery, batches, warned } = aDelivery(t, (items, nth) =>
      nth === 1 ? failure(items, nth) : takeAll(items, nth),
    )
    const [answer] = await Promise.all(someEvents(3).map(event => delivery.send(event, 5_000)))
    assert.equal(answer!.status, 'accepted', what)
    assert.equal(batches.length, 2, what)
    assert.deepEqual(batches[1], batches[0], what)
    const { delivered, retried, queued } = delivery.stats()
    assert.deepEqual([delivered, retried, queued], [3, 3, 0], what)
    assert.match(warned[0]!, /^Audit events wait because the ledger does not take them: ./)
  }
})

test('IF-35 a ledger that never opens: sends fail at once with the reason, close() counts the others', async t => {
  const { promise, reject } = Promise.withResolvers<LedgerClient>()
  const warned: string[] = []
  const delivery = new Delivery(promise, code => warned.push(code), { linger: 0 })
  t.after(() => delivery.close())
  const [automatic, another, waiting, late] = someEvents(4)
  delivery.offer(automatic!)
  const kept = delivery.keep(another!)
  const flushed = delivery.flush(60_000)
  const isNotOpened = (error: unknown): boolean =>
    error instanceof SendError && error.code === 'no_ledger' && error.message.endsWith(': no such file')
  const sent = assert.rejects(delivery.send(waiting!, 60_000), isNotOpened)
  reject(new Error('no such file'))
  await sent
  assert.deepEqual([await kept, await flushed], [false, false])
  await assert.rejects(delivery.send(late!, 60_000), isNotOpened)
  assert.equal(await delivery.keep(late!), false)
  assert.equal(await delivery.flush(60_000), false)
  assert.deepEqual([delivery.stats().queued, delivery.stats().dropped, delivery.stats().retried], [3, 2, 0])
  assert.deepEqual(delivery.close(), { dropped: 3, spooled: 0 })
  assert.deepEqual([delivery.stats().dropped, warned], [5, []])
})

test('IF-35 a promise of what is no ledger is told, and does not stop the process', async t => {
  const delivery = new Delivery(Promise.resolve(undefined as never), () => {}, {
    linger: 0,
    backoff: { base: 1, cap: 2 },
  })
  t.after(() => delivery.close())
  delivery.offer(someEvents(1)[0]!)
  assert.equal(await delivery.flush(20), false)
  assert.equal(delivery.stats().queued, 1)
})

test('IF-33 a ledger that opens later gets what waited for it', async t => {
  const { promise, resolve } = Promise.withResolvers<LedgerClient>()
  const delivery = new Delivery(promise, () => {}, { linger: 0 })
  t.after(() => delivery.close())
  const sent = delivery.send(someEvents(1)[0]!, 5_000)
  resolve({ appendBatch: async items => items.map(taken) })
  assert.equal((await sent).status, 'accepted')
})

test('IF-34 a batch of which a part is to be tried again sends only that part again', async t => {
  const busy = { ok: false, reason: 'busy', message: '', retryable: true } as const
  const { delivery, batches } = aDelivery(t, async (items, nth) =>
    items.map((item, i) => (nth === 1 && i === 1 ? busy : taken(item))),
  )
  for (const event of someEvents(3)) delivery.offer(event)
  assert.equal(await delivery.flush(5_000), true)
  assert.deepEqual(
    batches.map(batch => batch.map(({ meta }) => meta.event_name)),
    [['e0', 'e1', 'e2'], ['e1']],
  )
  assert.deepEqual([delivery.stats().delivered, delivery.stats().retried], [3, 1])
})

test('IF-35 batches hold at most 256 events and about 600,000 characters', async t => {
  const { delivery, batches } = aDelivery(t, takeAll)
  for (const event of someEvents(300)) delivery.offer(event)
  for (const event of someEvents(12)) delivery.offer({ ...event, payload: 'x'.repeat(65_000) })
  assert.equal(await delivery.flush(5_000), true)
  assert.deepEqual(
    batches.map(batch => batch.length),
    [256, 53, 3],
  )
})

test('IF-35 memory is bounded by bytes too: large events are refused long before the count', async t => {
  const { delivery } = aDelivery(t, () => new Promise(() => {}), { linger: 60_000 })
  const payload = 'x'.repeat(60_000)
  for (const event of someEvents(2_500)) delivery.offer({ ...event, payload })
  const { queued, dropped } = delivery.stats()
  assert.equal(queued + dropped, 2_500)
  assert.equal(queued, Math.floor((128 * 1024 * 1024) / payload.length))
})

test('IF-37 each event is counted once, whatever happens', async t => {
  let n = 0
  const { delivery } = aDelivery(
    t,
    async items => {
      if (++n % 3 === 0) throw new Error('down')
      return items.map((item, i) =>
        i % 5 === 4
          ? { ok: false, reason: 'bad', message: '', retryable: i % 2 === 0, status: 400 }
          : taken(item),
      )
    },
    { capacity: 400 },
  )
  for (const event of someEvents(600)) delivery.offer(event)
  assert.equal(await delivery.flush(5_000), true)
  for (const event of someEvents(10)) delivery.offer(event)
  delivery.close()
  const { queued, delivered, dropped, rejected, logged } = delivery.stats()
  assert.equal(queued + delivered + dropped + rejected + logged, 610)
  assert.ok(delivered > 200 && dropped >= 200 && rejected > 0)
})
