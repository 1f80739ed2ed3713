import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { decodeHex, encodeBase64, encodeHex } from './encoding.ts'
import { nodeCrypto } from './node-crypto.ts'
import { testWithBoth, tlogError } from './testing/both-cryptos.ts'
import { log, witness } from './testing/vectors.ts'
import {
  formatKeyId,
  formatVerifierKey,
  isKeyName,
  keyId,
  parseVerifierKey,
  type SignatureType,
  signatureTypes,
} from './verifier-key.ts'

const { sha256 } = nodeCrypto

testWithBoth('signed-note keys of the worked example and of the specification', ({ sha256 }) => {
  const key = parseVerifierKey(sha256, log.verifierKey)
  assert.equal(key.name, log.origin)
  assert.equal(key.keyId, log.keyId)
  assert.equal(key.type, signatureTypes.ed25519)
  assert.equal(encodeHex(key.publicKey), log.publicKey)
  assert.equal(keyId(sha256, log.origin, 1, decodeHex(log.publicKey)!), log.keyId)
  assert.equal(formatKeyId(log.keyId), 'f1d8e151')
  const cosigning = parseVerifierKey(sha256, witness.verifierKey)
  assert.equal(cosigning.type, signatureTypes.ed25519Cosignature)
  assert.equal(cosigning.keyId, witness.keyId)
  const published = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k'
  for (const text of [log.verifierKey, witness.verifierKey, published]) {
    assert.equal(formatVerifierKey(parseVerifierKey(sha256, text)), text)
  }
})

test('signed-note keys of all three types are read back, ids with leading zeros included', () => {
  const types: [SignatureType, number][] = [
    [signatureTypes.ed25519, 32],
    [signatureTypes.ed25519Cosignature, 32],
    [signatureTypes.mldsa44Cosignature, 1312],
  ]
  for (const [type, length] of types) {
    for (let byte = 0; byte < 256; byte++) {
      const publicKey = new Uint8Array(length).fill(byte)
      const key = {
        name: `example.com/${byte}`,
        keyId: keyId(sha256, `example.com/${byte}`, type, publicKey),
        type,
        publicKey,
      }
      assert.deepEqual(parseVerifierKey(sha256, formatVerifierKey(key)), key)
    }
  }
  assert.equal(formatKeyId(0x0000000a), '0000000a')
})

test('P14 no changed letter of a verifier key goes unnoticed', () => {
  const letters = fc.constantFrom(...'abcdef0123456789ABCZ+/=- \n\u2028é')
  fc.assert(
    fc.property(fc.nat(log.verifierKey.length - 1), letters, (at, letter) => {
      fc.pre(log.verifierKey[at] !== letter)
      const changed = log.verifierKey.slice(0, at) + letter + log.verifierKey.slice(at + 1)
      assert.throws(() => parseVerifierKey(sha256, changed), tlogError('malformed_key', 'unsupported_key'))
    }),
    { numRuns: 1000 },
  )
})

test('P14 damaged keys are refused with the reason', () => {
  const key = log.verifierKey
  const [name, id, base64] = key.split('+')
  const short = encodeBase64(new Uint8Array(32).fill(1))
  const refused = [
    '',
    '+',
    '++',
    name!,
    `${name}+${id}`,
    `${name}+${id}+`,
    `+${id}+${base64}`,
    `${key}\n`,
    ` ${key}`,
  ]
  const more = [
    `${name}+${id!.toUpperCase()}+${base64}`,
    `${name}+${id!.slice(1)}+${base64}`,
    `${name}+0x${id!.slice(2)}+${base64}`,
  ]
  for (const text of [
    ...refused,
    ...more,
    `${name} +${id}+${base64}`,
    `${name}+${id}+${short}`,
    `other+${id}+${base64}`,
  ]) {
    assert.throws(() => parseVerifierKey(sha256, text), tlogError('malformed_key'), text)
  }
  for (const length of [1, 31, 33, 1312]) {
    const publicKey = new Uint8Array(length)
    const sound = {
      name: 'a',
      keyId: keyId(sha256, 'a', signatureTypes.ed25519, publicKey),
      type: signatureTypes.ed25519,
      publicKey,
    }
    assert.throws(() => parseVerifierKey(sha256, formatVerifierKey(sound)), tlogError('malformed_key'))
  }
  const ecdsa = encodeBase64(new Uint8Array(33).fill(2))
  assert.throws(() => parseVerifierKey(sha256, `${name}+${id}+${ecdsa}`), tlogError('unsupported_key'))
  assert.throws(
    () => parseVerifierKey(sha256, 'x'.repeat(1_000_000)),
    (error: Error) => error.message.length < 400,
  )
})

test('P27 P28 key names have no white space of any kind, no plus and no control characters', () => {
  for (const name of [
    'a',
    'example.com/log42',
    'é',
    '\u{1f600}',
    '__proto__',
    'constructor',
    '.*',
    '$&',
    '—',
    'a\u007fb',
  ]) {
    assert.equal(isKeyName(name), true, name)
  }
  const spaces = [
    ' ',
    '\t',
    '\n',
    '\r',
    '\v',
    '\f',
    '\u0085',
    '\u00a0',
    '\u1680',
    '\u2003',
    '\u2028',
    '\u2029',
    '\u202f',
    '\u3000',
  ]
  for (const bad of [...spaces, '+', '\0', '\u001f', '\ud800']) {
    assert.equal(isKeyName(`a${bad}b`), false, JSON.stringify(bad))
    assert.throws(() => keyId(sha256, `a${bad}b`, 1, new Uint8Array(32)), tlogError('malformed_key'))
  }
  assert.equal(isKeyName(''), false)
})
