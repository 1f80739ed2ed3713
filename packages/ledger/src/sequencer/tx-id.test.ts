import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { indexOfTxId, newTxId } from './tx-id.ts'

test('P11 F4 an id names its index, sorts like it, and no two are equal', () => {
  const index = fc.integer({ min: 0, max: 2 ** 40 - 1 })
  fc.assert(
    fc.property(index, index, (a, b) => {
      const [idA, idB] = [newTxId(a), newTxId(b)]
      assert.equal(indexOfTxId(idA), a)
      assert.notEqual(idA, idB)
      if (a !== b) assert.equal(idA < idB, a < b)
    }),
  )
})

test('a text that is no id names no index', () => {
  const id = newTxId(5)
  const none = [
    '',
    'tx_',
    id.slice(0, -1),
    `${id}0`,
    id.toUpperCase(),
    id.replace('tx_', 'ty_'),
    `${id.slice(0, -1)}u`,
    ` ${id}`,
  ]
  for (const text of none) assert.equal(indexOfTxId(text), undefined, text)
})

test('ids stay unique over many refills of the random pool', () => {
  const ids = new Set(Array.from({ length: 20_000 }, () => newTxId(7)))
  assert.equal(ids.size, 20_000)
})
