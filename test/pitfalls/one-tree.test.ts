// Rows of the contract that are about a ledger as a whole: its file, its proofs and what verification says of them.

import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import type { EventInput, Ledger } from '@deedbox/ledger'
import {
  checkReceipt,
  commitmentInput,
  encodeBase64Url,
  formatCheckpoint,
  formatEventLeaf,
  leafHash,
  openCheckpoint,
  parseEventLeaf,
  parseReceipt,
  parseVerifierKey,
  parts,
  signNote,
  type Verdict,
} from '@deedbox/tlog'
import { ed25519Signer, nodeCrypto, parseSigningKey } from '@deedbox/tlog/node'
import { smallLedger, tamper } from '../../packages/ledger/src/testing/tampered-ledger.ts'
import {
  checkLog,
  openTestLedger,
  tempFolder,
  testEvent,
} from '../../packages/ledger/src/testing/temp-ledger.ts'
import { ReferenceTree } from '../../packages/tlog/src/testing/reference-tree.ts'

const { sha256 } = nodeCrypto

function withDatabase<T>(folder: string, work: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(join(folder, 'ledger.db'))
  try {
    return work(db)
  } finally {
    db.close()
  }
}

test('P2 P24 every proof, tile and root of a ledger is of one RFC 6962 tree over its leaves, across openings', async t => {
  const folder = tempFolder(t)
  const count = 530
  const txIds: string[] = []
  let ledger: Ledger | undefined
  for (const size of [1, 255, 257, count]) {
    ledger = await openTestLedger(t, folder)
    const batch = Array.from({ length: size - txIds.length }, (_, n) => testEvent(txIds.length + n))
    for (const result of await ledger.appendBatch(batch)) {
      assert.ok(result.ok)
      assert.equal(result.index, txIds.length)
      txIds.push(result.txId)
    }
    if (size < count) await ledger.close()
  }
  assert.ok(ledger !== undefined)
  const key = parseVerifierKey(sha256, ledger.verifierKey)
  const leaves = txIds.map(txId => parseReceipt(ledger.receipt(txId)).leaf)
  // Nothing in a leaf speaks of its neighbours: there is no chain beside the tree.
  for (const leaf of leaves.slice(0, 3)) {
    const members = Object.keys(parseEventLeaf(leaf))
    assert.deepEqual(members, ['at', 'context', 'core', 'kind', 'ledger', 'payload', 'server', 'tx_id', 'v'])
  }
  const tree = new ReferenceTree(leaves.map(leaf => leafHash(sha256, leaf)))
  for (const [index, txId] of txIds.entries()) {
    const { proof, checkpoint } = parseReceipt(ledger.receipt(txId))
    const { size, root } = openCheckpoint(nodeCrypto, checkpoint, [key])
    assert.deepEqual([size, root], [count, tree.root(count)])
    assert.deepEqual(proof, tree.inclusionProof(index, count))
  }
  const hashes = (level: number, n: number, width: number) =>
    Array.from({ length: width }, (_, i) => {
      const start = (n * 256 + i) * 256 ** level
      return tree.root(start + 256 ** level, start)
    })
  for (const [level, n, width] of [
    [0, 0, 256],
    [0, 1, 256],
    [0, 2, count - 512],
    [1, 0, 2],
  ] as const) {
    assert.deepEqual(Buffer.from(ledger.tile(level, n, width)), Buffer.concat(hashes(level, n, width)))
  }
})

test('P9 F15 every published checkpoint stays, and a tree that has not grown is not published again', async t => {
  const folder = tempFolder(t)
  const published = () =>
    withDatabase(folder, db => db.prepare('SELECT * FROM checkpoints ORDER BY size').all())
  const sizes: unknown[] = []
  const kept: string[] = []
  for (let n = 0; n < 4; n++) {
    const ledger = await openTestLedger(t, folder)
    await ledger.append(testEvent(n))
    await ledger.close()
    const before = published()
    assert.deepEqual(
      before.slice(0, sizes.length).map(row => row.size),
      sizes,
    )
    sizes.splice(0, sizes.length, ...before.map(row => row.size))
    kept.push(String(before.at(-1)?.note))
    const idle = await openTestLedger(t, folder)
    kept.push(idle.checkpoint())
    await idle.close()
    assert.deepEqual(published(), before)
  }
  assert.equal(sizes.at(-1), 4)
  assert.equal(new Set(kept).size, 4)
  assert.deepEqual(
    published().map(row => row.note),
    [...new Set(kept)],
  )
  // All of them are under verification: one that is not of this history is found.
  assert.equal(checkLog(folder).verdict, 'ok')
  tamper(folder, 'UPDATE checkpoints SET note = (SELECT note FROM checkpoints WHERE size = 4) WHERE size = 2')
  assert.equal(checkLog(folder).verdict, 'index_mismatch')
})

test('P4 F5 F6 F7 F8 values that databases round, reorder or drop are read back and proved to the byte', async t => {
  const folder = tempFolder(t)
  const ledger = await openTestLedger(t, folder)
  const payload =
    '{"b":1.0,"a":{"d":1e-7,"c":[{"z":null,"y":-0}]},"t":"2026-11-20T18:00:00.123456789Z","é":"\\u0000"}'
  const meta = {
    ...testEvent(1).meta,
    occurred_at: '2026-11-20T18:00:00.123456789+05:30',
    z: {
      b: [1e21 / 1e21, 1e-7, -0, Number.MAX_SAFE_INTEGER],
      a: { deep: { 'key "': ['\u2028', '😀', ''] } },
    },
    nothing: null,
    missing: undefined,
    empty: {},
  }
  const { txId, payloadHash } = await ledger.append({ payload, meta } as EventInput)
  await ledger.close()
  const again = await openTestLedger(t, folder)
  const stored = again.event(txId)
  assert.equal(stored.payload, payload)
  assert.equal(stored.payload_hash, payloadHash)
  const { missing, ...sent } = meta
  assert.deepEqual(stored.meta, JSON.parse(JSON.stringify(sent)))
  const key = parseVerifierKey(sha256, again.verifierKey)
  assert.equal(checkReceipt(nodeCrypto, again.receipt(txId, parts), [key]).verdict, 'ok')
  assert.equal(checkLog(folder).verdict, 'ok')
})

test('F3 F4 events of one millisecond stand in the order in which they came, whatever their ids', async t => {
  const realNow = Date.now
  const now = realNow()
  t.after(() => {
    Date.now = realNow
  })
  // The clock of this process is the ledger's when it writes inline.
  const ledger = await openTestLedger(t, tempFolder(t), { inline: true })
  Date.now = () => now
  for (let n = 0; n < 40; n++) await ledger.append(testEvent(n))
  const events = ledger.search({ order: 'asc', limit: 100 }).events
  assert.equal(new Set(events.map(event => event.at)).size, 1)
  assert.deepEqual(
    events.map(event => event.payload),
    Array.from({ length: 40 }, (_, n) => testEvent(n).payload),
  )
  assert.deepEqual(ledger.search({ limit: 100 }).events, events.toReversed())
})

test('F9 opposite damages have verdicts of their own', async t => {
  const damages: [sql: string, verdict: Verdict][] = [
    ["UPDATE events SET payload = x'00' WHERE position = (1 << 40) + 2", 'content_mismatch'],
    [
      'UPDATE events SET payload = NULL, payload_salt = NULL WHERE position = (1 << 40) + 2',
      'content_missing',
    ],
    ["UPDATE events SET service = 'other' WHERE position = (1 << 40) + 2", 'index_mismatch'],
    ['DELETE FROM events WHERE position = (1 << 40) + 2', 'missing_index'],
    ["UPDATE heads SET note = replace(note, '— ', '— x')", 'bad_signature'],
  ]
  for (const [sql, verdict] of damages) {
    const { folder, keys } = await smallLedger(t)
    tamper(folder, sql)
    assert.equal(checkLog(folder, keys).verdict, verdict, sql)
  }
})

/** Whoever has the signing key rebuilds a ledger of one event so that its leaf carries another id, all else sound. */
async function withForeignId(t: TestContext): Promise<{ folder: string; keys: string[] }> {
  const folder = tempFolder(t)
  const signing = 'PRIVATE+KEY+ledger.example/acme+f1d8e151+AQABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f'
  const ledger = await openTestLedger(t, folder, { origin: 'ledger.example/acme', signingKey: signing })
  const { txId } = await ledger.append(testEvent(0))
  const { leaf, disclosed } = parseReceipt(ledger.receipt(txId, parts))
  await ledger.close()
  const forged = { ...parseEventLeaf(leaf), tx_id: txId.replace(/^tx_0{8}/, 'tx_00000009') }
  for (const part of parts) {
    const { salt, content } = disclosed[part]!
    forged[part] = encodeBase64Url(sha256(commitmentInput(salt, forged.ledger, forged.tx_id, part, content)))
  }
  const bytes = Buffer.from(formatEventLeaf(forged))
  const root = leafHash(sha256, bytes)
  const { name, seed } = parseSigningKey(signing)
  const note = signNote(formatCheckpoint({ origin: name, size: 1, root }), [ed25519Signer(name, seed)])
  withDatabase(folder, db => {
    db.prepare('UPDATE events SET leaf = ?').run(bytes)
    db.prepare('UPDATE tiles SET hashes = ?').run(root)
    db.prepare('UPDATE heads SET root = ?, note = ?').run(root, note)
    db.prepare('UPDATE checkpoints SET note = ? WHERE size = 1').run(note)
  })
  return { folder, keys: ledger.about.verifierKeys }
}

test('P5 F14 an id that names another place than its leaf has is content_mismatch, though the tree is signed', async t => {
  const { folder, keys } = await withForeignId(t)
  const { verdict, findings } = checkLog(folder, keys)
  assert.equal(verdict, 'content_mismatch')
  assert.match(findings[0]?.detail ?? '', /leaf 0 belongs to another ledger, place or time/)
  assert.equal(findings.length, 1, JSON.stringify(findings))
})
