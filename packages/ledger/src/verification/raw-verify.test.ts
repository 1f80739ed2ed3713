import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatVerifierKey } from '@deedbox/tlog'
import { ed25519Signer, generateSigningKey, parseSigningKey } from '@deedbox/tlog/node'
import { rawFile, verdicts } from '../testing/raw-ledgers.ts'
import { tamper } from '../testing/tampered-ledger.ts'
import { openTestLedger, testEvent } from '../testing/temp-ledger.ts'

const at = (index: number) =>
  `(SELECT ledger_id FROM ledgers WHERE name = 'certs') * 1099511627776 + ${index}`
const certs = `(SELECT ledger_id FROM ledgers WHERE name = 'certs')`

/** What somebody with the file does, the ledger that shows it, and how. */
const attacks = [
  [
    'a flipped entry',
    `UPDATE events SET leaf = x'00' WHERE position = ${at(7)}`,
    'certs',
    'content_mismatch',
    7,
  ],
  [
    'an entry emptied',
    `UPDATE events SET leaf = x'' WHERE position = ${at(0)}`,
    'certs',
    'content_mismatch',
    0,
  ],
  ['a deleted entry', `DELETE FROM events WHERE position = ${at(12)}`, 'certs', 'missing_index', 12],
  [
    'an entry that nobody signed',
    `INSERT INTO events (position, ledger_id, leaf, at, kind) VALUES (${at(300)}, ${certs}, x'01', 9e12, 'raw')`,
    'certs',
    'index_mismatch',
    300,
  ],
  [
    'another kind',
    `UPDATE events SET kind = 'event' WHERE position = ${at(3)}`,
    'certs',
    'index_mismatch',
    3,
  ],
  [
    'a search column',
    `UPDATE events SET service = 'x' WHERE position = ${at(3)}`,
    'certs',
    'index_mismatch',
    3,
  ],
  [
    'a part slipped in',
    `UPDATE events SET payload = x'01', payload_salt = x'02' WHERE position = ${at(3)}`,
    'certs',
    'index_mismatch',
    3,
  ],
  ['a time put back', `UPDATE events SET at = 1 WHERE position = ${at(9)}`, 'certs', 'index_mismatch', 9],
  [
    'a tile',
    `UPDATE tiles SET hashes = zeroblob(8192) WHERE ledger_id = ${certs} AND level = 0 AND n = 0`,
    'certs',
    'content_mismatch',
    0,
  ],
  [
    'the head',
    `UPDATE heads SET size = 299 WHERE ledger_id = ${certs}`,
    'certs',
    'index_mismatch',
    undefined,
  ],
  ['the tail cut off', `DELETE FROM events WHERE position >= ${at(290)}`, 'certs', 'missing_index', 290],
  [
    'a raw ledger called one of events',
    `UPDATE ledgers SET kind = 'events' WHERE name = 'certs'`,
    'main',
    'index_mismatch',
    3,
  ],
  ['a ledger renamed', `UPDATE ledgers SET name = 'other' WHERE name = 'certs'`, 'main', 'index_mismatch', 5],
  [
    'the key of a ledger',
    `UPDATE ledgers SET verifier_keys = 'x+00+y' WHERE name = 'certs'`,
    'main',
    'index_mismatch',
    3,
  ],
  [
    'a ledger slipped in',
    `INSERT INTO ledgers SELECT 99, 'new', 'new.example', 'raw', created_at, verifier_keys, dedup_check FROM ledgers WHERE name = 'certs'; INSERT INTO heads SELECT 99, size, root, at, note FROM heads WHERE ledger_id = ${certs}`,
    'main',
    'index_mismatch',
    undefined,
  ],
  ['a ledger taken out', `DELETE FROM ledgers WHERE name = 'empty'`, 'main', 'index_mismatch', 4],
  [
    'an API key moved to another ledger',
    `UPDATE api_keys SET ledger_id = (SELECT ledger_id FROM ledgers WHERE name = 'empty')`,
    'main',
    'index_mismatch',
    5,
  ],
  [
    'an API key slipped in',
    `INSERT INTO api_keys SELECT 'key_x', ledger_id, principal, name, x'00', scopes, created_at, expires_at, revoked_at, replaced_by, last_used_at FROM api_keys`,
    'main',
    'index_mismatch',
    undefined,
  ],
  [
    'terms of a raw entry',
    `INSERT INTO event_terms (segment, term, position) VALUES (${at(0)} / 1024, 5, ${at(0)})`,
    'main',
    'index_mismatch',
    undefined,
  ],
  [
    'the events ledger called raw',
    `UPDATE ledgers SET kind = 'raw' WHERE name = 'main'`,
    'main',
    'index_mismatch',
    0,
  ],
] as const

for (const [title, sql, ledger, verdict, index] of attacks) {
  test(`P1 in a file with raw ledgers, ${title}: ${verdict}`, async t => {
    const { folder, keys } = await rawFile(t)
    tamper(folder, sql)
    const { reports } = await verdicts(folder, keys)
    const report = reports.find(report => report.ledger === ledger)
    assert.equal(report?.verdict, verdict, JSON.stringify(report?.findings))
    assert.equal(report?.findings.find(finding => finding.verdict === verdict)?.index, index)
  })
}

test('P6 each ledger of a file gets its own verdict, against the key whose name is its origin', async t => {
  const { folder, keys, certs } = await rawFile(t)
  const sound = await verdicts(folder, keys)
  assert.deepEqual(sound.verdicts, { main: 'ok', certs: 'ok', empty: 'nothing_checked' })
  const report = sound.reports[1]
  assert.deepEqual([report?.kind, report?.checked, report?.size], ['raw', 300, 300])
  assert(report?.notAttested.includes('events.at'), 'nothing vouches for the time of a raw entry')
  assert(!sound.reports[0]?.notAttested.includes('events.at'))
  assert.deepEqual((await verdicts(folder, [])).verdicts, {
    main: 'ok_unpinned',
    certs: 'ok_unpinned',
    empty: 'nothing_checked',
  })
  assert.deepEqual((await verdicts(folder, keys.slice(0, 1))).verdicts.certs, 'ok_unpinned')
  assert.deepEqual((await verdicts(folder, [anyKey(certs.origin)])).verdicts, {
    main: 'ok_unpinned',
    certs: 'bad_signature',
    empty: 'nothing_checked',
  })
  assert.equal(
    (await verdicts(folder, [...keys.slice(1), anyKey('stranger.example')])).verdicts.main,
    'bad_signature',
  )
})

/** A verifier key under this name that has signed nothing. */
function anyKey(name: string): string {
  const { seed } = parseSigningKey(generateSigningKey(name).privateKey)
  return formatVerifierKey(ed25519Signer(name, seed).verifierKey)
}

test('F14 the search index of the events ledger is nothing that a raw ledger beside it lacks', async t => {
  const { folder, keys } = await rawFile(t)
  const ledger = await openTestLedger(t, folder)
  const full = 4_200
  for (let n = 0; n < full; n += 700) {
    await ledger.appendBatch(Array.from({ length: 700 }, (_, i) => testEvent(n + i)))
  }
  await ledger.close()
  const { verdicts: said } = await verdicts(folder, keys)
  assert.deepEqual(said, { main: 'ok', certs: 'ok', empty: 'nothing_checked' })
})
