import assert from 'node:assert/strict'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  assertVerdict,
  ledgerEnv,
  printedKey,
  startLedger,
  stopLedger,
  tempFolder,
} from '../end-to-end/ledger-process.ts'
import { assertKept, drillKey, Load, storedEvents } from './load.ts'
import { drillProgress, reportDrill, roundsOf } from './report.ts'

const day = 86_400_000
const steps = [0, -3_650, 1, -20_000, 900, -1, 0].map(days => days * day)
const rounds = roundsOf(4, 100)

test('P13 F3 the clock steps back and forth by years (a mock): at never decreases, checkpoints go on, verify is ok', async t => {
  const folder = tempFolder(t)
  const clock = join(folder, 'clock')
  const setClock = (milliseconds: number) => {
    writeFileSync(`${clock}.new`, `${milliseconds}`)
    renameSync(`${clock}.new`, clock)
  }
  setClock(0)
  const preload = new URL('./shifted-clock.js', import.meta.url).href
  const env = {
    DEEDBOX_BOOTSTRAP_KEY: drillKey,
    DEEDBOX_DRILL_CLOCK: clock,
    NODE_OPTIONS: `--import ${preload}`,
  }
  const ledger = await startLedger(t, folder, env)
  const get = (path: string) =>
    fetch(`${ledger.url}${path}`, { headers: { authorization: `Bearer ${drillKey}` } })
  const newest = async () => {
    const { events } = (await (await get('/v1/events?limit=1')).json()) as {
      events: { at: string; index: number }[]
    }
    return { at: Date.parse(events[0]?.at ?? ''), size: (events[0]?.index ?? -1) + 1 }
  }
  const load = new Load([ledger.url], 'c')
  let latest = 0
  for (let round = 0; round < rounds; round++) {
    const shift = steps[round % steps.length]!
    setClock(shift)
    const stop = load.start(2)
    await load.acknowledge(20)
    await stop()
    const { at, size } = await newest()
    assert(at >= latest, `${new Date(at).toISOString()} after ${new Date(latest).toISOString()}`)
    if (shift > 0) assert(at > Date.now() + shift / 2, 'the mock reaches the writer thread')
    latest = at
    // The public checkpoint follows on idle, a second after the last event at the latest.
    while (Number((await (await get('/ledgers/main/checkpoint')).text()).split('\n')[1]) < size) {
      await new Promise(resolve => setImmediate(resolve))
    }
    drillProgress('clock steps', round + 1, rounds)
  }
  const stored = await storedEvents(ledger.url)
  assertKept(load, stored)
  assert.equal(await stopLedger(ledger), 0)
  await assertVerdict(folder, printedKey(ledger), 'ok', ledgerEnv(folder))
  reportDrill({
    drill: 'clock steps of years (mock)',
    rounds,
    acknowledged: load.acknowledged.size,
    stored: stored.size,
    refused: 0,
    verdicts: { ok: 1 },
  })
})
