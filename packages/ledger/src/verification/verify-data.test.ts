import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { formatCheckpoint, parseVerifierKey, signNote, type Verdict } from '@deedbox/tlog'
import { ed25519Signer, generateSigningKey, nodeCrypto, parseSigningKey } from '@deedbox/tlog/node'
import { openSqliteReader } from '../store/index.ts'
import { checkLog, openTestLedger, tempFolder, testEvent } from '../testing/temp-ledger.ts'
import { verifyData } from './index.ts'

const events = 300

/** A closed ledger of 300 events, and its checkpoint. */
async function closedLedger(t: TestContext): Promise<{ folder: string; checkpoint: string; keys: string[] }> {
  const folder = tempFolder(t)
  const ledger = await openTestLedger(t, folder)
  await ledger.appendBatch(
    Array.from({ length: events }, (_, n) => testEvent(n, { idempotencyKey: `k${n}` })),
  )
  await ledger.close()
  const again = await openTestLedger(t, folder)
  const checkpoint = again.checkpoint()
  await again.close()
  return { folder, checkpoint, keys: again.about.verifierKeys }
}

function edit(folder: string, sql: string, ...values: (string | number | Uint8Array)[]): void {
  const db = new DatabaseSync(join(folder, 'ledger.db'))
  const { changes } = db.prepare(sql).run(...values)
  db.close()
  assert(Number(changes) > 0, `"${sql}" should change something`)
}

const at = (index: number) => 2 ** 40 + index
const flip = (column: string) =>
  `UPDATE events SET ${column} = CAST(x'21' || substr(${column}, 2) AS BLOB) WHERE position = ?`

const attacks: { title: string; sql: string; values: number[]; verdict: Verdict; index?: number }[] = [
  {
    title: 'P1 one byte of a payload',
    sql: flip('payload'),
    values: [at(17)],
    verdict: 'content_mismatch',
    index: 17,
  },
  {
    title: 'P1 one byte of the core',
    sql: flip('core'),
    values: [at(0)],
    verdict: 'content_mismatch',
    index: 0,
  },
  {
    title: 'P5 one byte of the context',
    sql: flip('context'),
    values: [at(299)],
    verdict: 'content_mismatch',
    index: 299,
  },
  {
    title: 'P5 one byte of what the ledger added',
    sql: flip('server'),
    values: [at(255)],
    verdict: 'content_mismatch',
    index: 255,
  },
  {
    title: 'P1 one byte of a salt',
    sql: flip('payload_salt'),
    values: [at(256)],
    verdict: 'content_mismatch',
    index: 256,
  },
  {
    title: 'P1 one byte of a leaf',
    sql: flip('leaf'),
    values: [at(18)],
    verdict: 'content_mismatch',
    index: 18,
  },
  {
    title: 'F14 a search column',
    sql: "UPDATE events SET event_name = 'something.else' WHERE position = ?",
    values: [at(20)],
    verdict: 'index_mismatch',
    index: 20,
  },
  {
    title: 'F14 a search column made empty',
    sql: 'UPDATE events SET request_id = NULL WHERE position = ?',
    values: [at(20)],
    verdict: 'index_mismatch',
    index: 20,
  },
  {
    title: 'F14 the time column',
    sql: 'UPDATE events SET at = at + 1 WHERE position = ?',
    values: [at(21)],
    verdict: 'index_mismatch',
    index: 21,
  },
  {
    title: 'F14 the kind column',
    sql: "UPDATE events SET kind = 'admin' WHERE position = ?",
    values: [at(22)],
    verdict: 'index_mismatch',
    index: 22,
  },
  {
    title: 'F14 the ledger column',
    sql: 'UPDATE events SET ledger_id = 2 WHERE position = ?',
    values: [at(23)],
    verdict: 'index_mismatch',
    index: 23,
  },
  {
    title: 'P6 a payload that was removed without an erasure',
    sql: 'UPDATE events SET payload = NULL, payload_salt = NULL WHERE position = ?',
    values: [at(30)],
    verdict: 'content_missing',
    index: 30,
  },
  {
    title: 'P6 a deleted event',
    sql: 'DELETE FROM events WHERE position = ?',
    values: [at(40)],
    verdict: 'missing_index',
    index: 40,
  },
  {
    title: 'P6 a deleted tail',
    sql: 'DELETE FROM events WHERE position >= ?',
    values: [at(290)],
    verdict: 'missing_index',
    index: 290,
  },
  {
    title: 'a row after the signed end',
    sql: `INSERT INTO events (position, ledger_id, leaf, at, kind) SELECT ?, 1, leaf, at, kind FROM events LIMIT 1`,
    values: [at(events)],
    verdict: 'index_mismatch',
    index: events,
  },
  {
    title: 'P12 a hash in a tile',
    sql: 'UPDATE tiles SET hashes = CAST(zeroblob(64) || substr(hashes, 65) AS BLOB) WHERE level = ? AND n = 0',
    values: [0],
    verdict: 'content_mismatch',
    index: 0,
  },
  {
    title: 'P12 a missing tile',
    sql: 'DELETE FROM tiles WHERE level = ?',
    values: [1],
    verdict: 'content_mismatch',
    index: 0,
  },
  {
    title: 'the size of the head',
    sql: 'UPDATE heads SET size = ?',
    values: [events + 1],
    verdict: 'missing_index',
    index: events,
  },
]

for (const attack of attacks) {
  test(`${attack.title}: ${attack.verdict}`, async t => {
    const { folder, keys } = await closedLedger(t)
    edit(folder, attack.sql, ...attack.values)
    const report = checkLog(folder, keys)
    assert.equal(report.verdict, attack.verdict, JSON.stringify(report.findings))
    const finding = report.findings.find(finding => finding.verdict === attack.verdict)
    assert.equal(finding?.index, attack.index)
    assert(
      report.checked < events ||
        attack.sql.includes('tiles') ||
        attack.sql.includes('INSERT') ||
        attack.sql.includes('heads'),
    )
  })
}

test('two events swapped with everything that belongs to them: content_mismatch', async t => {
  const { folder, keys } = await closedLedger(t)
  edit(folder, 'UPDATE events SET position = -1 WHERE position = ?', at(5))
  edit(folder, 'UPDATE events SET position = ? WHERE position = ?', at(5), at(6))
  edit(folder, 'UPDATE events SET position = ? WHERE position = -1', at(6))
  const report = checkLog(folder, keys)
  assert.equal(report.verdict, 'content_mismatch')
  assert.equal(report.findings[0]?.index, 5)
})

test('F10 a truncated and consistently rebuilt ledger contradicts a checkpoint that was kept', async t => {
  const { folder, checkpoint, keys } = await closedLedger(t)
  const shorter = tempFolder(t)
  const signingKey = readFileSync(join(folder, 'keys', 'main.signing-key'), 'utf8').trim()
  const ledger = await openTestLedger(t, shorter, { signingKey })
  await ledger.appendBatch(Array.from({ length: 200 }, (_, n) => testEvent(n)))
  await ledger.close()
  assert.equal(checkLog(shorter, keys).verdict, 'ok')
  assert.equal(verdictAgainst(shorter, checkpoint, keys), 'truncated')
  const longer = await openTestLedger(t, shorter, { signingKey })
  await longer.appendBatch(Array.from({ length: 200 }, (_, n) => testEvent(n)))
  await longer.close()
  assert.equal(verdictAgainst(shorter, checkpoint, keys), 'fork')
  assert.equal(verdictAgainst(folder, checkpoint, keys), 'ok')
})

function verdictAgainst(folder: string, kept: string, keys: string[]): Verdict {
  const reader = openSqliteReader(join(folder, 'ledger.db'))
  const [row] = reader.ledgers()
  const pinned = keys.map(key => parseVerifierKey(nodeCrypto.sha256, key))
  const report = verifyData(reader, row!, { pinned, kept })
  reader.close()
  return report.verdict
}

test('P15 a head that somebody else signed is bad_signature, with his key in the database too', async t => {
  const { folder, keys } = await closedLedger(t)
  const reader = openSqliteReader(join(folder, 'ledger.db'))
  const head = reader.head(1)
  const origin = reader.ledgers()[0]!.origin
  reader.close()
  const forged = generateSigningKey(origin)
  const { seed } = parseSigningKey(forged.privateKey)
  const note = signNote(formatCheckpoint({ origin, size: head.size, root: head.root }), [
    ed25519Signer(origin, seed),
  ])
  edit(folder, 'UPDATE heads SET note = ?', note)
  edit(folder, 'UPDATE checkpoints SET note = ?', note)
  edit(folder, 'UPDATE ledgers SET verifier_keys = ?', forged.verifierKey)
  assert.equal(checkLog(folder, keys).verdict, 'bad_signature')
  // Without a pinned key the forgery is consistent in itself; that is what "unpinned" warns of.
  const unpinned = openSqliteReader(join(folder, 'ledger.db'))
  t.after(() => unpinned.close())
  assert.equal(verifyData(unpinned, unpinned.ledgers()[0]!, { pinned: [] }).verdict, 'ok_unpinned')
})

test('P4 P6 history rewritten with the stolen database but without the key: fork or bad_signature, never ok', async t => {
  const { folder, keys } = await closedLedger(t)
  const rewritten = tempFolder(t)
  const ledger = await openTestLedger(t, rewritten)
  await ledger.appendBatch(Array.from({ length: events }, (_, n) => testEvent(n + 1)))
  await ledger.close()
  const db = new DatabaseSync(join(folder, 'ledger.db'))
  db.exec(`ATTACH '${join(rewritten, 'ledger.db')}' AS rewritten`)
  db.exec('DELETE FROM main.events; INSERT INTO main.events SELECT * FROM rewritten.events')
  db.exec('DELETE FROM main.tiles; INSERT INTO main.tiles SELECT * FROM rewritten.tiles')
  db.close()
  assert(['fork', 'content_mismatch'].includes(checkLog(folder, keys).verdict))
})

test('P23 verification reads one state while the ledger goes on writing', async t => {
  const folder = tempFolder(t)
  const ledger = await openTestLedger(t, folder)
  await ledger.appendBatch(Array.from({ length: 500 }, (_, n) => testEvent(n)))
  const writing = Promise.all(Array.from({ length: 20 }, (_, n) => ledger.append(testEvent(1000 + n))))
  const during = checkLog(folder)
  await writing
  assert.equal(during.verdict, 'ok')
  assert.equal(checkLog(folder).checked, 520)
})
