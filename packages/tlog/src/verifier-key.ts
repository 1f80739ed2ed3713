// Who signs: key names, key ids, and the text form in which people exchange keys (C2SP signed-note).
//
// A signature line names its key by a name and a 32-bit id. The id is the start of a hash over name,
// signature type and public key, so one name can own several keys and a note can carry signatures of many
// kinds; a reader picks the lines of the keys it knows. The id is a label, not a protection: 32 bits are
// quickly collided. What protects is that the reader was given the whole public key beforehand, in this form:
//
//     ledger.example/acme+f1d8e151+AQOhB7/zzhC+HXDdGOdLwJln5NYwm6UNXx3chmQSVTG4
//     name               +id      +base64(type || public key)
//
// The id in it works as a checksum: a key that was mistyped or cut off is refused when it is read, not when
// the first checkpoint fails.

import type { Sha256 } from './crypto.ts'
import { concatBytes, decodeBase64, decodeHex, encodeBase64, encodeHex, encodeUtf8 } from './encoding.ts'
import { quote, TlogError } from './errors.ts'

/** The signature types of C2SP signed-note that this package knows. */
export const signatureTypes = {
  /** Ed25519 over the note text: a log's own signature. */
  ed25519: 0x01,
  /** Timestamped Ed25519 cosignature: a witness's signature (cosignature.ts). */
  ed25519Cosignature: 0x04,
  /** Timestamped ML-DSA-44 cosignature. Keys and signatures are read, but not verified. */
  mldsa44Cosignature: 0x06,
} as const

/**
 * The type byte of C2SP signed-note: what a key signs and how. It is part of the key and of its id, so a key
 * of one type never passes for one of another.
 */
export type SignatureType = (typeof signatureTypes)[keyof typeof signatureTypes]

const publicKeyLengths: ReadonlyMap<number, number> = new Map([
  [signatureTypes.ed25519, 32],
  [signatureTypes.ed25519Cosignature, 32],
  [signatureTypes.mldsa44Cosignature, 1312],
])

/** A key that a verifier trusts for what is signed under this name. */
export interface VerifierKey {
  readonly name: string
  /** 32 bits, unsigned; see {@link keyId}. */
  readonly keyId: number
  readonly type: SignatureType
  /** 32 bytes for Ed25519, 1,312 for ML-DSA-44. */
  readonly publicKey: Uint8Array
}

/**
 * Whether a text may be a key name: not empty, well-formed, no white space, no control characters, no `+`.
 */
export function isKeyName(name: string): boolean {
  return name !== '' && name.isWellFormed() && !/[\p{White_Space}\x00-\x1f+]/u.test(name)
}

/**
 * The id of a key: the first four bytes, big-endian, of SHA-256(name || 0x0A || type || public key).
 * @throws TlogError `malformed_key` when the name cannot be a key name
 */
export function keyId(sha256: Sha256, name: string, type: SignatureType, publicKey: Uint8Array): number {
  requireKeyName(name)
  const hash = sha256(concatBytes(encodeUtf8(`${name}\n`), Uint8Array.of(type), publicKey))
  return readKeyId(hash)
}

/** The text form of a verifier key: `name+id+base64(type || public key)`. */
export function formatVerifierKey({ name, keyId, type, publicKey }: VerifierKey): string {
  return `${name}+${formatKeyId(keyId)}+${encodeBase64(concatBytes(Uint8Array.of(type), publicKey))}`
}

/**
 * Reads a verifier key and checks its id against its content.
 * @throws TlogError `malformed_key` when it is damaged, `unsupported_key` for a signature type other than
 * 0x01, 0x04 and 0x06
 */
export function parseVerifierKey(sha256: Sha256, text: string): VerifierKey {
  const what = `The verifier key ${quote(text)}`
  const { name, id, typedKey } = splitKeyText(text, what)
  const type = typedKey[0]!
  const publicKey = typedKey.slice(1)
  if (!isSignatureType(type)) {
    throw new TlogError(
      'unsupported_key',
      `${what} is of signature type ${type}, which cannot be verified here.`,
    )
  }
  if (publicKey.length !== publicKeyLengths.get(type)) {
    throw new TlogError(
      'malformed_key',
      `${what} should hold ${publicKeyLengths.get(type)} bytes of public key but holds ${publicKey.length}.`,
    )
  }
  if (keyId(sha256, name, type, publicKey) !== id) {
    throw new TlogError('malformed_key', `${what} is damaged: its id does not fit its name and public key.`)
  }
  return { name, keyId: id, type, publicKey }
}

/**
 * Splits `name+id+base64`, the form that verifier keys have and signing keys end in.
 * @throws TlogError `malformed_key`, naming the key as `what`
 */
export function splitKeyText(text: string, what: string): { name: string; id: number; typedKey: Uint8Array } {
  const [name = '', hex = '', base64 = '', ...rest] = text.split('+')
  // Base64 may contain plus signs of its own; names and ids may not.
  const typedKey = decodeBase64([base64, ...rest].join('+'))
  const id = hex.length === 8 ? decodeHex(hex) : undefined
  if (!isKeyName(name) || id === undefined || typedKey === undefined || typedKey.length < 2) {
    throw new TlogError(
      'malformed_key',
      `${what} does not have the form name+id+key, an id of 8 hexadecimal digits and a base64 key.`,
    )
  }
  return { name, id: readKeyId(id), typedKey }
}

/** Eight lower-case hexadecimal digits. */
export function formatKeyId(id: number): string {
  return encodeHex(writeKeyId(id))
}

/** The four bytes of a key id, as they stand in front of a signature. */
export function writeKeyId(id: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setUint32(0, id)
  return bytes
}

/** The key id in the first four bytes. */
export function readKeyId(bytes: Uint8Array): number {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength).getUint32(0)
}

/** @throws TlogError `malformed_key` */
export function requireKeyName(name: string): void {
  if (!isKeyName(name)) {
    throw new TlogError(
      'malformed_key',
      `${quote(name)} cannot be a key name: it is empty or has white space, control characters or "+".`,
    )
  }
}

function isSignatureType(type: number): type is SignatureType {
  return publicKeyLengths.has(type)
}
