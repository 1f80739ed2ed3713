import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { defaultBackoff, readRetryAfter, retryDelay } from './backoff.ts'

test('IP-07 the longest waits are 0.5, 1, 2 s and double up to 30 s', () => {
  const justBelowOne = 1 - Number.EPSILON
  const waits = [1, 2, 3, 4, 5, 6, 7, 8, 100].map(n =>
    Math.round(retryDelay(n, defaultBackoff, justBelowOne, undefined)),
  )
  assert.deepEqual(waits, [500, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000])
  assert.equal(retryDelay(3, defaultBackoff, 0, undefined), 0)
  assert.equal(retryDelay(3, defaultBackoff, 0.25, undefined), 500)
})

test('IP-07 no wait exceeds the cap unless the ledger asks for it, and its wish is bounded by an hour', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 1e9 }),
      fc.integer({ min: 1, max: 3_600_000 }),
      fc.integer({ min: 1, max: 3_600_000 }),
      fc.double({ min: 0, max: 0.999, noNaN: true }),
      fc.option(fc.double({ min: 0, noNaN: true }), { nil: undefined }),
      (failures, base, cap, random, wish) => {
        const wait = retryDelay(failures, { base, cap }, random, wish)
        assert.ok(wait >= Math.min(wish ?? 0, 3_600_000))
        assert.ok(wait <= Math.max(cap, Math.min(wish ?? 0, 3_600_000)))
      },
    ),
  )
})

test('IP-07 Retry-After is read in seconds and as a date; what cannot be read is absent', () => {
  const now = Date.UTC(2030, 0, 1)
  assert.equal(readRetryAfter('7', now), 7_000)
  assert.equal(readRetryAfter(' 0 ', now), 0)
  assert.equal(readRetryAfter('Tue, 01 Jan 2030 00:00:09 GMT', now), 9_000)
  assert.equal(readRetryAfter('Mon, 31 Dec 2029 23:59:00 GMT', now), 0)
  for (const unreadable of [null, '', '  ', 'soon', '-'])
    assert.equal(readRetryAfter(unreadable, now), undefined)
})
