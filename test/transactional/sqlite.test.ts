import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { openLedger } from '@deedbox/ledger'
import { sqliteOutbox } from 'deedbox/outbox'
import { aBox, aLedger } from '../../packages/deedbox/src/testing/ledger-events.ts'
import { keepAll } from '../../packages/deedbox/src/testing/ledger-stand-in.ts'
import { outboxSuite } from './suite.ts'

const folder = mkdtempSync(join(tmpdir(), 'deedbox-outbox-'))
after(() => rmSync(folder, { recursive: true, force: true }))

outboxSuite('SQLite', false, () => ({ kind: 'sqlite', file: join(folder, 'shop.db') }))

test('outbox: IP-08 what comes out of a row is the same event to the ledger itself', async t => {
  const ledger = await openLedger(join(folder, 'audit.db'))
  t.after(() => ledger.close())
  const { box } = aBox(t, { ledger })
  const database = new DatabaseSync(':memory:')
  const outbox = sqliteOutbox(box, database)
  await outbox.migrate()
  const event = ['order.placed', { text: '客 🦊', n: 1.5e300 }] as const
  const how = { idempotencyKey: 'o-1', requestId: 'r-1', meta: { 2: 'two', 1: 'one', subject: 'ü' } }
  await box.send(...event, how)
  database.exec('BEGIN')
  outbox.write(database, ...event, how)
  outbox.write(database, ...event, how)
  database.exec('COMMIT')
  assert.equal(await outbox.runOnce(), 2)
  const { delivered, duplicate } = box.stats().audit
  assert.deepEqual([delivered, duplicate], [3, 2])
})

test('outbox: a row that somebody spoilt is refused like an event, and holds nothing up', async t => {
  const ledger = await aLedger(t, keepAll)
  const { box } = aBox(t, { ledger: { url: ledger.url, apiKey: 'deed_test_key' } })
  const database = new DatabaseSync(':memory:')
  const outbox = sqliteOutbox(box, database, { schema: 'main' })
  await outbox.migrate()
  database.exec('BEGIN')
  outbox.write(database, 'spoilt', {})
  database.exec("UPDATE deedbox_outbox SET meta = '{'")
  outbox.write(database, 'whole', {})
  database.exec('COMMIT')
  assert.equal(await outbox.runOnce(), 1)
  assert.deepEqual(
    database
      .prepare('SELECT refused_at IS NOT NULL AS refused, reason LIKE ? AS told FROM deedbox_outbox')
      .all('%JSON%'),
    [{ __proto__: null, refused: 1, told: 1 }],
  )
})

test('outbox: IP-06 while the quota is used up nothing is taken', async t => {
  const ledger = await aLedger(t, () => ({
    status: 429,
    body: { ok: false, reason: 'quota_exceeded', message: 'next month' },
  }))
  const { box } = aBox(t, {
    ledger: { url: ledger.url, apiKey: 'deed_test_key' },
    audit: { quotaPause: 1_000_000 },
  })
  const database = new DatabaseSync(':memory:')
  const outbox = sqliteOutbox(box, database)
  await outbox.migrate()
  database.exec('BEGIN')
  outbox.write(database, 'e', {})
  database.exec('COMMIT')
  for (let i = 0; i < 3; i++) assert.equal(await outbox.runOnce(), 0)
  assert.equal(ledger.calls.length, 1)
  assert.deepEqual([outbox.stats().refused, outbox.stats().failed], [0, 1])
})
