import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import {
  assertVerdict,
  deedbox,
  ledgerEnv,
  printedKey,
  startLedger,
  stopLedger,
  tempFolder,
} from '../end-to-end/ledger-process.ts'
import { assertKept, drillKey, Load, storedEvents } from './load.ts'
import { drillProgress, reportDrill, roundsOf } from './report.ts'
import { cannotMount, fill, onSmallDisk, smallDisk } from './small-disk.ts'

const disk = smallDisk()

if (disk === undefined) {
  test('P13 a full disk, on a disk of 12 MB of its own', { skip: cannotMount() }, async t => {
    const folder = tempFolder(t)
    const inner = await onSmallDisk(import.meta.filename, folder)
    assert.match(inner.stdout, /pass 2\b/)
  })
} else {
  const env = { DEEDBOX_BOOTSTRAP_KEY: drillKey, DEEDBOX_DATA: join(disk, 'data') }
  const rounds = roundsOf(2, 20)

  test('P13 a full disk: storage_full, nothing acknowledged is lost, and writing goes on once there is space', async t => {
    const folder = tempFolder(t)
    const ledger = await startLedger(t, folder, env)
    const load = new Load([ledger.url], 'd')
    const stop = load.start(4)
    for (let round = 0; round < rounds; round++) {
      await load.acknowledge(50)
      fill(disk)
      await load.refuse(20)
      assert((load.refusals.get('storage_full') ?? 0) > 0, JSON.stringify([...load.refusals]))
      rmSync(join(disk, 'filler'))
      await load.acknowledge(50)
      drillProgress('disk full', round + 1, rounds)
    }
    await stop()
    assert([...load.refusals.keys()].every(reason => ['storage_full', 'outcome_unknown'].includes(reason)))
    const stored = await storedEvents(ledger.url)
    assertKept(load, stored)
    assert.equal(await stopLedger(ledger), 0)
    await assertVerdict(disk, printedKey(ledger), 'ok', ledgerEnv(folder))
    reportDrill({
      drill: 'disk full (tmpfs)',
      rounds,
      acknowledged: load.acknowledged.size,
      stored: stored.size,
      refused: [...load.refusals.values()].reduce((sum, n) => sum + n, 0),
      verdicts: Object.fromEntries([...load.refusals, ['ok', 1]]),
    })
  })

  test('P13 a backup onto a full disk says so and leaves nothing behind', async t => {
    const folder = tempFolder(t)
    const ledger = await startLedger(t, folder, { DEEDBOX_BOOTSTRAP_KEY: drillKey })
    await stopLedger(ledger)
    fill(disk)
    const { code, stderr } = await deedbox(['backup', join(disk, 'backup')], { env: ledgerEnv(folder) })
    assert.equal(code, 1)
    assert.match(stderr, /^deedbox: [^\n]*(full|no space)[^\n]*\n$/i)
    const left = spawnSync('ls', ['-A', disk], { encoding: 'utf8' }).stdout
    assert.doesNotMatch(left, /backup/)
  })
}
