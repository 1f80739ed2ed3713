import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import {
  assertVerdict,
  type LedgerProcess,
  ledgerEnv,
  printedKey,
  startLedger,
  stopLedger,
  tempFolder,
} from '../end-to-end/ledger-process.ts'
import { assertKept, drillKey, Load, storedEvents } from './load.ts'
import { drillProgress, reportDrill, roundsOf } from './report.ts'

const env = { DEEDBOX_BOOTSTRAP_KEY: drillKey }

/** `npm run drills` kills a thousand times (DESIGN §10); the default run is a sample of it. */
const kills = roundsOf(4, 1_000)
const processes = 3
const clients = 9

/** A ledger that grows for ever would make the drill one of verification; each folder serves for this many kills. */
const killsPerFolder = 10

interface Tally {
  kills: number
  acknowledged: number
  stored: number
  refused: number
}

test(`P13 P26 F11 kill -9 under load, ${processes} processes on one file, ${kills} kills: every 202 is there exactly once and verify is ok`, async t => {
  const tally: Tally = { kills: 0, acknowledged: 0, stored: 0, refused: 0 }
  while (tally.kills < kills) {
    await oneFolder(t, Math.min(killsPerFolder, kills - tally.kills), tally)
    drillProgress('kill -9', tally.kills, kills)
  }
  t.diagnostic(JSON.stringify(tally))
  reportDrill({
    drill: `kill -9, ${processes} processes, ${clients} writers`,
    rounds: kills,
    acknowledged: tally.acknowledged,
    stored: tally.stored,
    refused: tally.refused,
    verdicts: { ok: kills },
  })
  assert(tally.acknowledged >= kills * 30)
})

async function oneFolder(t: TestContext, rounds: number, tally: Tally): Promise<void> {
  const folder = tempFolder(t)
  const ledgers: LedgerProcess[] = []
  for (let n = 0; n < processes; n++) ledgers.push(await startLedger(t, folder, env))
  const vkey = printedKey(ledgers[0]!)
  const load = new Load(
    ledgers.map(({ url }) => url),
    `k${tally.kills}`,
  )
  const stop = load.start(clients)
  for (let round = 0; round < rounds; round++) {
    // A different moment each time, from within the first transactions on; now and then all of them die at once.
    await load.acknowledge(30 + ((tally.kills * 97) % 200))
    const all = tally.kills % 4 === 3
    const killed = all ? [0, 1, 2] : [tally.kills % processes]
    const gone = Promise.all(killed.map(n => once(ledgers[n]!.child, 'exit')))
    for (const n of killed) ledgers[n]!.child.kill('SIGKILL')
    await gone
    tally.kills++
    await assertVerdict(folder, vkey, 'ok', ledgerEnv(folder))
    for (const n of killed) {
      ledgers[n] = await startLedger(t, folder, env)
      load.moved(n, ledgers[n]!.url)
    }
  }
  await load.acknowledge(30)
  await stop()
  const stored = await storedEvents(ledgers[0]!.url)
  assertKept(load, stored)
  for (const ledger of ledgers) assert.equal(await stopLedger(ledger), 0, ledger.stderr())
  await assertVerdict(folder, vkey, 'ok', ledgerEnv(folder))
  tally.acknowledged += load.acknowledged.size
  tally.stored += stored.size
  tally.refused += [...load.refusals.values()].reduce((sum, n) => sum + n, 0)
}
