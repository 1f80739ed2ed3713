import assert from 'node:assert/strict'
import { test } from 'node:test'
import { actorCount, actorOf, batchItem, payloadOfSize, uuid7 } from './events.ts'

test('payloads are of the size that the table names, and JSON', () => {
  const payload = payloadOfSize(500)
  assert.equal(Buffer.byteLength(payload), 500)
  JSON.parse(payload)
})

test('keys are UUIDs of version 7, no two alike, and grow as those of the SDK do', () => {
  const keys = Array.from({ length: 20_000 }, uuid7)
  for (const key of keys)
    assert.match(key, /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  assert.equal(new Set(keys).size, keys.length)
  const prefixes = keys.map(key => key.slice(0, 18))
  assert.deepEqual(prefixes, prefixes.toSorted())
})

test('every actor has its turn', () => {
  assert.equal(new Set(Array.from({ length: actorCount }, (_, n) => actorOf(n))).size, actorCount)
})

test('an item of a batch is what the ledger takes', () => {
  const { payload, meta, idempotency_key: key } = batchItem(17)
  JSON.parse(payload)
  assert.equal(meta.actor?.id, actorOf(17))
  assert.ok(key.length === 36 && meta.type && meta.event_name && meta.service && meta.request_id)
})
