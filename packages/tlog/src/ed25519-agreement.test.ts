// Two implementations verify the same receipts, in a browser and in a server. Whoever can make a signature
// that one of them takes and the other does not can deny it to one audience and show it to the other. So they
// are compared where implementations of Ed25519 are known to differ: cofactors, small orders, second
// encodings.

import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ed25519 } from '@noble/curves/ed25519.js'
import { sha512 } from '@noble/hashes/sha2.js'
import fc from 'fast-check'
import { browserCrypto } from './browser-crypto.ts'
import { isStrictPublicKey } from './ed25519-public-key.ts'
import { concatBytes, decodeHex, encodeHex, encodeUtf8 } from './encoding.ts'
import { nodeCrypto } from './node-crypto.ts'
import { ed25519Signer } from './signing-key.ts'
import { testWithBoth } from './testing/both-cryptos.ts'
import { countingBytes } from './testing/vectors.ts'

const { Point } = ed25519
type Point = InstanceType<typeof Point>

const message = encodeUtf8('ledger.example/acme\n7\n')
const signer = ed25519Signer('ledger.example/acme', countingBytes(0))
const { publicKey } = signer.verifierKey
const signature = signer.sign(message)

/**
 * A generator of the eight points of small order: what is left of a point when its large part is multiplied
 * away.
 */
const torsion = Array.from({ length: 8 }, (_, i) => smallOrderPoint().multiplyUnsafe(BigInt(i)))

function smallOrderPoint(): Point {
  for (let y = 2; ; y++) {
    const candidate = decodeHex(y.toString(16).padStart(2, '0') + '00'.repeat(31))!
    try {
      const point = Point.fromBytes(candidate)
        .multiplyUnsafe(Point.Fn.ORDER - 1n)
        .add(Point.fromBytes(candidate))
      if (!point.multiplyUnsafe(4n).is0()) return point
    } catch {
      // Not every y is that of a point.
    }
  }
}

/** Signs by hand, with chosen multiples of small-order points added to the public key and to R. */
function craftedSignature(
  keyTorsion: number,
  rTorsion: number,
  nonce: bigint,
): { key: Uint8Array; signature: Uint8Array } {
  const secret = 123_456_789n
  const key = Point.BASE.multiply(secret).add(torsion[keyTorsion]!).toBytes()
  const r = Point.BASE.multiply(nonce).add(torsion[rTorsion]!).toBytes()
  const k = littleEndian(sha512(concatBytes(r, key, message)))
  const s = Point.Fn.create(nonce + k * secret)
  return { key, signature: concatBytes(r, Point.Fn.toBytes(s)) }
}

function littleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${encodeHex(bytes.toReversed())}`)
}

function agreed(key: Uint8Array, signature: Uint8Array): boolean {
  const [node, browser] = [nodeCrypto, browserCrypto].map(crypto =>
    crypto.verifyEd25519(key, message, signature),
  )
  assert.equal(
    node,
    browser,
    `node says ${node}, browser ${browser}: key ${encodeHex(key)}, signature ${encodeHex(signature)}`,
  )
  return browser!
}

testWithBoth('RFC 8032 first test vectors', crypto => {
  const vectors = [
    {
      key: 'd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a',
      message: '',
      signature:
        'e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    },
    {
      key: '3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c',
      message: '72',
      signature:
        '92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00',
    },
  ]
  for (const { key, message, signature } of vectors) {
    const [keyBytes, messageBytes, signatureBytes] = [key, message, signature].map(text => decodeHex(text)!)
    assert.equal(crypto.verifyEd25519(keyBytes!, messageBytes!, signatureBytes!), true)
    assert.equal(
      crypto.verifyEd25519(keyBytes!, concatBytes(messageBytes!, Uint8Array.of(0)), signatureBytes!),
      false,
    )
  }
})

test('SHA-256 of both is the same, for inputs of every length to 300', () => {
  for (let length = 0; length <= 300; length++) {
    const data = Uint8Array.from({ length }, (_, i) => i * length)
    const [node, browser] = [nodeCrypto.sha256(data), browserCrypto.sha256(data)]
    assert.deepEqual(node, browser)
    assert.equal(Object.getPrototypeOf(node), Uint8Array.prototype)
  }
})

test('an honest signature verifies, and no changed bit of it or of the key does', () => {
  assert.equal(agreed(publicKey, signature), true)
  fc.assert(
    fc.property(fc.nat(95), fc.nat(7), (at, bit) => {
      const changed = concatBytes(publicKey, signature)
      changed[at]! ^= 1 << bit
      assert.equal(agreed(changed.subarray(0, 32), changed.subarray(32)), false)
    }),
    { numRuns: 150 },
  )
})

test('keys and signatures of any other length are not valid, and nothing throws', () => {
  for (const length of [0, 31, 33, 64]) assert.equal(agreed(new Uint8Array(length), signature), false)
  for (const length of [0, 32, 63, 65, 128]) assert.equal(agreed(publicKey, new Uint8Array(length)), false)
  for (const byte of [0x00, 0x01, 0x7f, 0xed, 0xff]) {
    assert.equal(agreed(new Uint8Array(32).fill(byte), signature), false)
    assert.equal(agreed(publicKey, new Uint8Array(64).fill(byte)), false)
  }
})

test('S and S plus the group order are not both taken', () => {
  const s = littleEndian(signature.subarray(32)) + Point.Fn.ORDER
  const second = decodeHex(s.toString(16).padStart(64, '0'))!.toReversed()
  assert.equal(agreed(publicKey, concatBytes(signature.subarray(0, 32), second)), false)
})

test('signatures crafted with points of small order are judged alike', () => {
  assert.equal(new Set(torsion.map(point => point.toHex())).size, 8)
  const verdicts = new Set<string>()
  for (let keyTorsion = 0; keyTorsion < 8; keyTorsion++) {
    for (let rTorsion = 0; rTorsion < 8; rTorsion++) {
      for (let nonce = 1n; nonce <= 2n; nonce++) {
        const { key, signature } = craftedSignature(keyTorsion, rTorsion, nonce)
        // What the equation with the cofactor accepts: the very signatures on which implementations differ.
        const isLenientlyValid = ed25519.verify(signature, message, key)
        verdicts.add(`${isLenientlyValid} ${agreed(key, signature)}`)
      }
    }
  }
  assert.deepEqual([...verdicts].sort(), ['true false', 'true true'])
})

test('public keys of small order, and second encodings, are refused by both', () => {
  for (const point of torsion) {
    const key = point.toBytes()
    for (const sign of [0x00, 0x80]) {
      const encoding = key.with(31, (key[31]! & 0x7f) | sign)
      assert.equal(isStrictPublicKey(encoding), false)
      // With a neutral key, R = S·B verifies for every message where nobody looks at the key.
      const s = concatBytes(Uint8Array.of(5), new Uint8Array(31))
      assert.equal(agreed(encoding, concatBytes(Point.BASE.multiply(5n).toBytes(), s)), false)
    }
  }
  for (let low = 0xed; low <= 0xff; low++) {
    for (const high of [0x7f, 0xff]) {
      const encoding = new Uint8Array(32).fill(0xff).with(0, low).with(31, high)
      assert.equal(isStrictPublicKey(encoding), false)
      assert.equal(agreed(encoding, signature), false)
    }
  }
  assert.equal(isStrictPublicKey(new Uint8Array(32).fill(0xff).with(0, 0xeb).with(31, 0x7f)), true)
  assert.equal(isStrictPublicKey(publicKey), true)
  assert.equal(isStrictPublicKey(publicKey.subarray(1)), false)
})

test('a key given as a Buffer is not changed by looking at it', () => {
  const key = Buffer.from(publicKey).fill(0xff, 31)
  isStrictPublicKey(key)
  assert.equal(key[31], 0xff)
})

test('more keys than are remembered still verify', () => {
  for (let i = 0; i < 1100; i++) {
    const other = ed25519Signer('a', new Uint8Array(32).fill(i & 0xff).with(0, i >> 8))
    assert.equal(nodeCrypto.verifyEd25519(other.verifierKey.publicKey, message, other.sign(message)), true)
  }
  assert.equal(nodeCrypto.verifyEd25519(publicKey, message, signature), true)
})
