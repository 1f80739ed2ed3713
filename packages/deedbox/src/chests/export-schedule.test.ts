import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { entriesOf, twoChests } from '../testing/readable-chest.ts'
import { createExporter, type Exporter } from './exporter.ts'

/** Lets all that is waiting for no timer happen: a run of chests in memory takes a few turns of the event loop for each batch. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await setImmediate()
}

function started(t: TestContext, exporter: Exporter): Exporter {
  exporter.start()
  t.after(() => exporter.stop())
  return exporter
}

test('FC-26 runs at once, then every five minutes, and never twice at a time', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let now = 0
  t.mock.method(performance, 'now', () => now)
  const pass = async (milliseconds: number): Promise<void> => {
    now += milliseconds
    t.mock.timers.tick(milliseconds)
    await settled()
  }
  const { from, to } = await twoChests(1)
  let [atOnce, most, runs] = [0, 0, 0]
  let letGo = Promise.withResolvers<void>()
  // A write that takes so long would count as one that has failed.
  const count = from.count.bind(from)
  from.count = async () => {
    runs++
    most = Math.max(most, ++atOnce)
    await letGo.promise
    atOnce--
    return count()
  }
  const exporter = started(t, createExporter({ from, to }))
  exporter.start()
  await pass(0)
  assert.equal(runs, 1)
  // The run takes 12 minutes; its successors wait for it.
  for (let minute = 0; minute < 12; minute++) await pass(60_000)
  assert.equal(runs, 1)
  letGo.resolve()
  await settled()
  assert.equal(from.rows.size, 0)
  letGo = Promise.withResolvers()
  letGo.resolve()
  await from.write(entriesOf('next', 'user'))
  await pass(179_999)
  assert.equal(runs, 1)
  await pass(1)
  assert.deepEqual([runs, most, exporter.stats().moved], [2, 1, 3])
  await exporter.stop()
  assert.equal(exporter.stats().running, false)
  await from.write(entriesOf('late', 'user'))
  await pass(600_000)
  assert.equal(runs, 2)
})

test('FC-26 a cron pattern has its time zone, across the change to summer time', async t => {
  // Two minutes before 03:00 in Berlin on the day on which 02:00 becomes 03:00.
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: Date.parse('2026-03-29T00:58:00Z') })
  const { from, to } = await twoChests(1)
  started(t, createExporter({ from, to, cron: '0 3 * * *', timeZone: 'Europe/Berlin' }))
  t.mock.timers.tick(119_999)
  await settled()
  assert.equal(to.rows.size, 0)
  t.mock.timers.tick(1)
  await settled()
  assert.equal(to.rows.size, 2)
  await from.write(entriesOf('tomorrow', 'user'))
  t.mock.timers.tick(86_399_999)
  await settled()
  assert.equal(to.rows.size, 2)
  t.mock.timers.tick(1)
  await settled()
  assert.equal(to.rows.size, 3)
})

test('FC-26 an exporter that is stopped and started during a run keeps to one interval, and stops', async t => {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  let now = 0
  t.mock.method(performance, 'now', () => now)
  const pass = async (milliseconds: number): Promise<void> => {
    now += milliseconds
    t.mock.timers.tick(milliseconds)
    await settled()
  }
  const { from, to } = await twoChests(1)
  const letGo = Promise.withResolvers<void>()
  to.onWrite = () => letGo.promise
  let runs = 0
  const lease = from.lease.bind(from)
  const exporter = started(t, createExporter({ from, to, intervalMs: 1_000 }))
  await pass(0)
  const stopped = exporter.stop()
  exporter.start()
  await pass(0)
  letGo.resolve()
  await stopped
  await settled()
  // Each run takes the lease once, as long as there is nothing to bring.
  from.lease = (...order) => {
    runs++
    return lease(...order)
  }
  for (let tenth = 0; tenth < 30; tenth++) await pass(100)
  assert.equal(runs, 3)
  await exporter.stop()
  await pass(10_000)
  assert.equal(runs, 3)
})

test('FC-26 FC-29 a nightly run that finds the lease of a killed process is tried again after leaseMs, not the next night', async t => {
  t.mock.timers.enable({ apis: ['setTimeout', 'Date'], now: Date.parse('2026-03-01T02:59:00Z') })
  const { from, to } = await twoChests(1)
  from.lessee = { holder: 'a killed process', until: Number.POSITIVE_INFINITY }
  started(t, createExporter({ from, to, cron: '0 3 * * *', timeZone: 'UTC', leaseMs: 30_000 }))
  t.mock.timers.tick(60_000)
  await settled()
  t.mock.timers.tick(30_000)
  await settled()
  assert.equal(to.rows.size, 0)
  from.lessee = undefined
  t.mock.timers.tick(29_999)
  await settled()
  assert.equal(to.rows.size, 0)
  t.mock.timers.tick(1)
  await settled()
  assert.equal(to.rows.size, 2)
  // Then it is as it was: the next night.
  await from.write(entriesOf('next', 'user'))
  t.mock.timers.tick(86_339_999)
  await settled()
  assert.equal(to.rows.size, 2)
  t.mock.timers.tick(1)
  await settled()
  assert.equal(to.rows.size, 3)
})
