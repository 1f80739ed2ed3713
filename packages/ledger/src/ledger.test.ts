import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import {
  checkConsistency,
  checkReceipt,
  commitmentInput,
  openCheckpoint,
  parseEventLeaf,
  parseReceipt,
  parseVerifierKey,
  proveConsistency,
  tileSubtreeReader,
} from '@deedbox/tlog'
import { nodeCrypto } from '@deedbox/tlog/node'
import type { Ledger } from './ledger.ts'
import { checkLog, openTestLedger, tempFolder, testEvent, testKey } from './testing/temp-ledger.ts'

const { sha256 } = nodeCrypto
const keysOf = (ledger: Ledger) => ledger.about.verifierKeys.map(key => parseVerifierKey(sha256, key))

async function fresh(t: TestContext): Promise<{ folder: string; ledger: Ledger }> {
  const folder = tempFolder(t)
  return { folder, ledger: await openTestLedger(t, folder) }
}

test('IP-06 an event is acknowledged with its id, place and payload hash, and can be read back', async t => {
  const { folder, ledger } = await fresh(t)
  const ack = await ledger.append({ ...testEvent(1), payload: '{"é":"日本"}' }, 'tester')
  assert.equal(ack.index, 0)
  assert.equal(ack.requestId, 'request-1')
  assert.equal(ack.payloadHash, Buffer.from(sha256(Buffer.from('{"é":"日本"}'))).toString('hex'))
  const event = ledger.event(ack.txId)
  assert.equal(event.payload, '{"é":"日本"}')
  assert.deepEqual(event.meta, testEvent(1).meta)
  assert.equal(event.principal, 'tester')
  assert.equal(event.payload_hash, ack.payloadHash)
  assert.equal(checkLog(folder).verdict, 'ok')
})

test('P8 F16 an empty ledger has a signed checkpoint of the empty tree, and verifying it does not say ok', async t => {
  const { folder, ledger } = await fresh(t)
  const checkpoint = openCheckpoint(nodeCrypto, ledger.checkpoint(), keysOf(ledger))
  assert.equal(checkpoint.size, 0)
  assert.equal(checkLog(folder).verdict, 'nothing_checked')
  assert.deepEqual(ledger.search().events, [])
  assert.throws(() => ledger.entries(0, 1), { code: 'unknown_tile' })
  assert.throws(() => ledger.event('tx_000000000000000000000000'), { code: 'unknown_event' })
})

test('P11 index 0 is an index like any other: its receipt, its repeat and its amendment work', async t => {
  const { ledger } = await fresh(t)
  const first = await ledger.append(testEvent(0, { idempotencyKey: 'k' }))
  assert.equal(first.index, 0)
  const repeat = await ledger.append(testEvent(0, { idempotencyKey: 'k' }))
  assert.deepEqual({ ...repeat, duplicate: false }, first)
  assert.equal(repeat.duplicate, true)
  assert.equal(ledger.head().size, 1)
  assert.equal(checkReceipt(nodeCrypto, ledger.receipt(first.txId), keysOf(ledger)).verdict, 'ok')
})

test('IF-30 IP-08 the same key and content is one event for ever; other content under it is an amendment', async t => {
  const { folder, ledger } = await fresh(t)
  const first = await ledger.append(testEvent(1, { idempotencyKey: 'k' }))
  const amendment = await ledger.append(testEvent(2, { idempotencyKey: 'k' }))
  assert.equal(amendment.duplicate, false)
  assert.equal(amendment.amends, first.txId)
  assert.equal(ledger.event(amendment.txId).amends, first.txId)
  // Each repeat is answered with its own first answer, in one batch as well as over a restart.
  const batch = await ledger.appendBatch([
    testEvent(2, { idempotencyKey: 'k' }),
    testEvent(1, { idempotencyKey: 'k' }),
  ])
  assert.deepEqual(
    batch.map(result => result.ok && [result.txId, result.duplicate]),
    [
      [amendment.txId, true],
      [first.txId, true],
    ],
  )
  await ledger.close()
  const again = await openTestLedger(t, folder)
  const repeat = await again.append(testEvent(1, { idempotencyKey: 'k' }))
  assert.deepEqual([repeat.txId, repeat.duplicate], [first.txId, true])
  const third = await again.append(testEvent(3, { idempotencyKey: 'k' }))
  assert.equal(third.amends, first.txId)
  assert.equal(again.head().size, 3)
  assert.equal(checkLog(folder).verdict, 'ok')
})

test('IF-30 the same key inside one batch: repeats and amendments are recognised there too', async t => {
  const { ledger } = await fresh(t)
  const [a, b, c] = await ledger.appendBatch([
    testEvent(1, { idempotencyKey: 'k' }),
    testEvent(1, { idempotencyKey: 'k' }),
    testEvent(2, { idempotencyKey: 'k' }),
  ])
  assert(a?.ok && b?.ok && c?.ok)
  assert.deepEqual([b.txId, b.duplicate], [a.txId, true])
  assert.equal(c.amends, a.txId)
  assert.equal(ledger.head().size, 2)
})

test('two writers may use the same key, and two events without a key are two events', async t => {
  const { ledger } = await fresh(t)
  const one = await ledger.append(testEvent(1, { idempotencyKey: 'k' }), 'writer-1')
  const two = await ledger.append(testEvent(1, { idempotencyKey: 'k' }), 'writer-2')
  assert.notEqual(one.txId, two.txId)
  assert.equal(two.amends, undefined)
  const three = await ledger.append(testEvent(1))
  const four = await ledger.append(testEvent(1))
  assert.notEqual(three.txId, four.txId)
  assert.equal(ledger.head().size, 4)
})

test('a batch stores its valid events, in order, and says of each other one why not', async t => {
  const { folder, ledger } = await fresh(t)
  const results = await ledger.appendBatch([
    testEvent(1),
    { ...testEvent(2), payload: 5 as unknown as string },
    testEvent(3),
    { ...testEvent(4), meta: { ...testEvent(4).meta, type: 'fatal' as 'info' } },
  ])
  assert.deepEqual(
    results.map(result => (result.ok ? result.index : result.reason)),
    [0, 'invalid_payload', 1, 'invalid_meta'],
  )
  assert.deepEqual(await ledger.appendBatch([]), [])
  assert.equal(checkLog(folder).checked, 2)
})

test('P12 every prefix of the tree up to 600 has its checkpoint, tiles and receipts', async t => {
  const { folder, ledger } = await fresh(t)
  const sizes: { size: number; root: Uint8Array }[] = []
  for (let size = 0; size < 600; ) {
    const batch = Math.min(1 + (size % 7), 600 - size)
    await ledger.appendBatch(Array.from({ length: batch }, (_, i) => testEvent(size + i)))
    size += batch
    sizes.push({ size: ledger.head().size, root: ledger.head().root })
  }
  const head = ledger.head()
  assert.equal(head.size, 600)
  const read = tileSubtreeReader(sha256, (level, n, width) => ledger.tile(level, n, width), head.size)
  for (const old of sizes) {
    const proof = proveConsistency(sha256, old.size, head.size, read)
    checkConsistency(sha256, {
      oldSize: old.size,
      oldRoot: old.root,
      newSize: head.size,
      newRoot: head.root,
      proof,
    })
  }
  const { events } = ledger.search({ order: 'asc', limit: 500 })
  for (const event of [events[0]!, events[255]!, events[256]!, events[499]!]) {
    assert.equal(checkReceipt(nodeCrypto, ledger.receipt(event.tx_id), keysOf(ledger)).verdict, 'ok')
  }
  assert.deepEqual(ledger.tile(0, 2, 17), ledger.tile(0, 2, 88).subarray(0, 17 * 32))
  assert.throws(() => ledger.tile(0, 2, 89), { code: 'unknown_tile' })
  assert.equal(checkLog(folder).verdict, 'ok')
})

test('F5 F8 a receipt discloses only what was asked for, and its salts open the commitments', async t => {
  const { ledger } = await fresh(t)
  const secret = 'a very secret payload'
  const { txId } = await ledger.append(testEvent(1, { payload: secret }))
  const bare = ledger.receipt(txId)
  assert(!Buffer.from(parseReceipt(bare).leaf).includes(secret))
  assert.deepEqual(parseReceipt(bare).disclosed, {})
  const shown = parseReceipt(ledger.receipt(txId, ['payload', 'core']))
  assert.deepEqual(Object.keys(shown.disclosed), ['core', 'payload'])
  const { salt, content } = shown.disclosed.payload!
  assert.equal(Buffer.from(content).toString(), secret)
  const leaf = parseEventLeaf(shown.leaf)
  const commitment = sha256(commitmentInput(salt, leaf.ledger, leaf.tx_id, 'payload', content))
  assert.equal(Buffer.from(commitment).toString('base64url'), leaf.payload)
  assert.equal(checkReceipt(nodeCrypto, ledger.receipt(txId, ['payload']), keysOf(ledger)).verdict, 'ok')
})

test('equal contents have different commitments: each part has a salt of its own', async t => {
  const { ledger } = await fresh(t)
  const [a, b] = await ledger.appendBatch([testEvent(1), testEvent(1)])
  assert(a?.ok && b?.ok)
  const leaves = [a, b].map(ack => parseEventLeaf(parseReceipt(ledger.receipt(ack.txId)).leaf))
  for (const part of ['core', 'context', 'payload', 'server'] as const) {
    assert.notEqual(leaves[0]![part], leaves[1]![part])
  }
})

test('F3 F7 time never runs backwards in the ledger, and order is by index', async t => {
  const { folder, ledger } = await fresh(t)
  const realNow = Date.now
  t.after(() => {
    Date.now = realNow
  })
  await ledger.close()
  // The clock of this process is the ledger's when it writes inline.
  const inline = await openTestLedger(t, folder, { inline: true })
  Date.now = () => realNow() + 3_600_000
  const later = await inline.append(testEvent(1))
  Date.now = realNow
  const earlier = await inline.append(testEvent(2))
  assert(inline.event(earlier.txId).at >= inline.event(later.txId).at)
  assert.deepEqual(
    inline.search().events.map(event => event.index),
    [1, 0],
  )
  assert.equal(checkLog(folder).verdict, 'ok')
})

test('creating an API key is a leaf of kind admin; the key itself is nowhere in the file', async t => {
  const { folder, ledger } = await fresh(t)
  const key = await testKey(ledger)
  const [event] = ledger.search({ kind: 'admin' }).events
  assert.equal(event?.meta.event_name, 'deedbox.key.created')
  assert.deepEqual(JSON.parse(event.payload ?? '').scopes, ['write', 'read', 'verify'])
  assert.equal(checkLog(folder).verdict, 'ok')
  await ledger.close()
  assert(!readFileSync(join(folder, 'ledger.db')).includes(key))
})

test('closing waits for everything that was taken, refuses what comes later, and leaves no promise open', async t => {
  const { folder, ledger } = await fresh(t)
  const taken = Array.from({ length: 3_000 }, (_, n) => ledger.append(testEvent(n)))
  const closing = ledger.close()
  const late = assert.rejects(ledger.append(testEvent(9_999)), { code: 'ledger_stopped' })
  const settled = await Promise.allSettled(taken)
  assert.equal(settled.filter(result => result.status === 'fulfilled').length, 3_000)
  await late
  await closing
  await ledger.close()
  await assert.rejects(ledger.append(testEvent(1)), { code: 'ledger_stopped' })
  const again = await openTestLedger(t, folder)
  assert.equal(again.head().size, 3_000)
})

test('P10 what cannot be an event of one caller does not touch those of others', async t => {
  const { ledger } = await fresh(t)
  const bad = ['\ud800', '', 'a\0b', 'x'.repeat(2_000), () => 1] as string[]
  const results = await Promise.allSettled([
    ledger.append(testEvent(1)),
    ...bad.map(requestId => ledger.append(testEvent(2, { requestId }))),
    ledger.append(testEvent(3), 'a\nb'),
    ledger.append(testEvent(4)),
  ])
  assert.deepEqual(
    results.map(result => result.status),
    ['fulfilled', ...bad.map(() => 'rejected'), 'rejected', 'fulfilled'],
  )
  assert.equal(ledger.head().size, 2)
})

test('IF-30 many amendments of one key: each is kept and names the first, and a repeat finds its own', async t => {
  const { ledger } = await fresh(t)
  const first = await ledger.append(testEvent(0, { idempotencyKey: 'constant' }))
  const results = await ledger.appendBatch(
    Array.from({ length: 500 }, (_, n) => testEvent(n + 1, { idempotencyKey: 'constant' })),
  )
  assert(results.every(result => result.ok && result.amends === first.txId && !result.duplicate))
  const again = await ledger.append(testEvent(250, { idempotencyKey: 'constant' }))
  assert.deepEqual([again.duplicate, again.index], [true, 250])
})

test('P27 columns come from what is committed to: objects that show two faces fool nobody', async t => {
  const { folder, ledger } = await fresh(t)
  const base = testEvent(1).meta
  let looks = 0
  const shifty = {
    ...base,
    get subject() {
      return `s${looks++}`
    },
  }
  const turning = { ...base, actor: { id: 'one', toJSON: () => ({ id: 'two' }) } }
  const owned = { ...base, ...JSON.parse('{"__proto__":{"subject":"p"}}') }
  await ledger.appendBatch([shifty, turning, owned].map(meta => ({ payload: 'x', meta })))
  assert.equal(checkLog(folder).verdict, 'ok')
})
