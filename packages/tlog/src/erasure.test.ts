import assert from 'node:assert/strict'
import { test } from 'node:test'
import { encodeUtf8 } from './encoding.ts'
import { readErasure } from './erasure.ts'

const read = (value: unknown) => readErasure(9, encodeUtf8(JSON.stringify(value)))

test('P6 an erasure names parts of earlier events', () => {
  assert.deepEqual(read({ erased: [{ index: 7, parts: ['payload', 'core'] }] }), [
    { index: 7, parts: ['core', 'payload'] },
  ])
  assert.deepEqual(read({ erased: [{ index: 7, parts: ['toString', 5, null] }] }), [{ index: 7, parts: [] }])
})

test('P6 what is no erasure, or speaks of itself or what comes after it, names nothing', () => {
  for (const value of [
    null,
    [],
    {},
    'x',
    { erased: {} },
    { erased: [null, 7, 'x', {}, { index: 7 }, { parts: ['payload'] }] },
    { erased: [9, 10, -1, 1.5, '7', 2 ** 60].map(index => ({ index, parts: ['payload'] })) },
  ]) {
    assert.deepEqual(read(value), [], JSON.stringify(value))
  }
  assert.deepEqual(readErasure(9, Uint8Array.of(0xff)), [])
  assert.deepEqual(readErasure(9, encodeUtf8('{"erased":')), [])
})
