import assert from 'node:assert/strict'
import { cpSync, existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { apiKeyRow, newApiKey } from '../access/api-keys.ts'
import { recoverIn, rolledBack } from '../testing/restored-ledger.ts'
import { smallLedger } from '../testing/tampered-ledger.ts'
import { checkLog, openTestLedger, tempFolder, testEvent } from '../testing/temp-ledger.ts'
import { recoverAfterRestore } from './index.ts'
import { isLive } from './recovered-leaf.ts'

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

test('P22 a recovery that is refused or fails closes nothing, and can be repeated with the same origin', async t => {
  const { folder } = await rolledBack(t)
  const origin = 'new.example/l'
  await assert.rejects(recoverAfterRestore(recoverIn(folder, { origin: 'no origin' })), {
    code: 'invalid_option',
    message: /cannot be an origin/,
  })
  const old = await openTestLedger(t, folder, { guard: 'off' })
  await assert.rejects(recoverAfterRestore(recoverIn(folder, { origin })), /Stop every process/)
  assert.equal((await old.append(testEvent(7))).index, 7, 'it is not closed')
  await old.close()
  assert.deepEqual(
    readdirSync(folder).filter(name => name.startsWith('recovering')),
    [],
  )
  // What an interrupted clean-up leaves.
  mkdirSync(join(folder, 'recovering', 'keys'), { recursive: true })
  const report = await recoverAfterRestore(recoverIn(folder, { origin }))
  assert.equal(report.opened.origin, origin)
  const ledger = await openTestLedger(t, folder)
  assert.deepEqual(ledger.warnings, [], 'its guard is there from the start')
  await ledger.close()
  const again = (await rolledBack(t)).folder
  const guardFolder = join(again, 'guard')
  cpSync(join(folder, 'guard'), guardFolder, { recursive: true })
  await assert.rejects(
    recoverAfterRestore(recoverIn(again, { origin })),
    /There was a ledger new\.example\/l/,
  )
})

test('P21 an old key that is still called new is put by, and does not replace the key of the new ledger', async t => {
  const { folder } = await rolledBack(t)
  const key = join(folder, 'keys', 'main.signing-key')
  renameSync(key, `${key}.new`)
  const report = await recoverAfterRestore(recoverIn(folder))
  assert.equal(report.handover, true)
  for (let start = 0; start < 2; start++) {
    const ledger = await openTestLedger(t, folder)
    assert.equal(ledger.verifierKey, report.opened.verifierKey)
    await ledger.close()
  }
  assert(existsSync(join(folder, 'keys', report.closed.key ?? '')))
})
