import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openCheckpoint, parseVerifierKey } from '@deedbox/tlog'
import { nodeCrypto } from '@deedbox/tlog/node'
import { openLedger } from '../open-ledger.ts'
import { checkLog, openTestLedger, tempFolder, testEvent } from '../testing/temp-ledger.ts'

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

test('P21 a database that disappeared is not replaced by an empty one while its guard remembers entries', async t => {
  const { folder } = await withOldCopy(t)
  for (const name of readdirSync(folder).filter(name => name.startsWith('ledger.db')))
    rmSync(join(folder, name))
  await assert.rejects(openTestLedger(t, folder), { code: 'rolled_back' })
})
