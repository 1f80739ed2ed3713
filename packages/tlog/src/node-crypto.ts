// The primitives from node:crypto.

import { createPublicKey, hash, type KeyObject, verify } from 'node:crypto'
import type { TlogCrypto } from './crypto.ts'
import { isStrictPublicKey } from './ed25519-public-key.ts'
import { encodeBase64Url } from './encoding.ts'

/**
 * SHA-256 and Ed25519 of node:crypto. The one-shot `hash` is faster than `createHash` for inputs of every
 * size that a log has: about 1.2 times at 65, 500 and 8,192 bytes.
 */
export const nodeCrypto: TlogCrypto = {
  sha256(data) {
    // A plain Uint8Array, as everywhere in this package: a Buffer's `slice` shares memory where it should
    // copy.
    const { buffer, byteOffset, byteLength } = hash('sha256', data, 'buffer')
    return new Uint8Array(buffer, byteOffset, byteLength)
  },

  verifyEd25519(publicKey, message, signature) {
    if (signature.length !== 64 || !isStrictPublicKey(publicKey)) return false
    return verify(null, message, keyObject(publicKey), signature)
  },
}

// Importing a key costs about a quarter of a verification, and a verifier sees the same few keys again and
// again: those of the caller's policy, never of the notes. The bound is for processes that hold very many
// policies.
const keyObjects = new Map<string, KeyObject>()
const maxKeyObjects = 1024

function keyObject(publicKey: Uint8Array): KeyObject {
  const x = encodeBase64Url(publicKey)
  let key = keyObjects.get(x)
  if (key === undefined) {
    key = createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' })
    if (keyObjects.size >= maxKeyObjects) keyObjects.clear()
    keyObjects.set(x, key)
  }
  return key
}
