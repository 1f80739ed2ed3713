import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import { test } from 'node:test'
import type { Deedbox } from '../index.ts'
import { type Internals, internalsKey } from '../internals.ts'
import { aBox, aLedger, taken } from '../testing/ledger-events.ts'
import { keepAll, until } from '../testing/ledger-stand-in.ts'
import type { LedgerItem, ProducerAnnouncement } from './ledger-client.ts'

const told = { status: 200, body: { ok: true } }

function auditorOf(box: Deedbox): Internals['auditor'] {
  return (box as Deedbox & { readonly [internalsKey]: Internals })[internalsKey].auditor
}

/** A ledger in this process that keeps what it gets. */
function aClient(announce?: (announcement: ProducerAnnouncement) => Promise<void>): {
  items: LedgerItem[]
  appendBatch: (items: readonly LedgerItem[]) => Promise<ReturnType<typeof taken>[]>
  announce?: (announcement: ProducerAnnouncement) => Promise<void>
} {
  const items: LedgerItem[] = []
  const appendBatch = async (batch: readonly LedgerItem[]) => {
    items.push(...batch)
    return batch.map(taken)
  }
  return { items, appendBatch, ...(announce === undefined ? {} : { announce }) }
}

const marks = (items: readonly LedgerItem[]) => items.map(({ meta }) => meta.producer)

test('DESIGN 7.2 jobs and explicit events are numbered from 1 as they come about, under the id of the instance', async t => {
  const ledger = aClient()
  const { box } = aBox(t, { ledger })
  box.run({ name: 'job' }, () => box.event('job.done'))
  await box.send('one', { n: 1 })
  box.run({ name: 'job' }, () => box.event('job.done'))
  await box.sendAll([
    { name: 'two', payload: 'x' },
    { name: 'three', payload: 'y' },
  ])
  const { id, highWater } = box.stats().producer
  assert.match(id, /^[\da-f-]{36}$/)
  assert.equal(highWater, 5)
  // A send goes before the automatic events that wait for company.
  assert.deepEqual(new Set(marks(ledger.items)), new Set([1, 2, 3, 4, 5].map(seq => ({ id, seq }))))
  const { box: other } = aBox(t, { ledger })
  await other.send('one', {})
  assert.deepEqual(marks(ledger.items).at(-1), { id: other.stats().producer.id, seq: 1 })
  assert.notEqual(other.stats().producer.id, id)
})

test('IP-08 an event under a key of the caller, with a mark of its own, too large for one, or refused, takes no number', async t => {
  const ledger = aClient()
  const { box } = aBox(t, { ledger })
  await box.send('keyed', 'x', { idempotencyKey: 'mine', requestId: 'r' })
  await box.send('marked', 'x', { meta: { producer: { id: 'mine', seq: 9 } } })
  await box.send('large', 'x', { meta: { reason: 'x'.repeat(16_200) } })
  await assert.rejects(box.send('', 'x'), { code: 'invalid_event' })
  assert.deepEqual(marks(ledger.items), [undefined, { id: 'mine', seq: 9 }, undefined])
  assert.equal(box.stats().producer.highWater, 0)
})

test('DESIGN 3 audit.producer false neither numbers nor announces, and nobody is asked where there is no ledger', async t => {
  const announced: ProducerAnnouncement[] = []
  const ledger = aClient(async announcement => void announced.push(announcement))
  const { box } = aBox(t, { ledger, audit: { producer: false } })
  await box.send('one', {})
  await box.close()
  assert.deepEqual([marks(ledger.items), announced], [[undefined], []])
  const { box: without, lines } = aBox(t, { ledger: null })
  await without.send('one', {})
  await without.close()
  assert.equal(without.stats().producer.highWater, 0)
  assert(!JSON.stringify(lines).includes('"producer"'))
})

test('DESIGN 3 a process announces itself soon after its first event, and with its last number when it ends', async t => {
  const ledger = await aLedger(t, keepAll)
  ledger.announcing = told
  const { box } = aBox(t, { ledger: { url: ledger.url, apiKey: 'k' } })
  await box.send('one', {})
  await until(() => ledger.announcements.length === 1)
  await box.send('two', {})
  await box.close()
  const [first, last] = ledger.announcements
  assert.deepEqual(first, {
    id: box.stats().producer.id,
    service: 'tests',
    env: 'testing',
    host: hostname(),
    pid: process.pid,
    started_at: first?.started_at,
    high_water: 1,
    queued: 0,
    spooled: 0,
  })
  assert.match(String(first?.started_at), /^\d{4}-.*Z$/)
  assert.deepEqual(last, { ...first, high_water: 2, ended: 'clean' })
  assert.deepEqual([box.stats().producer.announced, box.stats().producer.failed], [2, 0])
})

test('DESIGN 3 a short life costs one announcement, one without an event none, and after close nothing is said', async t => {
  const ledger = await aLedger(t, keepAll)
  ledger.announcing = told
  const target = { url: ledger.url, apiKey: 'k' }
  const { box } = aBox(t, { ledger: target })
  await box.send('one', {})
  await box.close()
  const { box: idle } = aBox(t, { ledger: target })
  await idle.close()
  await assert.rejects(box.send('late', {}), { code: 'closed' })
  await box.close()
  assert.deepEqual(
    ledger.announcements.map(({ high_water, ended }) => [high_water, ended]),
    [
      [1, 'clean'],
      [2, 'clean'],
    ],
  )
})

test('DESIGN 3 a ledger that does not know the call is asked once, whatever it answers', async t => {
  for (const announcing of [
    { status: 404 },
    { status: 405 },
    { status: 403, body: { ok: false } },
    { status: 302, headers: { location: '/' } },
    { status: 200, body: '<html>' },
  ]) {
    const ledger = await aLedger(t, keepAll)
    ledger.announcing = announcing
    const { box, lines } = aBox(t, { ledger: { url: ledger.url, apiKey: 'k' } })
    await box.send('one', {})
    const auditor = auditorOf(box)
    await auditor.end(5_000, 'clean')
    await auditor.announceCrashed({ producerId: 'dead', highWater: 3, events: 1 })
    await box.close()
    assert.equal(ledger.announcements.length, 1, JSON.stringify(announcing))
    assert.equal(box.stats().producer.failed, 0)
    assert.deepEqual(
      lines.filter(({ notice }) => notice !== undefined),
      [],
    )
  }
})

test('DESIGN 3 an announcement that fails is counted, warns and throws nothing, and is made anew the next time', async t => {
  for (const announcing of [{ status: 503 }, { status: 429 }, { status: 500, body: 'oh' }]) {
    const ledger = await aLedger(t, keepAll)
    ledger.announcing = announcing
    const { box, lines } = aBox(t, { ledger: { url: ledger.url, apiKey: 'k' } })
    await box.send('one', {})
    await auditorOf(box).end(5_000, 'clean')
    await auditorOf(box).end(5_000, 'clean')
    ledger.announcing = told
    await box.send('two', {})
    await box.close()
    assert.equal(ledger.announcements.length, 2)
    assert.deepEqual([box.stats().producer.announced, box.stats().producer.failed], [1, 1])
    assert.deepEqual(
      lines.filter(({ notice }) => notice !== undefined),
      [],
    )
  }
})

test('DESIGN 3 a client in this process that throws, rejects or never answers holds up and breaks nothing', async t => {
  const announces = [
    () => {
      throw new Error('thrown')
    },
    () => Promise.reject(new Error('rejected')),
    () => new Promise<void>(() => undefined),
  ]
  for (const announce of announces) {
    const { box } = aBox(t, { ledger: aClient(announce) })
    await box.send('one', {})
    assert.equal(await box.close(200), true)
  }
})

test('DESIGN 3 the end of another process is announced under its own id', async t => {
  const announced: ProducerAnnouncement[] = []
  const { box } = aBox(t, { ledger: aClient(async announcement => void announced.push(announcement)) })
  await auditorOf(box).announceCrashed({ producerId: 'dead', highWater: 7, events: 2 })
  const known = { service: 'tests', env: 'testing', host: hostname(), queued: 0, ended: 'crashed' }
  assert.deepEqual(announced, [{ id: 'dead', high_water: 7, spooled: 2, ...known }])
})

test('DESIGN 3 the end of another process that cannot be said is said with the next announcement', async t => {
  const announced = new Set<string>()
  let fails = 1
  const announce = async ({ id }: ProducerAnnouncement) => {
    if (fails-- > 0) throw new Error('down')
    announced.add(id)
  }
  const { box } = aBox(t, { ledger: aClient(announce) })
  await auditorOf(box).announceCrashed({ producerId: 'dead', highWater: 7, events: 2 })
  assert.equal(announced.size, 0)
  // The timer of announcements keeps nothing alive; here something has to.
  const alive = setInterval(() => undefined, 1_000)
  await until(() => announced.has('dead'))
  clearInterval(alive)
})
