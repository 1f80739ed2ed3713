import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { openLedger } from '@deedbox/ledger'
import { OutboxError, sqliteOutbox } from 'deedbox/outbox'
import { aBox, aLedger, noticesOf } from '../../packages/deedbox/src/testing/ledger-events.ts'
import { keepAll, until } from '../../packages/deedbox/src/testing/ledger-stand-in.ts'
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

test('outbox: IF-34 rows that somebody spoilt are refused like events, and hold nothing up', async t => {
  const ledger = await aLedger(t, keepAll)
  const { box } = aBox(t, { ledger: { url: ledger.url, apiKey: 'deed_test_key' } })
  const database = new DatabaseSync(':memory:')
  const outbox = sqliteOutbox(box, database, { schema: 'main' })
  await outbox.migrate()
  const whole = { type: 'info', event_name: 'e', service: 's' }
  const spoilt = [
    ['meta', '{', /no JSON/],
    ...['null', '7', '"text"', '[]'].map(meta => ['meta', meta, /no JSON object/] as const),
    ...Object.keys(whole).map(
      name => ['meta', JSON.stringify({ ...whole, [name]: undefined }), new RegExp(`meta.${name}`)] as const,
    ),
    ['meta', JSON.stringify({ ...whole, event_name: { a: 1 } }), /meta.event_name/],
    ['payload', new Uint8Array([1]), /payload is no text/],
    ['request_id', new Uint8Array([1]), /request_id is no text/],
  ] as const
  database.exec('BEGIN')
  for (const [column, value] of spoilt) {
    const key = outbox.write(database, 'spoilt', {})
    database.prepare(`UPDATE deedbox_outbox SET ${column} = ? WHERE idempotency_key = ?`).run(value, key)
  }
  outbox.write(database, 'whole', {})
  database.exec('COMMIT')
  assert.equal(await outbox.runOnce(), 1)
  await box.send('another', {})
  assert.deepEqual(await outbox.backlog(), { waiting: 0, refused: spoilt.length })
  const rows = database.prepare('SELECT refused_at, reason FROM deedbox_outbox ORDER BY id').all()
  for (const [i, [, , reason]] of spoilt.entries()) assert.match(String(rows[i]?.reason), reason)
})

test('outbox: ruling 23 a transaction that stays open on the connection is counted, and told', async t => {
  const ledger = await aLedger(t, keepAll)
  const { box, lines } = aBox(t, { ledger: { url: ledger.url, apiKey: 'deed_test_key' } })
  const database = new DatabaseSync(':memory:')
  const outbox = sqliteOutbox(box, database, { interval: 10 })
  await outbox.start()
  t.after(() => outbox.stop(0))
  database.exec('BEGIN')
  outbox.write(database, 'e', {})
  await assert.rejects(outbox.runOnce(), (error: unknown) => {
    assert(error instanceof OutboxError)
    return error.code === 'in_transaction'
  })
  await until(() => outbox.stats().blocked > 2)
  assert.deepEqual(noticesOf(lines, 'outbox_in_transaction'), [])
  // A mock of the clock: the fault is one of several seconds.
  const real = performance.now.bind(performance)
  t.mock.method(performance, 'now', () => real() + 6_000)
  await until(() => noticesOf(lines, 'outbox_in_transaction').length === 1)
  assert.deepEqual([outbox.stats().failed, ledger.calls.length], [0, 0])
  database.exec('COMMIT')
  await until(() => outbox.relayed === 1)
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
