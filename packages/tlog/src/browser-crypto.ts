// The primitives in plain JavaScript, for pages.
//
// A browser offers WebCrypto to secure contexts only, and asynchronously only. A ledger on
// http://192.168.1.5:7430, or a receipt opened from a file, deserves verification as well.

import { ed25519 } from '@noble/curves/ed25519.js'
import { sha256, sha512 } from '@noble/hashes/sha2.js'
import type { TlogCrypto } from './crypto.ts'
import { isStrictPublicKey } from './ed25519-public-key.ts'
import { bytesEqual, concatBytes } from './encoding.ts'

/**
 * SHA-256 and Ed25519 of the noble libraries, as strict as `nodeCrypto`. Needs neither WebCrypto nor Node.
 */
export const browserCrypto: TlogCrypto = {
  sha256: data => sha256(data),

  verifyEd25519(publicKey, message, signature) {
    if (signature.length !== 64 || !isStrictPublicKey(publicKey)) return false
    return (
      ed25519.verify(signature, message, publicKey, { zip215: false }) &&
      satisfiesPlainEquation(publicKey, message, signature)
    )
  },
}

/**
 * The library multiplies both sides of the equation by the cofactor, 8. RFC 8032 permits that and also the
 * equation without it, which node:crypto uses. Only a signer who prepares for it can make a signature that
 * satisfies the first and not the second; here it must satisfy both: the R in the signature is exactly S·B −
 * k·A.
 */
function satisfiesPlainEquation(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  const { Point } = ed25519
  const r = signature.subarray(0, 32)
  const s = Point.Fn.fromBytes(signature.subarray(32))
  const k = Point.Fn.create(littleEndian(sha512(concatBytes(r, publicKey, message))))
  const a = Point.fromBytes(publicKey)
  return bytesEqual(Point.BASE.multiplyUnsafe(s).subtract(a.multiplyUnsafe(k)).toBytes(), r)
}

function littleEndian(bytes: Uint8Array): bigint {
  return bytes.reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n)
}
