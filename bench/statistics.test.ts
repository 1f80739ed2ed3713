import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pairedRatios, quantile, spread } from './statistics.ts'

test('a quantile lies between its neighbours, whatever order the values come in', () => {
  assert.equal(quantile([3, 1, 2], 0.5), 2)
  assert.equal(quantile([4, 1, 3, 2], 0.5), 2.5)
  assert.equal(quantile([10, 20], 0.25), 12.5)
  assert.equal(quantile([7], 0.99), 7)
  assert.equal(quantile([100, 9, 20], 0), 9)
  assert.equal(quantile([100, 9, 20], 1), 100)
  assert.ok(Number.isNaN(quantile([], 0.5)))
})

test('a quantile leaves the values as they were', () => {
  const values = [3, 1, 2]
  quantile(values, 0.5)
  assert.deepEqual(values, [3, 1, 2])
})

test('a spread is median, lowest and highest', () => {
  assert.deepEqual(spread([5, 1, 9]), { median: 5, lowest: 1, highest: 9 })
})

test('ratios pair the rounds, not the medians', () => {
  assert.deepEqual(pairedRatios([10, 40], [20, 20]), [0.5, 2])
  assert.deepEqual(pairedRatios([10, 40], [20]), [0.5])
})
