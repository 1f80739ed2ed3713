import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { openCheckpoint, parseVerifierKey } from '@deedbox/tlog'
import { nodeCrypto, parseSigningKey } from '@deedbox/tlog/node'
import type { Ledger } from './ledger.ts'
import { openLedger } from './open-ledger.ts'
import { openTestLedger, tempFolder, testEvent } from './testing/temp-ledger.ts'

const { sha256 } = nodeCrypto
const keysOf = (ledger: Ledger) => ledger.about.verifierKeys.map(key => parseVerifierKey(sha256, key))

async function fresh(t: TestContext): Promise<{ folder: string; ledger: Ledger }> {
  const folder = tempFolder(t)
  return { folder, ledger: await openTestLedger(t, folder) }
}

test('P24 a second opening finds the same ledger: origin, key, tree and checkpoint', async t => {
  const { folder, ledger } = await fresh(t)
  await ledger.append(testEvent(1))
  const before = { origin: ledger.about.origin, vkey: ledger.verifierKey, head: ledger.head() }
  await ledger.close()
  const again = await openTestLedger(t, folder)
  assert.equal(again.about.created, false)
  assert.deepEqual({ origin: again.about.origin, vkey: again.verifierKey, head: again.head() }, before)
  assert.equal(openCheckpoint(nodeCrypto, again.checkpoint(), keysOf(again)).size, 1)
})

test('the signing key is a file of mode 0600 outside the database, and the database does not hold it', async t => {
  const { folder, ledger } = await fresh(t)
  await ledger.append(testEvent(1))
  const path = join(folder, 'keys', 'main.signing-key')
  assert.equal(statSync(path).mode & 0o777, 0o600)
  const key = readFileSync(path, 'utf8').trim()
  await ledger.close()
  for (const file of readdirSync(folder).filter(name => name.startsWith('ledger.db'))) {
    const bytes = readFileSync(join(folder, file))
    assert(!bytes.includes(key.slice(-40)))
    assert(!bytes.includes(Buffer.from(parseSigningKey(key).seed)))
  }
})

test('P21 a missing or foreign signing key is a start-up error, never a second ledger', async t => {
  const { folder, ledger } = await fresh(t)
  await ledger.append(testEvent(1))
  await ledger.close()
  const path = join(folder, 'keys', 'main.signing-key')
  const key = readFileSync(path, 'utf8')
  rmSync(path)
  const options = { keysFolder: join(folder, 'keys'), guard: join(folder, 'guard') }
  await assert.rejects(openLedger(join(folder, 'ledger.db'), options), { code: 'signing_key_missing' })
  const other = await openTestLedger(t, join(folder, 'other'))
  await other.close()
  const foreign = readFileSync(join(folder, 'other', 'keys', 'main.signing-key'), 'utf8')
  await assert.rejects(openLedger(join(folder, 'ledger.db'), { ...options, signingKey: foreign }), {
    code: 'signing_key_mismatch',
  })
  await assert.rejects(openLedger(join(folder, 'ledger.db'), { ...options, signingKey: 'nonsense' }), {
    code: 'signing_key_mismatch',
  })
  const fromText = await openLedger(join(folder, 'ledger.db'), { ...options, signingKey: key })
  assert.equal(fromText.head().size, 1)
  await fromText.close()
})

test('P25 another database, a newer schema and a damaged file are refused, and not touched', async t => {
  const folder = tempFolder(t)
  const path = join(folder, 'ledger.db')
  const options = { keysFolder: join(folder, 'keys'), guard: join(folder, 'guard') }
  const { DatabaseSync } = await import('node:sqlite')
  const foreign = new DatabaseSync(path)
  foreign.exec('CREATE TABLE theirs (a); PRAGMA journal_mode = DELETE')
  foreign.close()
  const before = readFileSync(path)
  await assert.rejects(openLedger(path, options), { code: 'not_a_ledger' })
  assert.deepEqual(readFileSync(path), before)
  writeFileSync(
    path,
    'this is a text file, long enough to look like something that SQLite could read if it wanted to',
  )
  await assert.rejects(openLedger(path, options), { code: 'not_a_ledger' })
  rmSync(path)
  const ledger = await openTestLedger(t, folder)
  await ledger.close()
  const db = new DatabaseSync(path)
  db.exec('PRAGMA user_version = 99')
  db.close()
  await assert.rejects(openLedger(path, options), { code: 'schema_too_new' })
})

test('an origin is chosen once, and a text that cannot be one is refused', async t => {
  const folder = tempFolder(t)
  const ledger = await openTestLedger(t, folder, { origin: 'ledger.example/acme' })
  assert.equal(ledger.about.origin, 'ledger.example/acme')
  assert(ledger.verifierKey.startsWith('ledger.example/acme+'))
  await ledger.close()
  await assert.rejects(openTestLedger(t, folder, { origin: 'another.example/name' }), {
    code: 'invalid_option',
  })
  const again = await openTestLedger(t, folder, { origin: 'ledger.example/acme' })
  assert.equal(again.about.origin, 'ledger.example/acme')
  const elsewhere = join(folder, 'elsewhere')
  mkdirSync(elsewhere)
  for (const origin of ['with space', 'plus+sign', 'new\nline', 'quote"', '']) {
    await assert.rejects(openTestLedger(t, elsewhere, { origin }), { code: 'invalid_option' }, origin)
  }
  await assert.rejects(openTestLedger(t, elsewhere, { name: 'Not A Name' }), { code: 'invalid_option' })
})

test('P25 the settings that cannot be added later are in the file', async t => {
  const { folder, ledger } = await fresh(t)
  await ledger.append(testEvent(1))
  const { DatabaseSync } = await import('node:sqlite')
  const db = new DatabaseSync(join(folder, 'ledger.db'), { readOnly: true })
  const read = (name: string) => Object.values(db.prepare(`PRAGMA ${name}`).get() ?? {})[0]
  assert.equal(read('application_id'), 0x44454544)
  assert.equal(read('user_version'), 2)
  assert.equal(read('journal_mode'), 'wal')
  assert.equal(read('auto_vacuum'), 2)
  assert.equal(read('page_size'), 8192)
  db.close()
})

test('a bundled program that lost the writer thread is told which setting helps', async t => {
  const folder = tempFolder(t)
  await assert.rejects(
    openTestLedger(t, folder, { writerThread: new URL('file:///nowhere/writer-thread.js') }),
    (error: Error & { code: string }) =>
      error.code === 'worker_missing' && error.message.includes('writerThread'),
  )
})
