import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  bytesEqual,
  concatBytes,
  decodeBase64,
  decodeBase64Url,
  decodeHex,
  decodeUtf8,
  encodeBase64,
  encodeBase64Url,
  encodeHex,
  encodeUtf8,
  parseDecimal,
} from './encoding.ts'
import { tlogError } from './testing/both-cryptos.ts'

const bytesOf = fc.uint8Array({ maxLength: 700 })

test('P14 base64, base64url and hex are what Node writes, and are read back', () => {
  fc.assert(
    fc.property(bytesOf, bytes => {
      const buffer = Buffer.from(bytes)
      assert.equal(encodeBase64(bytes), buffer.toString('base64'))
      assert.equal(encodeBase64Url(bytes), buffer.toString('base64url'))
      assert.equal(encodeHex(bytes), buffer.toString('hex'))
      assert.deepEqual(decodeBase64(encodeBase64(bytes)), bytes)
      assert.deepEqual(decodeBase64Url(encodeBase64Url(bytes)), bytes)
      assert.deepEqual(decodeHex(encodeHex(bytes)), bytes)
    }),
  )
})

test('P14 a text is read only if it is the one encoding of its bytes', () => {
  const alphabets = [
    { letters: 'ABab01+/-_= \n\té\u{1f600}', decode: decodeBase64, encode: encodeBase64 },
    { letters: 'ABab01+/-_= \n\té\u{1f600}', decode: decodeBase64Url, encode: encodeBase64Url },
    { letters: '019afAFgx ', decode: decodeHex, encode: encodeHex },
  ]
  for (const { letters, decode, encode } of alphabets) {
    let accepted = 0
    const text = fc.string({ unit: fc.constantFrom(...letters), maxLength: 9 })
    fc.assert(
      fc.property(text, candidate => {
        const bytes = decode(candidate)
        if (bytes === undefined) return
        accepted++
        assert.equal(encode(bytes), candidate)
      }),
      { numRuns: 3000 },
    )
    assert.ok(accepted > 0)
  }
})

test('P14 what lenient decoders take is refused', () => {
  const notBase64 = [
    'QQ',
    'QQ=',
    'QQ===',
    'QR==',
    'QUJ=',
    ' QQ==',
    'QQ==\n',
    'Q Q=',
    '=',
    '==',
    '====',
    'QQ==QQ==',
    '-_==',
  ]
  for (const text of notBase64) assert.equal(decodeBase64(text), undefined, text)
  for (const text of ['QQ==', 'QR', 'Q', '+/', 'QUJDR']) assert.equal(decodeBase64Url(text), undefined, text)
  for (const text of ['A', '0', 'AB', '0x10', 'gg', ' 00']) assert.equal(decodeHex(text), undefined, text)
})

test('P14 decimals are plain, without sign, blank, leading zero or loss', () => {
  assert.equal(parseDecimal('0'), 0)
  assert.equal(parseDecimal('7'), 7)
  assert.equal(parseDecimal('9007199254740991'), Number.MAX_SAFE_INTEGER)
  const refused = [
    '',
    '00',
    '01',
    '+1',
    '-1',
    '-0',
    ' 1',
    '1 ',
    '1\n',
    '0x10',
    '1e3',
    '1.0',
    '1_0',
    '١',
    '9007199254740992',
  ]
  for (const text of [...refused, '18446744073709551615', '9'.repeat(400)]) {
    assert.equal(parseDecimal(text), undefined, text)
  }
})

test('P14 UTF-8 is strict in both directions', () => {
  assert.equal(decodeUtf8(Uint8Array.of(0xef, 0xbb, 0xbf, 0x41)), '\ufeffA', 'the byte order mark stays')
  assert.equal(decodeUtf8(Uint8Array.of(0xc0, 0x80)), undefined, 'overlong')
  assert.equal(decodeUtf8(Uint8Array.of(0xed, 0xa0, 0x80)), undefined, 'a surrogate')
  assert.equal(decodeUtf8(Uint8Array.of(0xe2, 0x80)), undefined, 'cut short')
  assert.throws(() => encodeUtf8('a\ud800b'), tlogError('malformed_text'))
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), text => {
      assert.equal(decodeUtf8(encodeUtf8(text)), text)
    }),
  )
})

test('bytes are compared and joined whole', () => {
  assert.equal(bytesEqual(Uint8Array.of(1, 2), Uint8Array.of(1, 2)), true)
  assert.equal(bytesEqual(Uint8Array.of(1, 2), Uint8Array.of(1, 3)), false)
  assert.equal(bytesEqual(Uint8Array.of(1, 2), Uint8Array.of(1)), false)
  assert.deepEqual(
    concatBytes(Uint8Array.of(1), Uint8Array.of(), Uint8Array.of(2, 3)),
    Uint8Array.of(1, 2, 3),
  )
})
