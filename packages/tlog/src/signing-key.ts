// Signing with node:crypto: key texts, and signers for logs and witnesses.
//
// A signing key is written as `PRIVATE+KEY+name+id+base64(0x01 || seed)`, the form of Go's note package. The
// seed is the 32-byte private key of RFC 8032, from which everything else follows. The id is that of the
// public key, so a damaged text is noticed here too. No error message repeats any part of a signing key.

import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign } from 'node:crypto'
import { cosigner } from './cosignature.ts'
import { concatBytes, decodeBase64Url, encodeBase64 } from './encoding.ts'
import { TlogError } from './errors.ts'
import { nodeCrypto } from './node-crypto.ts'
import type { NoteSigner } from './note-signer.ts'
import {
  formatKeyId,
  formatVerifierKey,
  keyId,
  type SignatureType,
  signatureTypes,
  splitKeyText,
  type VerifierKey,
} from './verifier-key.ts'

/** A signer together with the key that verifies what it signs. */
export interface Ed25519Signer extends NoteSigner {
  readonly verifierKey: VerifierKey
}

/** A signing key taken apart. */
export interface SigningKey {
  readonly name: string
  readonly keyId: number
  /** 32 bytes. Secret. */
  readonly seed: Uint8Array
}

const keyTextStart = 'PRIVATE+KEY+'
const seedLength = 32

/**
 * A log's signer: plain Ed25519 over the note text (type 0x01).
 * @throws TlogError `malformed_key` for a name that cannot be one or a seed that is not 32 bytes
 */
export function ed25519Signer(name: string, seed: Uint8Array): Ed25519Signer {
  const privateKey = importSeed(seed)
  const verifierKey = verifierKeyOf(name, signatureTypes.ed25519, privateKey)
  return { name, keyId: verifierKey.keyId, verifierKey, sign: text => signWith(privateKey, text) }
}

/**
 * A witness's signer: timestamped Ed25519 cosignatures (type 0x04).
 * @param now seconds since 1970, a whole number; asked at each signature
 * @throws TlogError `malformed_key` for a name that cannot be one or a seed that is not 32 bytes
 */
export function ed25519Cosigner(name: string, seed: Uint8Array, now: () => number): Ed25519Signer {
  const privateKey = importSeed(seed)
  const verifierKey = verifierKeyOf(name, signatureTypes.ed25519Cosignature, privateKey)
  return { ...cosigner(verifierKey, message => signWith(privateKey, message), now), verifierKey }
}

/**
 * A new key for a log of this name, from the system's random source. The private text is a secret; the
 * verifier key is what everybody should get.
 * @throws TlogError `malformed_key` for a name that cannot be one
 */
export function generateSigningKey(name: string): { privateKey: string; verifierKey: string } {
  const seed = randomBytes(seedLength)
  const { verifierKey } = ed25519Signer(name, seed)
  const typedSeed = concatBytes(Uint8Array.of(signatureTypes.ed25519), seed)
  return {
    privateKey: `${keyTextStart}${name}+${formatKeyId(verifierKey.keyId)}+${encodeBase64(typedSeed)}`,
    verifierKey: formatVerifierKey(verifierKey),
  }
}

/**
 * Reads a signing key and checks its id against the public key that follows from it.
 * @throws TlogError `malformed_key` when it is damaged, `unsupported_key` for a type other than Ed25519
 * (0x01)
 */
export function parseSigningKey(text: string): SigningKey {
  if (!text.startsWith(keyTextStart)) {
    throw new TlogError('malformed_key', `A signing key begins with "${keyTextStart}"; this text does not.`)
  }
  const what = 'The signing key'
  const { name, id, typedKey } = splitKeyText(text.slice(keyTextStart.length), what)
  if (typedKey[0] !== signatureTypes.ed25519) {
    throw new TlogError('unsupported_key', `${what} of ${name} is not an Ed25519 key (type 1).`)
  }
  const seed = typedKey.slice(1)
  if (ed25519Signer(name, seed).keyId !== id) {
    throw new TlogError(
      'malformed_key',
      `${what} of ${name} is damaged: its id does not fit its name and seed.`,
    )
  }
  return { name, keyId: id, seed }
}

// What PKCS #8 (RFC 8410 §7) puts in front of the 32 bytes of an Ed25519 seed.
const pkcs8Start = Uint8Array.from([0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20])

function importSeed(seed: Uint8Array): KeyObject {
  if (seed.length !== seedLength) {
    throw new TlogError(
      'malformed_key',
      `The seed of an Ed25519 key has ${seedLength} bytes, not ${seed.length}.`,
    )
  }
  const key = Buffer.from(concatBytes(pkcs8Start, seed))
  return createPrivateKey({ key, format: 'der', type: 'pkcs8' })
}

function signWith(privateKey: KeyObject, message: Uint8Array): Uint8Array {
  return new Uint8Array(sign(null, message, privateKey))
}

function verifierKeyOf(name: string, type: SignatureType, privateKey: KeyObject): VerifierKey {
  const { x = '' } = createPublicKey(privateKey).export({ format: 'jwk' })
  const publicKey = decodeBase64Url(x)!
  return { name, keyId: keyId(nodeCrypto.sha256, name, type, publicKey), type, publicKey }
}
