import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { commitmentInput, type Part, parts, saltLength } from './commitment.ts'
import { concatBytes, decodeUtf8, encodeBase64Url, encodeUtf8 } from './encoding.ts'
import { testWithBoth, tlogError } from './testing/both-cryptos.ts'
import { sampleParts, sampleTxId } from './testing/receipt-vectors.ts'
import { countingBytes, log } from './testing/vectors.ts'

const nothing = new Uint8Array(0)
const refused = tlogError('malformed_leaf')

testWithBoth('DESIGN 7.3 the commitments of the worked event', ({ sha256 }) => {
  for (const part of parts) {
    const { salt, content, commitment } = sampleParts[part]
    const input = commitmentInput(salt, log.origin, sampleTxId, part, encodeUtf8(content))
    assert.equal(encodeBase64Url(sha256(input)), commitment, part)
  }
})

testWithBoth('DESIGN 7.3 commitments to nothing under a salt of zeros', ({ sha256 }) => {
  const expected: Record<Part, string> = {
    core: '1EJqf9r-7JQsYpCWZSHtn4qSLY9bKe4SJG1c1YORi20',
    context: 'OTzQIFbcNYvqd-AY7B9XVEPh5F1-nKZp0RwWHt8Fpls',
    payload: 'AKzLliTHEBVEdKh1NC9OfhzxqdTmcecob3XeJhkxBt0',
    server: 'OB5Ng-XRya0dfR0G-f0N6Lq0Tb_mnVWAV7Txv3MVAoc',
  }
  for (const part of parts) {
    const input = commitmentInput(new Uint8Array(saltLength), log.origin, sampleTxId, part, nothing)
    assert.equal(encodeBase64Url(sha256(input)), expected[part], part)
  }
})

test('DESIGN 7.3 the input is domain, salt, place and content, and nothing between them', () => {
  const salt = new Uint8Array(saltLength).fill(0x2e)
  const input = commitmentInput(salt, 'l\u00e9dger', 'tx', 'payload', encodeUtf8('a\nb'))
  assert.equal(decodeUtf8(input), `deedbox-commit/v1\n${'.'.repeat(32)}l\u00e9dger\ntx\npayload\na\nb`)
})

// Few letters, newlines and names among them, so that neighbouring fields run into one another often.
const bytes = (length: object): fc.Arbitrary<Uint8Array> =>
  fc.array(fc.constantFrom(0x0a, 0x61, 0x62, 0xff), length).map(letters => Uint8Array.from(letters))
const name = fc.string({ unit: fc.constantFrom('a', 'b', '\u00e9', '\u{1f600}'), maxLength: 4 })
const inputs = fc.tuple(
  bytes({ minLength: saltLength, maxLength: saltLength }),
  name,
  name,
  fc.constantFrom(...parts),
  bytes({ maxLength: 6 }),
)

test('P5 P17 the input splits in one way only', () => {
  fc.assert(
    fc.property(inputs, whole => {
      assert.deepEqual(split(commitmentInput(...whole)), whole)
    }),
    { numRuns: 1000 },
  )
})

/** The reading that the format promises: fixed lengths first, then three names that end in newlines. */
function split(input: Uint8Array): [Uint8Array, string, string, Part, Uint8Array] {
  const start = 'deedbox-commit/v1\n'.length
  let at = start + saltLength
  const readName = (): string => {
    const end = input.indexOf(0x0a, at)
    const text = decodeUtf8(input.subarray(at, end))
    at = end + 1
    return text ?? 'not UTF-8'
  }
  const salt = input.slice(start, at)
  const [origin, txId, part] = [readName(), readName(), readName()]
  return [salt, origin, txId, parts.find(known => known === part) ?? 'core', input.slice(at)]
}

test('P17 a salt of another length cannot swallow the names of the place', () => {
  // Content that repeats the names: with a salt of 32 + … bytes its tail would have the same hash.
  const { salt } = sampleParts.payload
  const place = encodeUtf8(`${log.origin}\n${sampleTxId}\npayload\n`)
  const content = concatBytes(encodeUtf8('paid 10'), place, encodeUtf8('paid 1000'))
  const honest = commitmentInput(salt, log.origin, sampleTxId, 'payload', content)
  const longSalt = concatBytes(salt, place, encodeUtf8('paid 10'))
  assert.deepEqual(
    concatBytes(encodeUtf8('deedbox-commit/v1\n'), longSalt, place, encodeUtf8('paid 1000')),
    honest,
    'the two readings would be one input',
  )
  for (const wrong of [longSalt, nothing, salt.subarray(1), concatBytes(salt, salt)]) {
    assert.throws(() => commitmentInput(wrong, log.origin, sampleTxId, 'payload', content), refused)
  }
})

test('P14 names with newlines or without UTF-8 form are refused, not hashed', () => {
  const salt = countingBytes(0)
  for (const bad of ['a\nb', '\n', 'a\n']) {
    assert.throws(() => commitmentInput(salt, bad, 'tx', 'core', nothing), refused)
    assert.throws(() => commitmentInput(salt, 'ledger', bad, 'core', nothing), refused)
  }
  // Both would become the same replacement character.
  for (const half of ['\ud800', '\udfff']) {
    assert.throws(() => commitmentInput(salt, half, 'tx', 'core', nothing), tlogError('malformed_text'))
    assert.throws(() => commitmentInput(salt, 'ledger', half, 'core', nothing), tlogError('malformed_text'))
  }
})
