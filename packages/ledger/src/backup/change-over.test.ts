import assert from 'node:assert/strict'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { LedgerError } from '../errors.ts'
import { backupOf, places, recoverIn, rolledBack } from '../testing/restored-ledger.ts'
import { smallLedger } from '../testing/tampered-ledger.ts'
import { checkLog, openTestLedger, tempFolder, testEvent } from '../testing/temp-ledger.ts'
import { recoverAfterRestore, restoreBackup, writeBackup } from './index.ts'
import { onlyHeadNote } from './sound-ledgers.ts'

test('P21 a recovery that was cut off is finished by the next one, and no ledger starts in between', async t => {
  const { folder, keys } = await rolledBack(t)
  const before = join(tempFolder(t), 'before')
  cpSync(folder, before, { recursive: true })
  const steps = ['rename old database', 'exchange keys', 'rename new database', 'delete the rest']
  for (let step = 0; step < steps.length; step++) {
    const place = join(tempFolder(t), 'data')
    cpSync(before, place, { recursive: true })
    await cutOffAfter(place, step)
    if (step < steps.length - 1) await assert.rejects(openTestLedger(t, place), LedgerError, steps[step])
    const report = await recoverAfterRestore(recoverIn(place))
    const ledger = await openTestLedger(t, place)
    assert.equal(ledger.verifierKey, report.opened.verifierKey, steps[step])
    await ledger.close()
    assert.deepEqual(readdirSync(place).sort(), ['guard', 'keys', 'ledger.db', report.closed.file].sort())
    assert.equal(checkLog(place, [report.opened.verifierKey]).verdict, 'ok')
    const closed = join(tempFolder(t), 'closed')
    mkdirSync(closed)
    cpSync(join(place, report.closed.file), join(closed, 'ledger.db'))
    assert.equal(checkLog(closed, keys).verdict, 'ok')
    chmodSync(join(closed, 'ledger.db'), 0o600)
    cpSync(join(place, 'keys', report.closed.key ?? ''), join(closed, 'keys', 'main.signing-key'))
    await assert.rejects(openTestLedger(t, closed), {
      code: 'storage_failed',
      message: /This ledger is closed/,
    })
  }
})

/** Recovers, then puts the folder into the state in which a crash after so many steps of the change leaves it. */
async function cutOffAfter(place: string, steps: number): Promise<void> {
  const oldKey = readFileSync(join(place, 'keys', 'main.signing-key'))
  const guards = readdirSync(join(place, 'guard'))
  const report = await recoverAfterRestore(recoverIn(place))
  const ready = join(place, 'recovering')
  const file = (name: string) => join(place, name)
  mkdirSync(join(ready, 'keys'), { recursive: true })
  const { file: closedFile, key: closedKey } = report.closed
  writeFileSync(
    join(ready, 'change-over.json'),
    JSON.stringify({
      closedFile,
      closedKey,
      keyFile: 'main.signing-key',
      oldNote: onlyHeadNote(file(closedFile)),
      opened: { origin: report.opened.origin, note: onlyHeadNote(file('ledger.db')) },
      report,
    }),
  )
  for (const name of readdirSync(place)) if (/-(wal|shm)$/.test(name)) rmSync(file(name))
  if (steps <= 2)
    for (const name of readdirSync(file('guard'))) if (!guards.includes(name)) rmSync(file(`guard/${name}`))
  if (steps <= 2) renameSync(file('ledger.db'), join(ready, 'ledger.db'))
  if (steps <= 1) {
    renameSync(file('keys/main.signing-key'), join(ready, 'keys', 'main.signing-key'))
    writeFileSync(file('keys/main.signing-key'), oldKey, { mode: 0o600 })
    rmSync(file(`keys/${closedKey}`))
  }
  if (steps > 0) return
  renameSync(file(closedFile), file('ledger.db'))
  chmodSync(file('ledger.db'), 0o600)
}

/** The newest state of the ledger that `rolledBack` makes, from before it was rolled back: ten entries. */
async function withNewest(t: TestContext): Promise<{ folder: string; newer: string; backup: string }> {
  const { folder } = await smallLedger(t)
  const backup = join(tempFolder(t), 'backup')
  await writeBackup(backupOf(folder, backup))
  const ledger = await openTestLedger(t, folder)
  for (const n of [7, 8, 9]) await ledger.append(testEvent(n))
  await ledger.close()
  const newer = join(tempFolder(t), 'newer.db')
  renameSync(join(folder, 'ledger.db'), newer)
  await restoreBackup({ backup, ...places(folder) })
  return { folder, newer, backup }
}

test('P22 a change that was made ready for an old copy never takes the place of a newer database', async t => {
  const { folder, newer } = await withNewest(t)
  await cutOffAfter(folder, 0)
  cpSync(newer, join(folder, 'ledger.db'))
  const ledger = await openTestLedger(t, folder)
  assert.equal((await ledger.append(testEvent(10))).index, 10)
  await assert.rejects(recoverAfterRestore(recoverIn(folder)), /Nothing is to be recovered/)
  assert.equal((await ledger.append(testEvent(11))).index, 11, 'the open ledger was not disturbed')
  await ledger.close()
  assert.equal(existsSync(join(folder, 'recovering')), false)
  assert.equal((await openTestLedger(t, folder)).head().size, 12)
})

test('P22 a change that was made ready waits while the old copy is open', async t => {
  const { folder, backup } = await withNewest(t)
  await cutOffAfter(folder, 0)
  rmSync(join(folder, 'ledger.db'))
  cpSync(join(backup, 'ledger.db'), join(folder, 'ledger.db'))
  const ledger = await openTestLedger(t, folder, { guard: 'off' })
  await assert.rejects(recoverAfterRestore(recoverIn(folder)), /Stop every process/)
  assert.equal((await ledger.append(testEvent(20))).index, 7)
  await ledger.close()
  const report = await recoverAfterRestore(recoverIn(folder))
  assert.equal(report.closed.size, 8, 'what was appended meanwhile is in the ledger that is closed')
})

test('P22 a database put into the place of one that was moved away already is left alone', async t => {
  const { folder, newer, backup } = await withNewest(t)
  await cutOffAfter(folder, 1)
  await assert.rejects(restoreBackup({ backup, ...places(folder) }), /"deedbox recover" was interrupted/)
  cpSync(newer, join(folder, 'ledger.db'))
  await assert.rejects(recoverAfterRestore(recoverIn(folder)), /another database was put into its place/)
  const ledger = await openTestLedger(t, folder)
  assert.equal(ledger.head().size, 10)
  await ledger.close()
  for (const suffix of ['', '-wal', '-shm']) rmSync(join(folder, `ledger.db${suffix}`), { force: true })
  const report = await recoverAfterRestore(recoverIn(folder))
  assert.equal((await openTestLedger(t, folder)).verifierKey, report.opened.verifierKey)
})

test('P22 a restore drops a change that was made ready for the ledger before it', async t => {
  const { folder, backup } = await withNewest(t)
  await cutOffAfter(folder, 0)
  rmSync(join(folder, 'ledger.db'))
  await restoreBackup({ backup, ...places(folder) })
  assert.equal(existsSync(join(folder, 'recovering')), false)
})

test('P22 after a change of which only the clean-up was left, a ledger that went on is judged anew', async t => {
  const { folder } = await rolledBack(t)
  await cutOffAfter(folder, 3)
  const ledger = await openTestLedger(t, folder)
  await ledger.append(testEvent(7))
  await assert.rejects(recoverAfterRestore(recoverIn(folder)), /Nothing is to be recovered/)
  assert.equal((await ledger.append(testEvent(8))).index, 4)
  assert.equal(existsSync(join(folder, 'recovering')), false)
})
