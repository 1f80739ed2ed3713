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
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { apiKeyRow, newApiKey } from '../access/api-keys.ts'
import { LedgerError } from '../errors.ts'
import { copyDatabase } from '../store/sqlite/database-copy.ts'
import { rawFile, verdicts } from '../testing/raw-ledgers.ts'
import { smallLedger, tamper } from '../testing/tampered-ledger.ts'
import { checkLog, openTestLedger, tempFolder, testEvent } from '../testing/temp-ledger.ts'
import {
  type BackupOptions,
  type RecoverOptions,
  recoverAfterRestore,
  restoreBackup,
  writeBackup,
} from './index.ts'
import { isLive } from './recovered-leaf.ts'

const quiet = () => undefined

const backupOf = (folder: string, target: string, more: Partial<BackupOptions> = {}): BackupOptions => ({
  database: join(folder, 'ledger.db'),
  keysFolder: join(folder, 'keys'),
  target,
  withKeys: false,
  guardFolder: join(folder, 'guard'),
  version: '0.0.0',
  onProgress: quiet,
  ...more,
})

const places = (folder: string, guardFolder: string | null = join(folder, 'guard')) => ({
  folder,
  database: join(folder, 'ledger.db'),
  keysFolder: join(folder, 'keys'),
  guardFolder,
  onProgress: quiet,
})

/** A ledger of which an old backup was put back: seven entries, ten were signed. */
async function rolledBack(t: TestContext): Promise<{ folder: string; keys: string[]; newest: string }> {
  const { folder, keys } = await smallLedger(t)
  const backup = join(tempFolder(t), 'backup')
  await writeBackup(backupOf(folder, backup))
  const ledger = await openTestLedger(t, folder)
  for (const n of [7, 8, 9]) await ledger.append(testEvent(n))
  const newest = ledger.head().note
  await ledger.close()
  rmSync(join(folder, 'ledger.db'))
  await restoreBackup({ backup, ...places(folder) })
  return { folder, keys, newest }
}

for (const name of ['page by page', 'by VACUUM INTO, where Node has no page-wise copy']) {
  test(`P25 a copy made ${name} opens as a ledger, verifies, and is for its owner only`, async t => {
    const { folder } = await smallLedger(t)
    const copy = tempFolder(t)
    const target = join(copy, 'ledger.db')
    await copyDatabase(join(folder, 'ledger.db'), target, quiet, ...(name === 'page by page' ? [] : [null]))
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

const recoverIn = (folder: string, more: Partial<RecoverOptions> = {}): RecoverOptions => ({
  ...places(folder),
  withoutGuard: false,
  ...more,
})

test('P22 recover closes only a ledger that something shows to be behind, and never one that is open', async t => {
  const { folder } = await smallLedger(t)
  await assert.rejects(recoverAfterRestore(recoverIn(folder)), /Nothing is to be recovered/)
  await assert.rejects(
    recoverAfterRestore(recoverIn(folder, { withoutGuard: true })),
    /Nothing is to be recovered/,
  )
  await assert.rejects(
    recoverAfterRestore(recoverIn(folder, { guardFolder: null })),
    /no rollback guard of it.*--checkpoint/,
  )
  await assert.rejects(recoverAfterRestore(recoverIn(folder, { kept: 'nonsense' })), {
    code: 'guard_unusable',
  })
  const ledger = await openTestLedger(t, folder, { guard: 'off' })
  await assert.rejects(recoverAfterRestore(recoverIn(folder, { guardFolder: null, withoutGuard: true })), {
    code: 'storage_failed',
    message: /Stop every process/,
  })
  assert.equal((await ledger.append(testEvent(8))).index, 7, 'the running ledger was not disturbed')
})

test('P22 a kept checkpoint shows it where there is no guard, and the operator where there is neither', async t => {
  const { folder, newest } = await rolledBack(t)
  const copy = tempFolder(t)
  cpSync(folder, copy, { recursive: true })
  const shown = await recoverAfterRestore(recoverIn(folder, { guardFolder: null, kept: newest }))
  assert.deepEqual([shown.seenSize, shown.closed.size], [10, 7])
  const said = await recoverAfterRestore(
    recoverIn(copy, { guardFolder: null, withoutGuard: true, origin: 'new.example/l' }),
  )
  assert.deepEqual([said.seenSize, said.opened.origin], [null, 'new.example/l'])
})

test('P22 a database of another history than the guard is closed in the same way', async t => {
  const { folder } = await rolledBack(t)
  const forked = await openTestLedger(t, folder, { guard: 'off' })
  for (let n = 0; n < 8; n++) await forked.append(testEvent(100 + n))
  await forked.close()
  await assert.rejects(openTestLedger(t, folder), {
    code: 'fork',
    message: /deedbox recover --after-restore/,
  })
  const report = await recoverAfterRestore(recoverIn(folder))
  assert.deepEqual([report.closed.size, report.seenSize], [15, 10])
})

test('API keys that were revoked or have expired stay behind', () => {
  const row = apiKeyRow(newApiKey(), 1, 'test', ['read'])
  assert.equal(isLive(row, 5), true)
  assert.equal(isLive({ ...row, expiresAt: 6 }, 5), true)
  assert.equal(isLive({ ...row, expiresAt: 5 }, 5), false)
  assert.equal(isLive({ ...row, revokedAt: 4 }, 5), false)
})

test('API keys go along; without the old key nothing vouches for the new', async t => {
  const { folder } = await rolledBack(t)
  renameSync(join(folder, 'keys', 'main.signing-key'), join(folder, 'elsewhere'))
  const report = await recoverAfterRestore(recoverIn(folder))
  assert.deepEqual([report.apiKeys, report.handover, report.closed.key], [2, false, null])
  const ledger = await openTestLedger(t, folder)
  assert.deepEqual([ledger.apiKeyCount, ledger.head().size], [2, 3])
  assert.deepEqual(checkLog(folder, [report.opened.verifierKey]).verdict, 'ok')
  const { old_size, seen, handover } = JSON.parse(
    ledger.search({ order: 'asc', limit: 1 }).events[0]?.payload ?? '',
  )
  assert.deepEqual([old_size, seen.size, handover], [7, 10, null])
})

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
  const report = await recoverAfterRestore(recoverIn(place))
  const ready = join(place, 'recovering')
  const file = (name: string) => join(place, name)
  mkdirSync(join(ready, 'keys'), { recursive: true })
  const { file: closedFile, key: closedKey } = report.closed
  writeFileSync(
    join(ready, 'change-over.json'),
    JSON.stringify({ closedFile, closedKey, keyFile: 'main.signing-key', report }),
  )
  if (steps <= 2) renameSync(file('ledger.db'), join(ready, 'ledger.db'))
  if (steps <= 1) {
    renameSync(file('keys/main.signing-key'), join(ready, 'keys', 'main.signing-key'))
    writeFileSync(file('keys/main.signing-key'), oldKey, { mode: 0o600 })
    rmSync(file(`keys/${closedKey}`))
  }
  if (steps === 0) renameSync(file(closedFile), file('ledger.db'))
}

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
