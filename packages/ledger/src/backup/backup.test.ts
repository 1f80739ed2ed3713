import assert from 'node:assert/strict'
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { copyDatabase } from '../store/sqlite/database-copy.ts'
import { rawFile, verdicts } from '../testing/raw-ledgers.ts'
import { backupOf, places, recoverIn, rolledBack } from '../testing/restored-ledger.ts'
import { smallLedger, tamper } from '../testing/tampered-ledger.ts'
import { checkLog, openTestLedger, tempFolder, testEvent } from '../testing/temp-ledger.ts'
import { recoverAfterRestore, restoreBackup, writeBackup } from './index.ts'

for (const name of ['page by page', 'by VACUUM INTO, where Node has no page-wise copy']) {
  test(`P25 a copy made ${name} opens as a ledger, verifies, and is for its owner only`, async t => {
    const { folder } = await smallLedger(t)
    const copy = tempFolder(t)
    const target = join(copy, 'ledger.db')
    await copyDatabase(
      join(folder, 'ledger.db'),
      target,
      () => undefined,
      ...(name === 'page by page' ? [] : [null]),
    )
    assert.equal(statSync(target).mode & 0o777, 0o600)
    assert.equal(checkLog(copy).verdict, 'ok')
    cpSync(join(folder, 'keys'), join(copy, 'keys'), { recursive: true })
    const ledger = await openTestLedger(t, copy)
    assert.equal((await ledger.append(testEvent(8))).index, 7)
  })
}

test('a backup leaves nothing behind when it is not sound, when something is in the way, or when there is no key', async t => {
  const { folder } = await smallLedger(t)
  const home = tempFolder(t)
  const target = join(home, 'deep', 'backup')
  const { database } = places(join(home, 'nowhere'))
  await assert.rejects(writeBackup({ ...backupOf(folder, target), database }), { code: 'not_a_ledger' })
  assert.deepEqual(readdirSync(home), [])
  mkdirSync(`${target}.partial`, { recursive: true })
  await assert.rejects(writeBackup(backupOf(folder, target)), /another backup to this target is under way/)
  rmSync(`${target}.partial`, { recursive: true })
  writeFileSync(target, 'theirs')
  await assert.rejects(writeBackup(backupOf(folder, target)), { code: 'invalid_option' })
  assert.equal(readFileSync(target, 'utf8'), 'theirs')
  rmSync(target)
  const keysFolder = join(home, 'no-keys')
  await assert.rejects(writeBackup(backupOf(folder, target, { withKeys: true, keysFolder })), {
    code: 'signing_key_missing',
  })
  tamper(folder, "UPDATE events SET service = 'another' WHERE position = (1 << 40) + 1")
  await assert.rejects(writeBackup(backupOf(folder, target)), {
    code: 'not_verified',
    message: /does not verify: index_mismatch\. Table events, row 1, column service/,
  })
  assert.deepEqual(readdirSync(join(home, 'deep')), [])
})

test('P22 a ledger that is behind its guard is not backed up as if it were whole', async t => {
  const { folder } = await rolledBack(t)
  await assert.rejects(writeBackup(backupOf(folder, join(tempFolder(t), 'backup'))), {
    code: 'not_verified',
    message: /truncated/,
  })
})

test('a restored ledger goes on when nothing newer was signed, with the keys of the backup', async t => {
  const { folder } = await smallLedger(t)
  const backup = join(tempFolder(t), 'backup')
  const { keys } = await writeBackup(backupOf(folder, backup, { withKeys: true }))
  assert.deepEqual(keys, ['main.signing-key'])
  const home = join(tempFolder(t), 'new')
  const { ledgers } = await restoreBackup({ backup, ...places(home, join(folder, 'guard')) })
  assert.deepEqual(
    ledgers.map(({ standing, guardSize, hasKey, size }) => ({ standing, guardSize, hasKey, size })),
    [{ standing: 'extends', guardSize: 7, hasKey: true, size: 7 }],
  )
  assert.deepEqual(readdirSync(home).sort(), ['keys', 'ledger.db'])
  assert.equal(statSync(home).mode & 0o777, 0o700)
  assert.equal(statSync(join(home, 'keys', 'main.signing-key')).mode & 0o777, 0o600)
  const ledger = await openTestLedger(t, home, { guard: join(folder, 'guard') })
  assert.equal((await ledger.append(testEvent(8))).index, 7)
})

test('a restore refuses a ledger or another key in the way, a changed backup, and what is none; nothing is left', async t => {
  const { folder } = await smallLedger(t)
  const backup = join(tempFolder(t), 'backup')
  await writeBackup(backupOf(folder, backup, { withKeys: true }))
  await assert.rejects(restoreBackup({ backup, ...places(folder) }), /nothing is written over a ledger/)
  await assert.rejects(restoreBackup({ backup: tempFolder(t), ...places(tempFolder(t)) }), {
    code: 'not_a_ledger',
  })
  const other = tempFolder(t)
  mkdirSync(join(other, 'keys'))
  writeFileSync(join(other, 'keys', 'main.signing-key'), 'another')
  await assert.rejects(restoreBackup({ backup, ...places(other) }), /is another key/)
  writeFileSync(join(other, 'ledger.db-wal'), 'of another file')
  rmSync(join(other, 'keys'), { recursive: true })
  await assert.rejects(restoreBackup({ backup, ...places(other) }), /ledger\.db-wal is there/)
  tamper(backup, 'DELETE FROM events WHERE position > (1 << 40) + 4')
  const fresh = join(tempFolder(t), 'fresh')
  await assert.rejects(restoreBackup({ backup, ...places(fresh) }), { code: 'not_verified' })
  assert.deepEqual(readdirSync(fresh), [])
})

test('what a refused start leaves in the place of a lost ledger does not stop a restore', async t => {
  const { folder } = await smallLedger(t)
  const backup = join(tempFolder(t), 'backup')
  await writeBackup(backupOf(folder, backup))
  rmSync(join(folder, 'ledger.db'))
  await assert.rejects(openTestLedger(t, folder), { code: 'ledger_lost', message: /deedbox restore/ })
  assert.equal(existsSync(join(folder, 'ledger.db')), false, 'a missing file is not made')
  writeFileSync(join(folder, 'ledger.db'), '')
  await assert.rejects(openTestLedger(t, folder), { code: 'ledger_lost' })
  await restoreBackup({ backup, ...places(folder) })
  const ledger = await openTestLedger(t, folder)
  assert.equal(ledger.head().size, 7)
})

test('P22 a file of several ledgers is backed up and restored with all of them, and is not for recover', async t => {
  const { folder, keys } = await rawFile(t)
  const backup = join(tempFolder(t), 'backup')
  const written = await writeBackup(backupOf(folder, backup, { withKeys: true }))
  assert.deepEqual(
    written.ledgers.map(({ name, size }) => [name, size]),
    [
      ['main', 6],
      ['certs', 300],
      ['empty', 0],
    ],
  )
  assert.deepEqual(written.keys.toSorted(), ['certs.signing-key', 'empty.signing-key', 'main.signing-key'])
  for (const name of ['checkpoint', 'vkey', 'certs.checkpoint', 'certs.vkey', 'empty.checkpoint']) {
    assert(existsSync(join(backup, name)), name)
  }
  const there = tempFolder(t)
  await restoreBackup({ backup, ...places(there) })
  const ledger = await openTestLedger(t, there)
  await ledger.append(testEvent(7))
  assert.equal(await (await ledger.rawLedger('certs')).add(Buffer.from('after')), 300)
  await ledger.close()
  assert.deepEqual((await verdicts(there, keys)).verdicts, {
    main: 'ok',
    certs: 'ok',
    empty: 'nothing_checked',
  })

  // By now its guards have seen more than the backup has.
  for (const suffix of ['', '-wal', '-shm']) rmSync(join(there, `ledger.db${suffix}`), { force: true })
  const again = await restoreBackup({ backup, ...places(there) })
  assert.deepEqual(
    again.ledgers.map(({ standing, guardSize }) => [standing, guardSize]),
    [
      ['behind', 7],
      ['behind', 301],
      ['unknown', null],
    ],
  )
  await assert.rejects(recoverAfterRestore(recoverIn(there)), {
    code: 'invalid_option',
    message: /holds 3 ledgers \(main, certs, empty\); recover is for a file of one/,
  })
})

test('P21 a key that is still called new goes into the backup, and a missing one is said', async t => {
  const { folder } = await rawFile(t)
  const key = (name: string) => join(folder, 'keys', name)
  // As a crash between the commit of a new ledger and the renaming of its key leaves it.
  renameSync(key('empty.signing-key'), key('empty.signing-key.new'))
  const backup = join(tempFolder(t), 'backup')
  const { keys } = await writeBackup(backupOf(folder, backup, { withKeys: true }))
  assert.deepEqual(keys.toSorted(), ['certs.signing-key', 'empty.signing-key', 'main.signing-key'])
  assert.equal(
    readFileSync(join(backup, 'keys', 'empty.signing-key'), 'utf8'),
    readFileSync(key('empty.signing-key.new'), 'utf8'),
  )
  const there = tempFolder(t)
  mkdirSync(join(there, 'keys'))
  writeFileSync(join(there, 'keys', 'empty.signing-key.new'), 'another')
  await assert.rejects(restoreBackup({ backup, ...places(there) }), /signing-key\.new is another key/)
  rmSync(key('empty.signing-key.new'))
  const target = join(tempFolder(t), 'backup')
  await assert.rejects(writeBackup(backupOf(folder, target, { withKeys: true })), {
    code: 'signing_key_missing',
    message: /no signing key of the ledger "empty"/,
  })
  assert.equal(existsSync(target), false)
})
