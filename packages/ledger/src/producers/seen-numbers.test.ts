import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { addSeen, gapsOf, highestSeen, missingOf, nothingSeen, type SeenNumbers } from './seen-numbers.ts'

const portions = fc.array(fc.array(fc.integer({ min: 1, max: 120 }), { maxLength: 30 }), { maxLength: 12 })

function addAll(many: readonly (readonly number[])[], most?: number): SeenNumbers {
  return many.reduce<SeenNumbers>((seen, numbers) => addSeen(seen, numbers, most), nothingSeen)
}

test('DESIGN 3 gaps and what is missing are those of a plain set, in whatever order and portions the numbers come', () => {
  fc.assert(
    fc.property(portions, fc.integer({ min: 0, max: 150 }), (many, announced) => {
      const set = new Set(many.flat())
      const seen = addAll(many)
      const highest = Math.max(announced, ...set)
      const missing = Array.from({ length: highest }, (_, i) => i + 1).filter(number => !set.has(number))
      const listed = gapsOf(seen, highest).flatMap(({ from, to }) =>
        Array.from({ length: to - from + 1 }, (_, i) => from + i),
      )
      assert.deepEqual(listed, missing)
      assert.equal(missingOf(seen, highest), missing.length)
      assert.equal(highestSeen(seen), Math.max(0, ...set))
    }),
  )
})

test('DESIGN 3 runs stay apart, in order and apart by a number, so that equal sets are kept in equal bytes', () => {
  fc.assert(
    fc.property(portions, many => {
      const { ranges } = addAll(many)
      for (let i = 0; i < ranges.length; i += 2) {
        assert(ranges[i]! <= ranges[i + 1]!)
        if (i > 0) assert(ranges[i]! > ranges[i - 1]! + 1)
      }
      assert.deepEqual(addSeen(nothingSeen, many.flat()).ranges, ranges)
    }),
  )
})

test('DESIGN 3 with too many gaps the newest runs stay exact, and each new number below them counts once', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 200 }), { maxLength: 120 }), numbers => {
      const most = 5
      const seen = addAll(
        numbers.map(number => [number]),
        most,
      )
      const set = new Set(numbers)
      assert(seen.ranges.length <= 2 * most)
      assert.equal(missingOf(seen, highestSeen(seen)), highestSeen(seen) - set.size)
      for (const { from, to } of gapsOf(seen, highestSeen(seen))) {
        assert(from > seen.coarseTo)
        for (let number = from; number <= to; number++) assert(!set.has(number))
      }
    }),
  )
})

test('DESIGN 3 the largest exact numbers are counted exactly', () => {
  const top = Number.MAX_SAFE_INTEGER
  const seen = addSeen(nothingSeen, [1, top])
  assert.deepEqual(gapsOf(seen, top), [{ from: 2, to: top - 1 }])
  assert.equal(missingOf(seen, top), top - 2)
})
