import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { openCheckpoint, parseVerifierKey } from '@deedbox/tlog'
import { nodeCrypto } from '@deedbox/tlog/node'
import { openLedger } from '../open-ledger.ts'
import { checkLog, openTestLedger, tempFolder, testEvent } from '../testing/temp-ledger.ts'
import { fileGuard } from './rollback-guard.ts'

const guardFile = (folder: string) => join(folder, 'guard', readdirSync(join(folder, 'guard'))[0]!)

/** A ledger at size 10, a copy of its database at size 5, and a guard at 10. */
async function withOldCopy(t: TestContext): Promise<{ folder: string; old: string }> {
  const folder = tempFolder(t)
  const old = join(folder, 'old')
  const ledger = await openTestLedger(t, folder)
  await ledger.appendBatch([0, 1, 2, 3, 4].map(n => testEvent(n)))
  await ledger.close()
  mkdirSync(old)
  cpSync(join(folder, 'ledger.db'), join(old, 'ledger.db'))
  const again = await openTestLedger(t, folder)
  await again.appendBatch([5, 6, 7, 8, 9].map(n => testEvent(n)))
  await again.close()
  return { folder, old }
}

test('P22 an old copy of the database is refused, and nothing is signed on top of it', async t => {
  const { folder, old } = await withOldCopy(t)
  const newest = readFileSync(join(folder, 'ledger.db'))
  cpSync(join(old, 'ledger.db'), join(folder, 'ledger.db'))
  await assert.rejects(openTestLedger(t, folder), (error: Error & { code: string }) => {
    assert.equal(error.code, 'rolled_back')
    assert.match(error.message, /has 5 entries, but 10 were signed/)
    return true
  })
  writeFileSync(join(folder, 'ledger.db'), newest)
  const restored = await openTestLedger(t, folder)
  assert.equal(restored.head().size, 10)
  assert.deepEqual(restored.about.warnings, [])
})

test('P22 another history of the same length is refused as a fork', async t => {
  const { folder, old } = await withOldCopy(t)
  cpSync(join(folder, 'keys'), join(old, 'keys'), { recursive: true })
  const other = await openTestLedger(t, old)
  await other.appendBatch([0, 1, 2, 3, 4, 5].map(n => testEvent(100 + n)))
  await other.close()
  cpSync(join(old, 'ledger.db'), join(folder, 'ledger.db'))
  await assert.rejects(openTestLedger(t, folder), { code: 'fork' })
})

test('P22 a guard that is behind or missing is a warning; the database has to extend it', async t => {
  const { folder } = await withOldCopy(t)
  const kept = readFileSync(guardFile(folder), 'utf8')
  const ledger = await openTestLedger(t, folder)
  await ledger.append(testEvent(10))
  await ledger.close()
  writeFileSync(guardFile(folder), kept)
  const behind = await openTestLedger(t, folder)
  assert.match(behind.about.warnings[0] ?? '', /was at 10, the database is at 11 and extends it/)
  await behind.close()
  rmSync(guardFile(folder))
  const missing = await openTestLedger(t, folder)
  assert.match(missing.about.warnings[0] ?? '', /no rollback guard/)
  await missing.close()
  assert.equal(checkLog(folder).verdict, 'ok')
})

test('P22 a database that is rolled back under a running ledger stops it before it signs again', async t => {
  const folder = tempFolder(t)
  const ledger = await openTestLedger(t, folder)
  await ledger.appendBatch([0, 1, 2].map(n => testEvent(n)))
  const db = new DatabaseSync(join(folder, 'ledger.db'))
  const { size, root, at, note } = db.prepare('SELECT * FROM heads').get() as Record<
    string,
    string | number | Uint8Array
  >
  const tiles = db.prepare('SELECT * FROM tiles').all()
  await ledger.appendBatch([3, 4].map(n => testEvent(n)))
  const guarded = readFileSync(guardFile(folder), 'utf8')
  db.prepare('UPDATE heads SET size = ?, root = ?, at = ?, note = ?').run(size!, root!, at!, note!)
  db.prepare('UPDATE tiles SET hashes = ?').run(tiles[0]!.hashes!)
  db.prepare('DELETE FROM events WHERE position >= ?').run(2 ** 40 + 3)
  db.close()
  await assert.rejects(ledger.append(testEvent(9)), { code: 'rolled_back' })
  await assert.rejects(ledger.append(testEvent(9)), { code: 'ledger_stopped' })
  assert.equal(ledger.failure?.code, 'ledger_stopped')
  assert.equal(readFileSync(guardFile(folder), 'utf8'), guarded, 'the guard still knows better')
  await ledger.close()
  await assert.rejects(openTestLedger(t, folder), { code: 'rolled_back' })
})

test('P22 the guard is the signed head at the moment an event is acknowledged', async t => {
  const folder = tempFolder(t)
  const ledger = await openTestLedger(t, folder)
  const keys = ledger.about.verifierKeys.map(key => parseVerifierKey(nodeCrypto.sha256, key))
  for (let n = 0; n < 5; n++) {
    await ledger.append(testEvent(n))
    assert.equal(openCheckpoint(nodeCrypto, readFileSync(guardFile(folder), 'utf8'), keys).size, n + 1)
  }
})

test('a forged guard and a guard folder that cannot be written are start-up errors that name the way out', async t => {
  const { folder } = await withOldCopy(t)
  writeFileSync(guardFile(folder), 'not a checkpoint')
  await assert.rejects(openTestLedger(t, folder), { code: 'guard_unusable' })
  writeFileSync(join(folder, 'a-file'), '')
  const options = { keysFolder: join(folder, 'keys'), guard: join(folder, 'a-file', 'guard') }
  await assert.rejects(openLedger(join(folder, 'ledger.db'), options), /DEEDBOX_GUARD/)
  // Node's own recursive mkdir tries for ever where a file system answers ENOENT below a folder that exists.
  await assert.rejects(openLedger(join(folder, 'ledger.db'), { ...options, guard: '/proc/nowhere/guard' }), {
    code: 'guard_unusable',
  })
  const off = await openLedger(join(folder, 'ledger.db'), { ...options, guard: 'off' })
  assert.equal(off.head().size, 10)
  await off.close()
})

test('P21 a database that disappeared is not replaced by an empty one, guard or no guard', async t => {
  const { folder } = await withOldCopy(t)
  for (const name of readdirSync(folder).filter(name => name.startsWith('ledger.db')))
    rmSync(join(folder, name))
  await assert.rejects(openTestLedger(t, folder), { code: 'ledger_lost' })
  await assert.rejects(openTestLedger(t, folder, { guard: 'off' }), { code: 'ledger_lost' })
  await assert.rejects(openTestLedger(t, folder, { guard: join(folder, 'another') }), { code: 'ledger_lost' })
})

test('P21 a crash between key and ledger leaves a key that the next start takes', async t => {
  const folder = tempFolder(t)
  const first = await openTestLedger(t, folder)
  const vkey = first.verifierKey
  await first.close()
  // The state after such a crash: the key under its first name, and a database without a ledger.
  for (const name of readdirSync(folder).filter(name => name.startsWith('ledger.db')))
    rmSync(join(folder, name))
  renameSync(join(folder, 'keys', 'main.signing-key'), join(folder, 'keys', 'main.signing-key.new'))
  const again = await openTestLedger(t, folder)
  assert.deepEqual([again.about.created, again.verifierKey], [true, vkey])
  assert.deepEqual(readdirSync(join(folder, 'keys')), ['main.signing-key'])
})

test('P22 of two processes the guard keeps the later state; one that cannot be stored shows as a warning', async t => {
  const folder = tempFolder(t)
  const ledger = await openTestLedger(t, folder)
  const other = await openTestLedger(t, folder)
  const keys = ledger.about.verifierKeys.map(key => parseVerifierKey(nodeCrypto.sha256, key))
  await ledger.append(testEvent(0))
  const early = readFileSync(guardFile(folder), 'utf8')
  await other.append(testEvent(1))
  fileGuard(join(folder, 'guard')).store(ledger.about.origin, early)
  assert.equal(openCheckpoint(nodeCrypto, readFileSync(guardFile(folder), 'utf8'), keys).size, 2)
  rmSync(join(folder, 'guard'), { recursive: true })
  await ledger.append(testEvent(2))
  // The warning follows the answer; the next answer comes after it.
  await ledger.append(testEvent(3))
  assert.match(ledger.warnings.at(-1) ?? '', /rollback guard cannot be stored/)
})
