import assert from 'node:assert/strict'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { type LedgerProcess, startLedger, stopLedger, tempFolder } from '../end-to-end/ledger-process.ts'
import { type AuditedService, startService } from './audited-service.ts'
import { Callers } from './callers.ts'
import { cuttingProxy } from './cutting-proxy.ts'
import { drillKey } from './load.ts'
import { drillProgress, reportDrill, roundsOf } from './report.ts'
import { missing, producers, storedOrders } from './stored-orders.ts'

const env = { DEEDBOX_BOOTSTRAP_KEY: drillKey }
const clients = 8

/** Milliseconds without a ledger: a minute in the long form. */
const outage = roundsOf(2, 60) * 1_000

function portOf({ url }: LedgerProcess): string {
  return new URL(url).port
}

/** Resolves once the service has nothing left to deliver. */
async function delivered(service: AuditedService): Promise<void> {
  for (;;) {
    const { queued, spooled } = await service.stats()
    if (queued === 0 && spooled === 0) return
    await pause(20)
  }
}

/** Everything that was answered is stored, once, and the ledger misses no number of any producer. */
async function assertNoneLost(t: TestContext, drill: string, callers: Callers, url: string): Promise<void> {
  const stored = await storedOrders(url)
  const lost = missing(callers, stored)
  assert.deepEqual(lost, [], `${lost.length} of ${callers.answered.size} lost`)
  for (const producer of await producers(url)) assert.equal(producer.missing, 0, JSON.stringify(producer))
  t.diagnostic(`${callers.answered.size} answered, ${stored.byRequest.size} stored`)
  reportDrill({
    drill,
    rounds: 1,
    acknowledged: callers.answered.size,
    stored: stored.byRequest.size,
    refused: 0,
    verdicts: {},
  })
}

test(`IF-33 IF-34 IF-35 IF-37 ruling 23 the ledger is gone for ${outage / 1_000} s under load: none lost, none doubled`, async t => {
  const folder = tempFolder(t)
  const first = await startLedger(t, folder, env)
  // So small that most of the outage lives on the disk alone.
  const service = await startService(t, {
    ledger: first.url,
    spool: join(folder, 'spool'),
    audit: { capacity: 500, backoff: { base: 50, cap: 500 } },
  })
  const callers = new Callers(service.url, 5)
  const stop = callers.start(clients)
  // A service that has just started compiles while it answers.
  await callers.answers(1_000)
  const calm = performance.now()
  await callers.answers(500)
  const p99Calm = callers.percentile(99, calm)
  assert.equal(await stopLedger(first), 0)
  const down = performance.now()
  await callers.answers(500)
  for (let waited = 0; performance.now() - down < outage; waited++) {
    await pause(500)
    if (waited % 10 === 0)
      drillProgress('ledger down', Math.round((performance.now() - down) / 1_000), outage / 1_000)
  }
  const p99Down = callers.percentile(99, down)
  const ledger = await startLedger(t, folder, { ...env, PORT: portOf(first) })
  await callers.answers(100)
  await stop()
  await delivered(service)
  t.diagnostic(
    `p99 of the service: ${p99Calm.toFixed(1)} ms with the ledger, ${p99Down.toFixed(1)} ms without, ` +
      `${(p99Down / p99Calm).toFixed(2)} × as long`,
  )
  assert.equal(callers.withStatus(200).length, callers.answered.size)
  await service.end('SIGTERM')
  await assertNoneLost(t, `ledger gone for ${outage / 1_000} s`, callers, ledger.url)
  assert.equal(await stopLedger(ledger), 0)
})

test('IP-08 IF-30 ruling 23 one answer in three is lost after the ledger stored: none lost, none doubled', async t => {
  const folder = tempFolder(t)
  const ledger = await startLedger(t, folder, env)
  const proxy = await cuttingProxy(t, ledger.url)
  const service = await startService(t, {
    ledger: proxy.url,
    spool: join(folder, 'spool'),
    audit: { backoff: { base: 5, cap: 20 } },
  })
  const callers = new Callers(service.url, 5)
  const stop = callers.start(clients)
  proxy.cutAnswers(1 / 3)
  const wanted = roundsOf(10, 300)
  while (proxy.cuts() < wanted) await callers.answers(20)
  await stop()
  proxy.cutAnswers(0)
  await delivered(service)
  const { duplicate } = await service.stats()
  assert(duplicate > 0, 'the ledger was sent again what it had')
  await service.end('SIGTERM')
  await assertNoneLost(t, `${wanted} answers lost on the way`, callers, ledger.url)
})

test('IF-11 IF-30 ruling 23 the clock of the service is set back by years, with the ledger away: none lost, none doubled', async t => {
  const folder = tempFolder(t)
  const clock = join(folder, 'clock')
  const setClock = (milliseconds: number): void => {
    writeFileSync(`${clock}.new`, `${milliseconds}`)
    renameSync(`${clock}.new`, clock)
  }
  setClock(0)
  const first = await startLedger(t, folder, env)
  const service = await startService(t, {
    ledger: first.url,
    spool: join(folder, 'spool'),
    audit: { backoff: { base: 50, cap: 500 } },
    env: {
      DEEDBOX_DRILL_CLOCK: clock,
      NODE_OPTIONS: `--import ${new URL('./shifted-clock.js', import.meta.url).href}`,
    },
  })
  const callers = new Callers(service.url, 5)
  const stop = callers.start(clients)
  let ledger = first
  for (const years of [0, -3, 1, -10]) {
    setClock(years * 31_557_600_000)
    await callers.answers(100)
    assert.equal(await stopLedger(ledger), 0)
    await callers.answers(100)
    setClock((years - 1) * 31_557_600_000)
    ledger = await startLedger(t, folder, { ...env, PORT: portOf(first) })
    await callers.answers(50)
  }
  await stop()
  await delivered(service)
  await service.end('SIGTERM')
  await assertNoneLost(t, 'clock set back', callers, ledger.url)
})
