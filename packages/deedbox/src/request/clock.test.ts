import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isoMicroseconds, toSeconds, wallMicroseconds } from './clock.ts'

test('FA-03 an instant is written with microseconds, whatever was written before', () => {
  assert.equal(isoMicroseconds(0), '1970-01-01T00:00:00.000000')
  assert.equal(isoMicroseconds(1_763_664_542_000_123), '2025-11-20T18:49:02.000123')
  // What a bridged library calls a time may have any fraction.
  assert.equal(isoMicroseconds(1_763_664_542_000_123.5), '2025-11-20T18:49:02.000123')
  const instants = fc.integer({ min: 0, max: 4_102_444_800_000_000 })
  fc.assert(
    fc.property(instants, fc.integer({ min: 0, max: 3_000_000 }), (instant, later) => {
      for (const each of [instant, instant + later, instant]) {
        const milliseconds = new Date(Math.floor(each / 1000)).toISOString().slice(0, 23)
        assert.equal(isoMicroseconds(each), milliseconds + String(each % 1000).padStart(3, '0'))
      }
    }),
  )
})

test('FA-03 the wall clock is whole microseconds of the system clock, and never runs back by itself', () => {
  let last = 0
  for (let i = 0; i < 10_000; i++) {
    const before = Date.now()
    const now = wallMicroseconds()
    const after = Date.now()
    assert.ok(Number.isInteger(now))
    assert.ok(now >= before * 1000 && now < (after + 1) * 1000, `${before} ${now} ${after}`)
    assert.ok(now >= last)
    last = now
  }
})

test('IF-11 corrections of the system clock are followed at once, in both directions', t => {
  let now = Date.now()
  t.mock.method(Date, 'now', () => now)
  for (const step of [3_600_000, -7_200_000, 60_000, -1]) {
    now += step
    assert.equal(Math.floor(wallMicroseconds() / 1000), now)
  }
})

test('IF-11 a span is never negative and has whole microseconds', () => {
  assert.equal(toSeconds(1.2345678), 0.001235)
  assert.equal(toSeconds(0), 0)
  assert.equal(toSeconds(-5), 0)
  assert.equal(toSeconds(1500), 1.5)
})
