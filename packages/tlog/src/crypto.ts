// The two primitives that everything in this package rests on, handed in by the caller.
//
// A transparency log needs very little cryptography: a collision-resistant hash, so that a 32-byte root pins
// every leaf below it, and a signature, so that a root can be pinned on its signer. Both are parameters here.
// The same mathematics then runs on node:crypto in a server, on plain JavaScript in a browser page without a
// secure context, and on whatever a test wants; and nothing in this package performs I/O or waits.

/**
 * SHA-256 (FIPS 180-4): any number of bytes in, 32 bytes out, synchronously.
 *
 * Obligations: it must not keep, change or hand on its input after it returned, because callers reuse one
 * input buffer for millions of node hashes; and each result must be a value of its own, never a buffer reused
 * later.
 */
export type Sha256 = (data: Uint8Array) => Uint8Array

/** What a verifier needs. `nodeCrypto` (entry `node`) and `browserCrypto` (entry `browser`) implement it. */
export interface TlogCrypto {
  sha256: Sha256

  /**
   * Ed25519 verification (RFC 8032 §5.1.7) of a 64-byte signature by a 32-byte public key.
   *
   * Obligations: never throws; a key or signature of another length is simply not valid. Strict, so that all
   * implementations agree on every input, hostile ones included: the equation without the cofactor, `S` below
   * the group order, canonical encodings only, public keys of small order refused.
   */
  verifyEd25519(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean
}
