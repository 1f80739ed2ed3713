import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { concatBytes, decodeHex, encodeHex } from './encoding.ts'
import { decodeEntryBundle, encodeEntryBundle } from './entry-bundle.ts'
import { tlogError } from './testing/both-cryptos.ts'
import { eventData } from './testing/reference-tree.ts'

const malformed = tlogError('malformed_bundle')

test('tlog-tiles bundle of the worked example', () => {
  const bundle = encodeEntryBundle([eventData(0), eventData(1)])
  assert.equal(encodeHex(bundle), '00076576656e742d3000076576656e742d31')
  assert.deepEqual(decodeEntryBundle(bundle), [eventData(0), eventData(1)])
})

test('P12 a partial bundle is a prefix of the full one, and every bundle is read back', () => {
  const entries = fc.array(fc.uint8Array({ maxLength: 300 }), { minLength: 1, maxLength: 256, size: 'max' })
  fc.assert(
    fc.property(entries, fc.nat(255), (all, last) => {
      const whole = encodeEntryBundle(all)
      assert.deepEqual(decodeEntryBundle(whole), all)
      const some = encodeEntryBundle(all.slice(0, (last % all.length) + 1))
      assert.deepEqual(whole.subarray(0, some.length), some)
    }),
    { numRuns: 30 },
  )
})

test('entries of 0 and of 65,535 bytes fit, longer ones and other counts do not', () => {
  const longest = new Uint8Array(65_535).fill(9)
  assert.deepEqual(decodeEntryBundle(encodeEntryBundle([new Uint8Array(0), longest])), [
    new Uint8Array(0),
    longest,
  ])
  assert.throws(() => encodeEntryBundle([new Uint8Array(65_536)]), malformed)
  assert.throws(() => encodeEntryBundle([]), malformed)
  assert.throws(() => encodeEntryBundle(new Array(257).fill(new Uint8Array(0))), malformed)
})

test('P1 a bundle that is empty, cut anywhere, or too long is refused', () => {
  const bundle = encodeEntryBundle([eventData(0), eventData(1), eventData(2)])
  const ends = new Set([0, 9, 18, 27])
  for (let length = 0; length < bundle.length; length++) {
    const cut = bundle.subarray(0, length)
    if (length > 0 && ends.has(length)) assert.equal(decodeEntryBundle(cut).length, length / 9)
    else assert.throws(() => decodeEntryBundle(cut), malformed, `cut to ${length}`)
  }
  assert.throws(() => decodeEntryBundle(concatBytes(bundle, Uint8Array.of(0))), malformed)
  assert.throws(() => decodeEntryBundle(decodeHex('ffff00')!), malformed)
  assert.equal(decodeEntryBundle(new Uint8Array(512)).length, 256)
  assert.throws(() => decodeEntryBundle(new Uint8Array(514)), malformed)
})
