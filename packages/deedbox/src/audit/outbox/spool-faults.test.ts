import '../../testing/file-faults.ts'
import assert from 'node:assert/strict'
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { faults } from '../../testing/file-faults.ts'
import { aLedger, someEvents } from '../../testing/ledger-events.ts'
import { keepAll, type LedgerStandIn, until } from '../../testing/ledger-stand-in.ts'
import { aSpooledOutlet, filesBelow, spooledText, spoolFolder } from '../../testing/spooled-events.ts'
import type { AuditEvent } from '../audit-event.ts'
import { livenessOf } from './spool-owner.ts'
import { makeProducerFolder } from './spool-place.ts'

const unavailable = () => ({ status: 503 })

function largeEvents(count: number, size: number): AuditEvent[] {
  return someEvents(count).map(event => ({ ...event, payload: `"${'x'.repeat(size)}"` }))
}

/** A spool that somebody has left. */
async function leave(t: TestContext, ledger: LedgerStandIn, folder: string, events: AuditEvent[]) {
  const { outlet } = aSpooledOutlet(t, ledger, folder)
  for (const event of events) outlet.offer(event)
  outlet.close()
  await until(() => filesBelow(folder).every(name => !name.endsWith('owner.json')))
}

test('ruling 23 a spool that is done with while a write of it is under way: nothing lands in a file of the service', async t => {
  const folder = spoolFolder(t)
  const ledger = await aLedger(t, unavailable)
  await leave(t, ledger, folder, someEvents(600))
  const { promise, resolve } = Promise.withResolvers<void>()
  faults.held = 0
  faults.hold = promise
  ledger.follow(async (call, _nth, self) => {
    // The marks of the first batch are being written when the last one is taken.
    if (self.stored.size > 0) await until(() => faults.held > 0)
    return self.keep(call)
  })
  const { outlet, notices } = aSpooledOutlet(t, ledger, folder)
  await until(() => outlet.stats().delivered === 600)
  const names = [1, 2, 3, 4].map(i => join(folder, `customers-${i}.txt`))
  const files = names.map(name => openSync(name, 'w'))
  faults.hold = undefined
  resolve()
  await until(() => !filesBelow(folder).some(name => name.endsWith('.events')))
  for (const name of names) assert.equal(readFileSync(name, 'utf8'), '')
  for (const fd of files) closeSync(fd)
  assert.deepEqual(notices, [])
})

test('ruling 23 a spool that was left and cannot be read for a moment is read later, and nothing of it is lost', async t => {
  const folder = spoolFolder(t)
  const ledger = await aLedger(t, unavailable)
  await leave(t, ledger, folder, largeEvents(300, 8_000))
  const { outlet, notices } = aSpooledOutlet(t, ledger, folder, { capacity: 100 })
  await until(() => outlet.stats().queued > 0)
  faults.unreadable = 2
  ledger.follow(keepAll)
  assert.equal(await outlet.flush(60_000), true)
  assert.equal(faults.unreadable, 0)
  assert.equal(ledger.stored.size, 300)
  assert.equal(outlet.stats().dropped, 0)
  assert.match(String(notices.find(({ notice }) => notice === 'spool_unreadable')?.message), /tried again/)
})

test('ruling 23 the own spool cannot be read for a moment: what it holds is read later', async t => {
  const folder = spoolFolder(t)
  const ledger = await aLedger(t, unavailable)
  const { outlet, notices } = aSpooledOutlet(t, ledger, folder, { capacity: 10 })
  for (const event of someEvents(100)) outlet.offer(event)
  outlet.persist()
  faults.unreadable = 2
  ledger.follow(keepAll)
  assert.equal(await outlet.flush(60_000), true)
  assert.deepEqual([faults.unreadable, ledger.stored.size, outlet.stats().dropped], [0, 100, 0])
  assert.ok(notices.some(({ notice }) => notice === 'spool_unreadable'))
})

test('ruling 23 events whose write is under way when the ledger has caught up are not lost', async t => {
  const folder = spoolFolder(t)
  const ledger = await aLedger(t, unavailable)
  const { outlet } = aSpooledOutlet(t, ledger, folder, { capacity: 10 })
  const { promise, resolve } = Promise.withResolvers<void>()
  faults.held = 0
  faults.hold = promise
  for (const event of someEvents(100)) outlet.offer(event)
  await until(() => faults.held > 0)
  ledger.follow(keepAll)
  await until(() => outlet.stats().queued === 0)
  // Time enough to look for the others.
  for (let turn = 0; turn < 100; turn++) await setImmediate()
  assert.deepEqual([outlet.stats().spooled, outlet.stats().dropped], [90, 0])
  faults.hold = undefined
  resolve()
  assert.equal(await outlet.flush(60_000), true)
  assert.deepEqual([ledger.stored.size, outlet.stats().dropped], [100, 0])
})

test('ruling 23 a spool that comes into a folder while that is being removed stays', async t => {
  const folder = spoolFolder(t)
  const about = { folder, service: 'tests', name: 'a ledger' }
  const own = makeProducerFolder(about, 'producer-of-this-one')
  const orphan = join(folder, 'producer-of-another')
  mkdirSync(orphan)
  mkdirSync(join(own.path, 'adopted'))
  writeFileSync(join(orphan, '00000001.events'), 'events')
  faults.onRemoval = () => {
    try {
      renameSync(orphan, join(own.path, 'adopted', 'producer-of-another'))
    } catch {
      // There is nothing any more that it could come into.
    }
  }
  own.leave(true)
  faults.onRemoval = undefined
  assert.equal(spooledText(folder), 'events')
})

test('IF-35 ruling 23 a disk that is full while events go to it alone: none twice, none stuck, none below zero', async t => {
  const folder = spoolFolder(t)
  const ledger = await aLedger(t, unavailable)
  const { outlet } = aSpooledOutlet(t, ledger, folder, { capacity: 100 })
  const events = largeEvents(1_100, 20_000)
  const offer = (count: number): void => {
    for (const event of events.splice(0, count)) outlet.offer(event)
  }
  offer(100)
  outlet.persist()
  faults.isFull = true
  offer(250)
  await until(() => outlet.stats().dropped > 0 && outlet.stats().spooled === 0)
  faults.isFull = false
  assert.equal(await outlet.keep(events.pop()!), false)
  await until(() => spooledText(folder).length > 100 * 20_000)
  ledger.follow(keepAll)
  assert.equal(await outlet.flush(60_000), true)
  for (let part = 0; part < 3; part++) {
    while (!(await outlet.keep(events.pop()!))) await setImmediate()
    offer(20)
    assert.equal(await outlet.flush(60_000), true)
    ledger.follow(unavailable)
    offer(250)
    outlet.persist()
    ledger.follow(keepAll)
    assert.equal(await outlet.flush(60_000), true)
    const { delivered, dropped, spooled, queued } = outlet.stats()
    assert.deepEqual([delivered + dropped, spooled, queued], [1_100 - events.length, 0, 0])
    assert.equal(ledger.stored.size, delivered)
  }
  assert.equal(outlet.stats().duplicate, 0)
})

test('ruling 23 files that cannot be removed stop no service', async t => {
  const folder = spoolFolder(t)
  const ledger = await aLedger(t, unavailable)
  await leave(t, ledger, folder, someEvents(5))
  ledger.follow(keepAll)
  faults.isSticky = true
  try {
    const { outlet } = aSpooledOutlet(t, ledger, folder)
    await outlet.keep(someEvents(1)[0]!)
    await until(() => ledger.stored.size === 6)
    assert.equal(await outlet.flush(60_000), true)
    assert.equal(outlet.stats().retried, 0)
    outlet.persist()
    assert.deepEqual(outlet.close(), { dropped: 0, spooled: 0 })
    for (let turn = 0; turn < 100; turn++) await setImmediate()
  } finally {
    faults.isSticky = false
  }
})

test('ruling 23 an owner that cannot be read for a moment is nobody’s word that it is dead', async t => {
  const folder = spoolFolder(t)
  const ledger = await aLedger(t, unavailable)
  const { outlet } = aSpooledOutlet(t, ledger, folder)
  assert.equal(await outlet.keep(someEvents(1)[0]!), true)
  const owned = filesBelow(folder).find(name => name.endsWith('owner.json'))!
  faults.ownerless = 1
  assert.equal(livenessOf(join(folder, owned, '..'), 'as others see it'), 'unknown')
  assert.equal(faults.ownerless, 0)
})

test('ruling 23 a disk without room at the first event: once there is room, all that waits is in the spool', async t => {
  const folder = spoolFolder(t)
  const ledger = await aLedger(t, unavailable)
  const { outlet, notices } = aSpooledOutlet(t, ledger, folder)
  const [first] = someEvents(1)
  faults.unmakeable = 1
  assert.equal(await outlet.keep(first!), false)
  assert.equal(notices[0]?.notice, 'spool_unusable')
  await until(() => spooledText(folder).includes(first!.idempotencyKey))
  assert.equal(await outlet.keep(someEvents(1)[0]!), true)
  assert.deepEqual(
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter(name => name.endsWith('.new')),
    [],
  )
})

test('IF-37 ruling 23 a process that ends while its marks are being written leaves no folder behind', async t => {
  const folder = spoolFolder(t)
  const ledger = await aLedger(t, unavailable)
  const { outlet, notices } = aSpooledOutlet(t, ledger, folder)
  assert.equal(await outlet.keep(someEvents(1)[0]!), true)
  const { promise, resolve } = Promise.withResolvers<void>()
  faults.held = 0
  faults.hold = promise
  ledger.follow(keepAll)
  assert.equal(await outlet.flush(10_000), true)
  await until(() => faults.held > 0)
  outlet.persist()
  assert.deepEqual(
    filesBelow(folder).filter(name => !name.endsWith('ledger.json')),
    [],
  )
  const path = join(folder, 'customers.txt')
  const file = openSync(path, 'w')
  faults.hold = undefined
  resolve()
  // A process that lives on begins another spool, and the late write is in none of its files.
  ledger.follow(unavailable)
  assert.equal(await outlet.keep(someEvents(1)[0]!), true)
  assert.equal(readFileSync(path, 'utf8'), '')
  closeSync(file)
  ledger.follow(keepAll)
  assert.equal(await outlet.flush(10_000), true)
  assert.equal(ledger.stored.size, 2)
  assert.deepEqual(
    notices.filter(({ notice }) => String(notice).startsWith('spool')),
    [],
  )
})
