import assert from 'node:assert/strict'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { internalsOf } from '../../internals.ts'
import { aBox, aLedger, someEvents } from '../../testing/ledger-events.ts'
import { keepAll, until } from '../../testing/ledger-stand-in.ts'
import { aSpooledOutlet, filesBelow, spooledText, spoolFolder } from '../../testing/spooled-events.ts'
import type { LedgerClient } from '../ledger-client.ts'

const unavailable = () => ({ status: 503 })

test('ruling 23 an event is in the spool while the ledger takes none, and gone once it is delivered', async t => {
  const folder = spoolFolder(t)
  const ledger = await aLedger(t, unavailable)
  aSpooledOutlet(t, ledger, folder).outlet.close()
  const { outlet } = aSpooledOutlet(t, ledger, folder)
  outlet.persist()
  assert.deepEqual(filesBelow(folder), [], 'nothing is made before the first event')
  const [first, second] = someEvents(2)
  outlet.offer(first!)
  assert.equal(await outlet.keep(second!), true)
  const text = spooledText(folder)
  assert.ok(text.includes(first!.idempotencyKey) && text.includes(second!.idempotencyKey))
  for (const name of filesBelow(folder)) {
    assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name)
    assert.equal(statSync(join(folder, name, '..')).mode & 0o777, 0o700, name)
  }
  ledger.follow(keepAll)
  assert.equal(await outlet.flush(10_000), true)
  assert.deepEqual(outlet.close(), { dropped: 0, spooled: 0 })
  await until(() => spooledText(folder) === '')
  assert.deepEqual([...ledger.stored.keys()], [first!.idempotencyKey, second!.idempotencyKey])
})

test('ruling 23 keep() waits for the disk with fsync, and for nothing once the ledger has the event', async t => {
  const folder = spoolFolder(t)
  const ledger = await aLedger(t, unavailable)
  const { outlet } = aSpooledOutlet(t, ledger, folder, { isSynced: true })
  const kept = await Promise.all(someEvents(20).map(event => outlet.keep(event)))
  assert.deepEqual(new Set(kept), new Set([true]))
  assert.equal(spooledText(folder).match(/"key":/g)?.length, 20)
})

test('ruling 23 keep() is told of events that come faster than they are written', async t => {
  const folder = spoolFolder(t)
  const ledger = await aLedger(t, unavailable)
  const { outlet } = aSpooledOutlet(t, ledger, folder)
  const events = someEvents(420).map(event => ({ ...event, payload: `"${'x'.repeat(11_000)}"` }))
  const kept = await Promise.all(events.map(event => outlet.keep(event)))
  assert.deepEqual(new Set(kept), new Set([true]))
  assert.equal(spooledText(folder).match(/"key":/g)?.length, 420)
})

test('IF-35 ruling 23 a ledger that is down gets everything later, in order, though the memory holds ten', async t => {
  const folder = spoolFolder(t)
  const ledger = await aLedger(t, unavailable)
  const { outlet } = aSpooledOutlet(t, ledger, folder, { capacity: 10 })
  const events = someEvents(3_000)
  for (const event of events) outlet.offer(event)
  await until(() => ledger.calls.length > 0)
  const { queued, spooled, dropped } = outlet.stats()
  assert.deepEqual([queued + spooled, dropped], [3_000, 0])
  assert.ok(queued <= 10, `${queued} in memory`)
  ledger.follow(keepAll)
  assert.equal(await outlet.flush(60_000), true)
  assert.deepEqual(
    [...ledger.stored.keys()],
    events.map(({ idempotencyKey }) => idempotencyKey),
  )
  const { delivered, duplicate } = outlet.stats()
  assert.deepEqual([delivered, duplicate, outlet.stats().spooled], [3_000, 0, 0])
})

test('ruling 23 beyond the size of the spool and the memory the newest are dropped, counted and told', async t => {
  const folder = spoolFolder(t)
  const ledger = await aLedger(t, unavailable)
  const { outlet, notices } = aSpooledOutlet(t, ledger, folder, { capacity: 5, size: 100_000 })
  const events = someEvents(500)
  for (const event of events) outlet.offer(event)
  const before = outlet.stats()
  assert.ok(before.dropped > 0)
  assert.equal(before.queued + before.spooled + before.dropped, 500)
  assert.equal(notices.filter(({ notice }) => notice === 'audit_dropped').length, 1)
  ledger.follow(keepAll)
  assert.equal(await outlet.flush(60_000), true)
  assert.equal(ledger.stored.size, 500 - before.dropped)
  const taken = events.slice(0, ledger.stored.size).map(({ idempotencyKey }) => idempotencyKey)
  assert.deepEqual([...ledger.stored.keys()], taken)
})

test('ruling 23 a full spool says that new events wait in memory only; once there is room, they are in it', async t => {
  const folder = spoolFolder(t)
  const ledger = await aLedger(t, unavailable)
  const { outlet, notices } = aSpooledOutlet(t, ledger, folder, { size: 5 * 1024 * 1024 })
  const events = someEvents(12).map(event => ({ ...event, payload: `"${'x'.repeat(600_000)}"` }))
  for (const event of events) outlet.offer(event)
  await until(() => notices.some(({ notice }) => notice === 'spool_full'))
  assert.match(
    String(notices.find(({ notice }) => notice === 'spool_full')?.message),
    /memory only.*audit\.spool\.size/,
  )
  const last = events.at(-1)!.idempotencyKey
  assert.equal(spooledText(folder).includes(last), false)
  // The ledger takes all but the last one.
  ledger.follow((call, _nth, self) =>
    call.items.some(({ key }) => key === last) ? { status: 503 } : self.keep(call),
  )
  await until(() => spooledText(folder).includes(last))
  assert.equal(outlet.stats().dropped, 0)
})

test('IF-37 ruling 23 close() leaves what waits in the spool, and the next one delivers it, the same bytes', async t => {
  const folder = spoolFolder(t)
  const ledger = await aLedger(t, unavailable)
  const first = aSpooledOutlet(t, ledger, folder, { capacity: 10 })
  const events = someEvents(50)
  for (const event of events) {
    first.producer.next()
    first.outlet.offer(event)
  }
  await until(() => ledger.calls.length > 0)
  assert.deepEqual(first.outlet.close(), { dropped: 0, spooled: 50 })
  assert.equal(first.outlet.stats().dropped, 0)
  assert.equal(await first.outlet.flush(0), false)
  await until(() => filesBelow(folder).every(name => !name.endsWith('owner.json')))
  ledger.follow(keepAll)
  const second = aSpooledOutlet(t, ledger, folder, { capacity: 10 })
  await until(() => ledger.stored.size === 50)
  assert.deepEqual(second.adopted, [
    { producerId: first.producer.id, highWater: 50, events: 50, wasClosed: true },
  ])
  assert.equal(await second.outlet.flush(10_000), true)
  assert.deepEqual(
    [...ledger.stored.values()].map(({ key, payload, meta }) => [key, payload, meta]),
    events.map(({ idempotencyKey, payload, meta }) => [idempotencyKey, payload, meta]),
  )
  second.outlet.close()
  await until(() => filesBelow(folder).every(name => name.endsWith('ledger.json')))
})

test('ruling 23 a ledger that is still being opened: events are written once it has a name', async t => {
  const folder = spoolFolder(t)
  const { promise, resolve } = Promise.withResolvers<LedgerClient>()
  const { box } = aBox(t, { ledger: promise, audit: { durability: 'spool', spool: { folder } } })
  const { outlet } = internalsOf(box).auditor
  const [first] = someEvents(1)
  const kept = outlet.keep(first!)
  await setImmediate()
  assert.deepEqual(filesBelow(folder), [])
  const client = {
    about: { origin: 'example.org/log' },
    appendBatch: () => Promise.reject(new Error('busy')),
  }
  resolve(client)
  assert.equal(await kept, true)
  assert.ok(spooledText(folder).includes(first!.idempotencyKey))
  const ledger = filesBelow(folder).find(name => name.endsWith('ledger.json'))!
  assert.match(readFileSync(join(folder, ledger), 'utf8'), /"ledger":"in this process: example.org\/log"/)
})
