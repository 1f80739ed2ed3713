import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { parseVerifierKey } from '@deedbox/tlog'
import { nodeCrypto } from '@deedbox/tlog/node'
import { soundLedgers } from '../backup/index.ts'
import { LedgerError } from '../errors.ts'
import { closeForGood, writeMoveMark } from '../store/index.ts'
import { smallLedger, tamper } from '../testing/tampered-ledger.ts'
import { openTestLedger, tempFolder, testEvent } from '../testing/temp-ledger.ts'
import { verifyFolder } from './index.ts'

const pinnedOf = (keys: string[]) => keys.map(key => parseVerifierKey(nodeCrypto.sha256, key))

test('F10 the guard of this machine shows that the end was cut off; it is only read', async t => {
  const { folder, keys } = await smallLedger(t)
  const pinned = pinnedOf(keys)
  const old = tempFolder(t)
  cpSync(join(folder, 'ledger.db'), join(old, 'ledger.db'))
  const ledger = await openTestLedger(t, folder)
  await ledger.append(testEvent(7))
  await ledger.close()
  const guardFolder = join(folder, 'guard')
  const current = await verifyFolder({ folder, pinned, guardFolder })
  assert.deepEqual([current.verdict, current.keptSize, current.size], ['ok', 8, 8])
  assert(current.newestAt !== null && Date.parse(current.newestAt) > 0)
  const restored = await verifyFolder({ folder: old, pinned, guardFolder })
  assert.equal(restored.verdict, 'truncated', JSON.stringify(restored.findings))
  assert.match(restored.findings[0]?.detail ?? '', /There are 7 entries, but the checkpoint in .*guard has 8/)
  const without = await verifyFolder({ folder: old, pinned, guardFolder: 'off' })
  assert.deepEqual([without.verdict, without.keptSize], ['ok', 0])
  const nowhere = join(folder, 'no-guard')
  assert.equal((await verifyFolder({ folder: old, pinned, guardFolder: nowhere })).keptSize, 0)
  assert.equal(existsSync(nowhere), false)
})

test('F10 a file that was moved is compared with what was moved, not with a guard that has seen the server go on', async t => {
  const { folder, keys } = await smallLedger(t)
  const pinned = pinnedOf(keys)
  const guardFolder = join(folder, 'guard')
  const source = tempFolder(t)
  const database = join(source, 'ledger.db')
  cpSync(join(folder, 'ledger.db'), database)
  const { origin, size, root } = await headOf(folder)
  const server = await openTestLedger(t, folder)
  await server.append(testEvent(7))
  await server.close()
  const mark = { v: 1, url: 'https://ledger.example', moveId: 'm', at: '2026-01-01T00:00:00.000Z' } as const
  const verdictOf = async (state: 'moved' | 'installing', moved: object = {}) => {
    const ledgers = [{ name: 'main', origin, size, root, ...moved }]
    writeMoveMark(database, { ...mark, state, ledgers })
    const { verdict, moved: said } = await verifyFolder({ folder: source, pinned, guardFolder })
    return [verdict, said?.guardSize]
  }
  // A mark alone, beside a file that was not closed, is no move.
  assert.deepEqual(await verdictOf('moved'), ['truncated', undefined])
  closeForGood(database)
  assert.deepEqual(await verdictOf('moved'), ['ok', size + 1])
  assert.deepEqual(await verdictOf('installing'), ['truncated', undefined])
  assert.deepEqual(await verdictOf('moved', { size: size + 1 }), ['truncated', null])
  assert.deepEqual(await verdictOf('moved', { root: 'another' }), ['truncated', null])
  const without = await verifyFolder({ folder: source, pinned, guardFolder: 'off' })
  assert.deepEqual([without.verdict, without.found], ['content_mismatch', 1])
  assert.match(without.findings[0]?.detail ?? '', /was moved to https:\S+ with 7 entries, and the file/)
  writeFileSync(`${database}.moved`, '{')
  assert.equal((await verifyFolder({ folder: source, pinned, guardFolder: 'off' })).verdict, 'ok')
})

async function headOf(folder: string): Promise<{ origin: string; size: number; root: string }> {
  const [ledger] = soundLedgers(
    join(folder, 'ledger.db'),
    () => ({}),
    () => undefined,
  )
  assert(ledger !== undefined)
  const { row, head } = ledger
  return { origin: row.origin, size: head.size, root: Buffer.from(head.root).toString('base64') }
}

test('F14 a guard that is no checkpoint of the ledger is bad_signature, one that cannot be read a sentence', async t => {
  const { folder, keys } = await smallLedger(t)
  const guardFolder = join(folder, 'guard')
  const [file] = readdirSync(guardFolder)
  writeFileSync(join(guardFolder, file!), 'nonsense')
  const report = await verifyFolder({ folder, pinned: pinnedOf(keys), guardFolder })
  assert.equal(report.verdict, 'bad_signature')
  rmSync(join(guardFolder, file!))
  mkdirSync(join(guardFolder, file!))
  await assert.rejects(verifyFolder({ folder, pinned: [], guardFolder }), { code: 'guard_unusable' })
})

const damages: { title: string; sql: string; outcome: string }[] = [
  { title: 'table ledgers dropped', sql: 'DROP TABLE ledgers', outcome: 'storage_failed' },
  { title: 'table events dropped', sql: 'DROP TABLE events', outcome: 'index_mismatch' },
  { title: 'no ledger', sql: 'DELETE FROM ledgers', outcome: 'unknown_ledger' },
  { title: 'a huge ledger id', sql: 'UPDATE ledgers SET ledger_id = 1 << 60', outcome: 'storage_failed' },
  { title: 'no head', sql: 'DELETE FROM heads', outcome: 'index_mismatch' },
  { title: 'a huge time', sql: 'UPDATE events SET at = 1 << 60', outcome: 'index_mismatch' },
  { title: 'a core that is no JSON', sql: "UPDATE events SET core = x'7b'", outcome: 'content_mismatch' },
  { title: 'leaves that are empty', sql: "UPDATE events SET leaf = x''", outcome: 'content_mismatch' },
  {
    title: 'verifier keys that are none',
    sql: "UPDATE ledgers SET verifier_keys = '?'",
    outcome: 'bad_signature',
  },
  {
    title: 'a table under another definition',
    sql: "UPDATE sqlite_schema SET sql = replace(sql, 'leaf BLOB', 'leaf TEXT')",
    outcome: 'index_mismatch',
  },
  {
    title: 'a schema that is no SQL',
    sql: "UPDATE sqlite_schema SET sql = 'junk' WHERE name = 'events'",
    outcome: 'storage_failed',
  },
  {
    title: 'a table that is not strict',
    sql: "UPDATE sqlite_schema SET sql = replace(sql, 'STRICT', '') WHERE name = 'events'",
    outcome: 'index_mismatch',
  },
]

for (const { title, sql, outcome } of damages) {
  test(`${title}: ${outcome}, and never a stack trace`, async t => {
    const { folder } = await smallLedger(t)
    tamper(folder, sql)
    assert.equal(await outcomeOf(folder), outcome)
  })
}

test('pages that were overwritten or cut off are a finding or storage_failed, wherever they lie', async t => {
  const { folder } = await smallLedger(t)
  const file = join(folder, 'ledger.db')
  const { size } = statSync(file)
  const whole = readFileSync(file)
  for (let page = 1; page * 8192 < size; page++) {
    const damaged = Buffer.from(whole)
    damaged.fill(0xa5, page * 8192, (page + 1) * 8192)
    writeFileSync(file, damaged)
    assert.notEqual(await outcomeOf(folder), 'ok_unpinned', `page ${page}`)
    writeFileSync(file, whole)
    truncateSync(file, page * 8192)
    assert.notEqual(await outcomeOf(folder), 'ok_unpinned', `cut at page ${page}`)
  }
})

async function outcomeOf(folder: string): Promise<string> {
  try {
    return (await verifyFolder({ folder, pinned: [], guardFolder: 'off' })).verdict
  } catch (error) {
    assert(error instanceof LedgerError, String((error as Error).stack))
    assert.match(error.message, /^[A-Z/][^\n]+\.$/)
    return error.code
  }
}

test('a copy on a medium that cannot be written is verified; with a log beside it the message says what to do', async t => {
  const { folder, keys } = await smallLedger(t)
  const medium = tempFolder(t)
  cpSync(join(folder, 'ledger.db'), join(medium, 'ledger.db'))
  assert.deepEqual(verifyReadOnly(medium, keys), { verdict: 'ok', checked: 7 })
  writeFileSync(join(medium, 'ledger.db-wal'), 'something')
  const refused = verifyReadOnly(medium, keys)
  assert.equal(refused.code, 'storage_failed')
  assert.match(refused.message ?? '', /ledger\.db-wal beside it .* Copy both/)
})

/** Verifies in a process that may not write there: as another user when this one is root. */
function verifyReadOnly(
  folder: string,
  keys: string[],
): { verdict?: string; checked?: number; code?: string; message?: string } {
  const script = `
    import { parseVerifierKey } from '@deedbox/tlog'
    import { nodeCrypto } from '@deedbox/tlog/node'
    import { verifyFolder } from ${JSON.stringify(new URL('./index.ts', import.meta.url).href)}
    process.setuid?.(process.getuid() === 0 ? 65534 : process.getuid())
    const pinned = ${JSON.stringify(keys)}.map(key => parseVerifierKey(nodeCrypto.sha256, key))
    try {
      const { verdict, checked } = await verifyFolder({ folder: ${JSON.stringify(folder)}, pinned, guardFolder: 'off' })
      console.log(JSON.stringify({ verdict, checked }))
    } catch ({ code, message }) {
      console.log(JSON.stringify({ code, message }))
    }`
  const file = join(folder, 'ledger.db')
  chmodSync(file, 0o444)
  chmodSync(folder, 0o555)
  try {
    const args = ['--conditions=@deedbox/source', '--input-type=module', '-e', script]
    return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8', cwd: import.meta.dirname }))
  } finally {
    chmodSync(folder, 0o755)
  }
}
