// Which Ed25519 public keys are taken at all.
//
// RFC 8032 leaves room at the edges, and implementations fill it differently: some accept two encodings of
// one point, some accept public keys of small order, with which one signature fits many messages. An
// auditor's browser and an operator's server must not differ about the same receipt, so both refuse these
// keys before they look at a signature. No honestly generated key is among them.

import { encodeHex } from './encoding.ts'

const byteLength = 32

/**
 * The y coordinates of the eight points of small order, little-endian: 0, 1, −1, and two of order 8 that are
 * each other's negatives. Their sign bit does not matter here.
 */
const smallOrder: readonly string[] = [
  '0000000000000000000000000000000000000000000000000000000000000000',
  '0100000000000000000000000000000000000000000000000000000000000000',
  'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f',
  'c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a',
  '26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05',
]

/**
 * Whether these are 32 bytes that encode a y below the field's prime, 2^255 − 19, of a point not of small
 * order.
 */
export function isStrictPublicKey(publicKey: Uint8Array): boolean {
  if (publicKey.length !== byteLength) return false
  const y = new Uint8Array(publicKey)
  y[byteLength - 1]! &= 0x7f
  return !isAtLeastPrime(y) && !smallOrder.includes(encodeHex(y))
}

/** The prime is ed ff … ff 7f in little-endian order; only 19 values of 255 bits are not below it. */
function isAtLeastPrime(y: Uint8Array): boolean {
  return (
    y[0]! >= 0xed && y[byteLength - 1] === 0x7f && y.subarray(1, byteLength - 1).every(byte => byte === 0xff)
  )
}
