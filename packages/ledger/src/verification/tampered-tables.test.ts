import assert from 'node:assert/strict'
import { test } from 'node:test'
import { smallLedger, tamper } from '../testing/tampered-ledger.ts'
import { checkLog, openTestLedger, testEvent } from '../testing/temp-ledger.ts'

const keyHash = (index: number) => `(SELECT key_hash FROM idempotency WHERE idx = ${index})`

const attacks: { title: string; sql: string; detail: RegExp; index?: number }[] = [
  {
    title: 'F14 a trigger that swallows new events',
    sql: 'CREATE TRIGGER swallow BEFORE INSERT ON events BEGIN SELECT RAISE(IGNORE); END',
    detail: /trigger swallow/,
  },
  {
    title: 'F14 an added index',
    sql: 'CREATE INDEX extra ON events (kind)',
    detail: /index extra/,
  },
  {
    title: 'F14 an added table',
    sql: 'CREATE TABLE extra (a)',
    detail: /table extra/,
  },
  {
    title: 'F14 a dropped table of the search index',
    sql: 'DROP TABLE event_terms',
    detail: /table event_terms is not there/,
  },
  {
    title: 'F14 a search index that is said to have other columns',
    sql: `UPDATE sqlite_schema SET sql = replace(sql, 'segment, term', 'term, segment') WHERE name = 'event_terms'`,
    detail: /table event_terms does not belong here/,
  },
  {
    title: 'F14 a search index whose tree is that of another table',
    sql: `UPDATE sqlite_schema SET rootpage = (SELECT sum(rootpage) FROM sqlite_schema
            WHERE name IN ('event_terms', 'idempotency')) - rootpage
          WHERE name IN ('event_terms', 'idempotency')`,
    detail: /Table event_terms|SQLite's own check of the file/,
  },
  {
    title: 'F14 terms in a segment that is not full',
    sql: 'INSERT INTO event_terms VALUES ((1 << 28), 5, (1 << 40) + 1)',
    detail: /Table event_terms has rows in segments that are not full: 1/,
  },
  {
    title: 'the time of the head',
    sql: 'UPDATE heads SET at = at + 1',
    detail: /Table heads, column at/,
  },
  {
    title: 'the time of the head beyond what a number holds',
    sql: 'UPDATE heads SET at = 1 << 60',
    detail: /Table heads, column at/,
  },
  {
    title: 'P12 a tile too many',
    sql: 'INSERT INTO tiles VALUES (1, 1, 0, zeroblob(32))',
    detail: /Table tiles has 2 rows; a tree of 7 has 1/,
  },
  {
    title: 'an event at a negative position',
    sql: 'INSERT INTO events (position, ledger_id, leaf, at, kind) SELECT -5, 1, leaf, at, kind FROM events LIMIT 1',
    detail: /Table events has 1 row outside this ledger's positions/,
  },
  {
    title: "an event in another ledger's range",
    sql: `INSERT INTO events (position, ledger_id, leaf, at, kind)
          SELECT 2 * (1 << 40), 2, leaf, at, kind FROM events LIMIT 1`,
    detail: /Table events has 1 row outside this ledger's positions/,
  },
  {
    title: 'a ledger without a head',
    sql: "INSERT INTO ledgers SELECT 2, 'two', 'two.example', kind, created_at, verifier_keys, dedup_check FROM ledgers",
    detail: /Table ledgers has 1 row without a row in table heads/,
  },
  {
    title: 'tiles of no ledger',
    sql: 'INSERT INTO tiles VALUES (9, 0, 0, zeroblob(32))',
    detail: /Table tiles has 1 row of a ledger that is not in table ledgers/,
  },
  {
    title: 'a forgotten idempotency key',
    sql: 'DELETE FROM idempotency WHERE idx = 1',
    detail: /Table idempotency has no row for the key of event 1/,
    index: 1,
  },
  {
    title: 'an idempotency key that nobody used',
    sql: 'INSERT INTO idempotency VALUES (1, zeroblob(38), zeroblob(32), 4, 4)',
    detail: /Table idempotency has a row for the event 4 /,
  },
  {
    title: 'an idempotency key for an event beyond the end',
    sql: 'INSERT INTO idempotency VALUES (1, zeroblob(38), zeroblob(32), 1 << 60, 4)',
    detail: /Table idempotency has a row for the event -1 /,
  },
  {
    title: 'a second row of one idempotency key',
    sql: `INSERT INTO idempotency VALUES (1, ${keyHash(1)}, zeroblob(32), 1, 1)`,
    detail: /Table idempotency has a row for the event 1 /,
  },
  {
    title: 'another idempotency key',
    sql: 'UPDATE idempotency SET key_hash = zeroblob(38) WHERE idx = 1',
    detail: /Table idempotency, row of the event 1, column key_hash/,
    index: 1,
  },
  {
    title: 'an idempotency key that names another first event',
    sql: 'UPDATE idempotency SET first_idx = 2 WHERE idx = 3',
    detail: /Table idempotency, row of the event 3, column first_idx/,
    index: 3,
  },
  {
    title: 'two idempotency keys swapped',
    sql: 'UPDATE idempotency SET idx = 3 - idx, first_idx = 3 - first_idx WHERE idx IN (1, 2)',
    detail: /Table idempotency, row of the event [12], column key_hash/,
  },
  {
    title: 'an API key slipped in',
    sql: "INSERT INTO api_keys VALUES ('key_x', 1, 'writer_x', 'x', zeroblob(32), 'write read', 0, NULL, NULL, NULL, NULL)",
    detail: /key key_x: no leaf records its creation/,
  },
  {
    title: 'an API key slipped in under another ledger',
    sql: `INSERT INTO api_keys VALUES ('key_x', 2, 'writer_x', 'x', zeroblob(32), 'write read', 0, NULL, NULL, NULL, NULL)`,
    detail: /key key_x: no leaf records its creation/,
  },
  {
    title: 'a removed API key',
    sql: "DELETE FROM api_keys WHERE name = 'reader'",
    detail: /Table api_keys has no row of the key key_/,
    index: 6,
  },
  ...Object.entries({
    key_id: "'key_x'",
    principal: "'writer_x'",
    name: "'x'",
    scopes: "'write read admin'",
    created_at: 'created_at - 1',
    expires_at: '1',
    revoked_at: '1',
    replaced_by: "'key_x'",
  }).map(([column, value]) => ({
    title: `an API key with another ${column}`,
    sql: `UPDATE api_keys SET ${column} = ${value} WHERE name = 'writer'`,
    detail: new RegExp(`Table api_keys, key key_\\S+, column ${column}: `),
    index: 5,
  })),
  {
    title: 'the secret of an API key replaced',
    sql: "UPDATE api_keys SET hash = zeroblob(32) WHERE name = 'writer'",
    detail: /no leaf records its creation/,
  },
  {
    title: 'a time beyond what a number holds',
    sql: 'UPDATE events SET at = 1 << 60 WHERE position = (1 << 40) + 2',
    detail: /Table events, row 2, column at/,
    index: 2,
  },
  { title: 'no head', sql: 'DELETE FROM heads', detail: /Table heads has no row of this ledger/ },
  {
    title: 'an impossible size',
    sql: 'UPDATE heads SET size = -7',
    detail: /Table heads has no possible size/,
  },
  { title: 'a dropped table', sql: 'DROP TABLE tiles', detail: /table tiles is not there/ },
]

for (const { title, sql, detail, index } of attacks) {
  test(`${title}: index_mismatch`, async t => {
    const { folder, keys } = await smallLedger(t)
    assert.equal(checkLog(folder, keys).verdict, 'ok')
    tamper(folder, sql)
    const report = checkLog(folder, keys)
    assert.equal(report.verdict, 'index_mismatch', JSON.stringify(report.findings))
    const finding = report.findings.find(finding => detail.test(finding.detail))
    assert(finding !== undefined, JSON.stringify(report.findings))
    if (index !== undefined) assert.equal(finding.index, index)
  })
}

test('a ledger that holds a trigger is not opened for writing; statistics of ANALYZE are no harm', async t => {
  const { folder, keys } = await smallLedger(t)
  tamper(folder, 'ANALYZE')
  const ledger = await openTestLedger(t, folder)
  await ledger.append(testEvent(7))
  await ledger.close()
  assert.equal(checkLog(folder, keys).verdict, 'ok')
  tamper(folder, 'CREATE TRIGGER swallow BEFORE INSERT ON events BEGIN SELECT RAISE(IGNORE); END')
  await assert.rejects(openTestLedger(t, folder), { code: 'edge_damaged', message: /trigger swallow/ })
})

test('P12 bytes after the hashes of a tile: content_mismatch', async t => {
  const { folder, keys } = await smallLedger(t)
  tamper(folder, 'UPDATE tiles SET hashes = CAST(hashes || zeroblob(32) AS BLOB)')
  const { verdict, findings } = checkLog(folder, keys)
  assert.equal(verdict, 'content_mismatch')
  assert.match(findings[0]?.detail ?? '', /Tile 0 of level 0 goes on after the 7 hashes/)
})

test('P5 a member named __proto__ derives no search column, neither at intake nor in verification', async t => {
  const { folder, keys } = await smallLedger(t)
  const ledger = await openTestLedger(t, folder)
  const { meta } = testEvent(7)
  const hidden = JSON.parse('{"__proto__":{"subject":"somebody","actor":{"id":"somebody"}}}') as object
  const { index } = await ledger.append({ payload: 'x', meta: { ...meta, ...hidden } })
  assert.deepEqual(ledger.search({ subject: 'somebody' }).rows, [])
  await ledger.close()
  assert.deepEqual([checkLog(folder, keys).verdict, index], ['ok', 7])
  tamper(folder, `UPDATE events SET subject = 'somebody' WHERE position = (1 << 40) + ${index}`)
  assert.equal(checkLog(folder, keys).verdict, 'index_mismatch')
})

test('the report lists what nothing vouches for', async t => {
  const { folder } = await smallLedger(t)
  const { notAttested } = checkLog(folder)
  assert.deepEqual(
    notAttested.filter(column => column.startsWith('api_keys.')),
    ['api_keys.last_used_at'],
  )
  assert(!notAttested.some(column => column.startsWith('events.')))
})
