import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import type { AuditMode } from 'deedbox'
import { startLedger, tempFolder } from '../end-to-end/ledger-process.ts'
import { type ServiceSetup, startService } from './audited-service.ts'
import { Callers } from './callers.ts'
import { drillKey } from './load.ts'
import { drillProgress, reportDrill, roundsOf } from './report.ts'
import { missing, producers, storedOrders } from './stored-orders.ts'

const env = { DEEDBOX_BOOTSTRAP_KEY: drillKey }
const clients = 8
const rounds = roundsOf(3, 100)

/** What processes have written into a spool, but what says whose it is. */
function filesIn(spool: string): string[] {
  if (!existsSync(spool)) return []
  return readdirSync(spool, { recursive: true, encoding: 'utf8' }).filter(name => {
    const about = statSync(join(spool, name), { throwIfNoEntry: false })
    return about?.isFile() === true && !name.endsWith('ledger.json')
  })
}

/** Waits until all that dead processes left is taken over and delivered: what is in the spool then is the living ones'. */
async function adopted(spool: string): Promise<void> {
  const isLeft = (name: string): boolean => {
    if (/adopted/.test(name)) return true
    if (!name.endsWith('owner.json')) return false
    try {
      const { pid } = JSON.parse(readFileSync(join(spool, name), 'utf8')) as { pid: number }
      return !existsSync(`/proc/${pid}`)
    } catch {
      return true
    }
  }
  while (filesIn(spool).some(isLeft)) await pause(50)
}

/**
 * Kills the service again and again under load, starts it anew on the same spool, and counts: what was answered and is
 * not in the ledger, and whether the ledger knows that it misses something.
 */
async function killed(
  t: TestContext,
  mode: AuditMode,
  workers: number,
): Promise<{ lost: number; gaps: number }> {
  const folder = tempFolder(t)
  const spool = join(folder, 'spool')
  const ledger = await startLedger(t, folder, env)
  const audit = { mode, backoff: { base: 20, cap: 200 } }
  const setup: ServiceSetup = {
    ledger: ledger.url,
    spool,
    audit,
    env: workers === 0 ? {} : { DRILL_WORKERS: String(workers) },
  }
  let service = await startService(t, setup)
  const callers = new Callers(service.url, 2)
  const stop = callers.start(clients)
  for (let round = 0; round < rounds; round++) {
    await callers.answers(60 + ((round * 53) % 150))
    if (workers === 0) {
      await service.end('SIGKILL')
      callers.moved(undefined)
      service = await startService(t, { ...setup, port: Number(new URL(service.url).port) })
      callers.moved(service.url)
    } else {
      // Connections of clients are spread over the workers; whichever answers is the one to die.
      const { pid } = await service.stats()
      process.kill(pid, 'SIGKILL')
      // A cluster without workers gives up its port.
      while (service.begun() < workers + round + 1) await pause(20)
    }
    drillProgress(`service killed, ${mode}`, round + 1, rounds)
  }
  await callers.answers(100)
  await stop()
  await adopted(spool)
  await service.end('SIGTERM')
  const known = await producers(ledger.url)
  const stored = await storedOrders(ledger.url)
  const lost = missing(callers, stored)
  const gaps = known.reduce((sum, producer) => sum + producer.missing, 0)
  t.diagnostic(
    `${mode}: ${callers.answered.size} answered, ${stored.byRequest.size} stored, ${lost.length} lost, ` +
      `${gaps} numbers missing at the ledger, of ${known.length} producers`,
  )
  reportDrill({
    drill: `service killed -9, ${mode}${workers === 0 ? '' : `, ${workers} workers`}`,
    rounds,
    acknowledged: callers.withStatus(200).length,
    stored: stored.byRequest.size,
    refused: lost.length,
    verdicts: { 'numbers missing': gaps },
  })
  assert.deepEqual(
    known.filter(({ state }) => state !== 'ended' && state !== 'crashed'),
    [],
    'each process is known to have ended',
  )
  assert.deepEqual(filesIn(spool), [], 'nothing is left in the spool')
  // An event gets its number once its response is closed; what was answered in the last turn before a kill has none.
  const unnumbered = rounds * clients
  assert(
    lost.length <= gaps + unnumbered,
    `${lost.length} answers have no event, and ${gaps} numbers are missed`,
  )
  return { lost: lost.length, gaps }
}

test(`IF-37 ruling 23 mode open, the service killed -9 ${rounds} times: only the last moment is lost, and seen as a gap`, async t => {
  const { lost } = await killed(t, 'open', 0)
  // Eight clients cannot have more than a few answers each in the time between two writes of the spool.
  assert(lost <= rounds * clients * 12, `${lost} lost in ${rounds} kills`)
})

test(`IF-37 ruling 23 mode buffer, the service killed -9 ${rounds} times: nothing that was answered is lost`, async t => {
  const { lost } = await killed(t, 'buffer', 0)
  assert.equal(lost, 0)
})

test(`IF-37 ruling 23 mode closed, the service killed -9 ${rounds} times: nothing that was answered is lost`, async t => {
  const { lost } = await killed(t, 'closed', 0)
  assert.equal(lost, 0)
})

test(`IF-37 ruling 23 ruling 30 four cluster workers, one killed -9 ${rounds} times, mode buffer: none lost, none doubled`, async t => {
  const { lost } = await killed(t, 'buffer', 4)
  assert.equal(lost, 0)
})
