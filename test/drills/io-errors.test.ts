import assert from 'node:assert/strict'
import { once } from 'node:events'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import {
  assertVerdict,
  deedbox,
  ledgerEnv,
  printedKey,
  startLedger,
  stopLedger,
  tempFolder,
} from '../end-to-end/ledger-process.ts'
import { cannotInject, injecting } from './fault-injection.ts'
import { assertKept, drillKey, Load, storedEvents } from './load.ts'
import { drillProgress, reportDrill, roundsOf } from './report.ts'

const env = { DEEDBOX_BOOTSTRAP_KEY: drillKey }
const enough = 120

interface Fault {
  /** SQLite of Node syncs with `fsync`; a build that uses `fdatasync` is hit as well. */
  calls: string
  /** What strace does at the call; `#` stands for which one it is, counted from the start of the process. */
  inject: string
  /** The numbers of the short form. Making a ledger takes about 92 writes, 16 syncs and 3 renames of its thread. */
  at: readonly number[]
  /** The long form goes from 1 to this one. */
  last: number
}

const faults: Fault[] = [
  { calls: 'fsync,fdatasync', inject: 'error=EIO:when=#', at: [20], last: 40 },
  { calls: 'fsync,fdatasync', inject: 'signal=KILL:when=#', at: [7], last: 40 },
  { calls: 'pwrite64', inject: 'error=EIO:when=#', at: [120], last: 150 },
  { calls: 'pwrite64', inject: 'error=ENOSPC:when=#', at: [130], last: 150 },
  { calls: 'pwrite64', inject: 'signal=KILL:when=#', at: [111], last: 200 },
  { calls: 'rename', inject: 'signal=KILL:when=#', at: [6], last: 20 },
]

for (const { calls, inject, at: short, last } of faults) {
  const rounds = Math.min(last, roundsOf(short.length, last))
  const at =
    rounds === short.length
      ? short
      : Array.from({ length: rounds }, (_, i) => 1 + Math.floor((i * last) / rounds))
  const name = `${calls} ${inject}`
  const title = `P13 P21 strace ${name}, ${rounds} times: what was acknowledged is there once, verify is ok`
  test(title, { skip: cannotInject() }, async t => {
    const tally: Tally = { acknowledged: 0, stored: 0, refused: 0, verdicts: {} }
    for (const [done, n] of at.entries()) {
      await oneRound(t, injecting(calls, inject.replace('#', `${n}`)), tally)
      if (done % 10 === 9) drillProgress(name, done + 1, rounds)
    }
    t.diagnostic(JSON.stringify(tally))
    reportDrill({ drill: `strace ${name}`, rounds, ...tally })
  })
}

interface Tally {
  acknowledged: number
  stored: number
  refused: number
  verdicts: Record<string, number>
}

async function oneRound(t: TestContext, through: string[], tally: Tally): Promise<void> {
  const folder = tempFolder(t)
  const load = new Load([], 'f')
  const count = (what: string) => {
    tally.verdicts[what] = (tally.verdicts[what] ?? 0) + 1
  }
  try {
    const faulty = await startLedger(t, folder, env, through)
    const gone = once(faulty.child, 'exit')
    load.moved(0, faulty.url)
    const stop = load.start(4)
    // Until it is dead, or has come through with enough.
    const outcome = await Promise.race([gone, load.acknowledge(enough).then(() => undefined)])
    await stop()
    if (outcome === undefined) {
      count('lived on')
      faulty.child.kill('SIGKILL')
      await gone
    } else count('killed')
  } catch (error) {
    // It did not even start: then it said why in a sentence, or was killed before it could.
    assert.match(String(error), /deedbox serve ended: (deedbox: [^\n]+\n)?$/)
    count('did not start')
  }
  const ledger = await startLedger(t, folder, env)
  const stored = await storedEvents(ledger.url)
  assertKept(load, stored)
  assert.equal(await stopLedger(ledger), 0, ledger.stderr())
  const vkey = printedKey(ledger)
  await assertVerdict(folder, vkey, 'ok', ledgerEnv(folder))
  count('ok')
  tally.acknowledged += load.acknowledged.size
  tally.stored += stored.size
  tally.refused += [...load.refusals.values()].reduce((sum, n) => sum + n, 0)
}

test('P13 a disk that fails for good: every answer is a 503 with a reason, and nothing acknowledged is lost', {
  skip: cannotInject(),
}, async t => {
  const folder = tempFolder(t)
  const faulty = await startLedger(t, folder, env, injecting('fsync,fdatasync', 'error=EIO:when=25+'))
  const load = new Load([faulty.url], 'g')
  const stop = load.start(4)
  await load.refuse(12)
  await stop()
  assert(
    [...load.refusals.keys()].every(reason =>
      ['storage_failed', 'outcome_unknown', 'ledger_stopped'].includes(reason),
    ),
    JSON.stringify([...load.refusals]),
  )
  const heartbeat = await fetch(`${faulty.url}/__heartbeat__`)
  assert.equal(heartbeat.status, 500)
  await stopLedger(faulty, 'SIGKILL')
  const ledger = await startLedger(t, folder, env)
  assertKept(load, await storedEvents(ledger.url))
  await stopLedger(ledger)
  await assertVerdict(folder, printedKey(ledger), 'ok', ledgerEnv(folder))
  const backup = await deedbox(['backup', join(folder, 'backup')], { env: ledgerEnv(folder) })
  assert.equal(backup.code, 0, backup.stderr)
})
