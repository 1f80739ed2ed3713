// Cosignatures: what a witness says about a log (C2SP tlog-cosignature).
//
// A log that shows two histories can sign both. It is caught by witnesses, who sign a checkpoint only after
// they have seen a proof that it extends the last one they signed. A cosignature means: "at this time, this
// was the largest head of this log that I had seen, and everything before it was consistent." The time is
// part of what is signed:
//
//     cosignature/v1
//     time 1700000000
//     <the text of the checkpoint, every line of it>
//
// and travels in front of the signature, as 8 big-endian bytes. Little-endian writers existed; their times
// lie far outside any calendar, and their signatures do not verify.
//
// The message holds the whole text, extension lines included; the first line keeps it apart from a log's own
// signature, which covers the text alone. The witness's name is not in it, so one key must serve one witness
// only.

import type { TlogCrypto } from './crypto.ts'
import { concatBytes, encodeUtf8 } from './encoding.ts'
import { TlogError } from './errors.ts'
import type { NoteSigner } from './note-signer.ts'
import { type SignatureType, signatureTypes } from './verifier-key.ts'

/** The signature field of a cosignature line, taken apart. */
export interface Cosignature {
  /** Seconds since 1970 (POSIX). 0 in an ML-DSA-44 cosignature makes no claim about freshness. */
  readonly time: number
  /** 64 bytes for Ed25519, 2,420 for ML-DSA-44. */
  readonly signature: Uint8Array
}

const timeLength = 8
const signatureLengths = {
  [signatureTypes.ed25519Cosignature]: 64,
  [signatureTypes.mldsa44Cosignature]: 2420,
} as const

/** The types that are cosignatures. */
export type CosignatureType = Exclude<SignatureType, typeof signatureTypes.ed25519>

/**
 * Takes a signature field (what follows the key id) apart, without verifying anything.
 * @throws TlogError `malformed_cosignature` for a wrong length, or a time beyond 2^53 − 1 seconds
 */
export function parseCosignature(type: CosignatureType, field: Uint8Array): Cosignature {
  const length = timeLength + signatureLengths[type]
  if (field.length !== length) {
    throw new TlogError(
      'malformed_cosignature',
      `A cosignature of type ${type} has ${length} bytes; this one has ${field.length}.`,
    )
  }
  const time = new DataView(field.buffer, field.byteOffset, field.byteLength).getBigUint64(0)
  if (time > BigInt(Number.MAX_SAFE_INTEGER)) {
    throw new TlogError(
      'malformed_cosignature',
      `The time of the cosignature, ${time} seconds, is not a date.`,
    )
  }
  return { time: Number(time), signature: new Uint8Array(field.subarray(timeLength)) }
}

/**
 * The signature field of a cosignature: 8 bytes of time, then the signature.
 * @throws TlogError `malformed_cosignature` for a time that is no whole number of seconds, or a signature
 * whose length fits no type
 */
export function formatCosignature({ time, signature }: Cosignature): Uint8Array {
  requireTime(time)
  if (!Object.values<number>(signatureLengths).includes(signature.length)) {
    throw new TlogError(
      'malformed_cosignature',
      `No type of cosignature has signatures of ${signature.length} bytes.`,
    )
  }
  const field = new Uint8Array(timeLength + signature.length)
  new DataView(field.buffer).setBigUint64(0, BigInt(time))
  field.set(signature, timeLength)
  return field
}

/**
 * What an Ed25519 cosignature signs: header, time in seconds, and the note text with its final newline.
 * @throws TlogError `malformed_cosignature` for a time that is no whole number of seconds
 */
export function cosignedMessage(time: number, text: Uint8Array): Uint8Array {
  requireTime(time)
  return concatBytes(encodeUtf8(`cosignature/v1\ntime ${time}\n`), text)
}

/**
 * Verifies an Ed25519 cosignature over a note text and returns its time in seconds.
 * @throws TlogError `malformed_cosignature` when the field is not one, `bad_signature` when it does not
 * verify
 */
export function verifyCosignature(
  crypto: TlogCrypto,
  publicKey: Uint8Array,
  text: Uint8Array,
  field: Uint8Array,
): number {
  const { time, signature } = parseCosignature(signatureTypes.ed25519Cosignature, field)
  if (!crypto.verifyEd25519(publicKey, cosignedMessage(time, text), signature)) {
    throw new TlogError('bad_signature', `The cosignature of time ${time} does not verify.`)
  }
  return time
}

/**
 * A witness's signer: turns a plain Ed25519 signer into one whose signatures are cosignatures of the present
 * time.
 * @param key name and id of the key; the id must be the one for type 0x04
 * @param sign Ed25519 over the message, 64 bytes
 * @param now seconds since 1970, a whole number
 */
export function cosigner(
  key: Pick<NoteSigner, 'name' | 'keyId'>,
  sign: (message: Uint8Array) => Uint8Array,
  now: () => number,
): NoteSigner {
  return {
    name: key.name,
    keyId: key.keyId,
    sign(text: Uint8Array): Uint8Array {
      const time = now()
      return formatCosignature({ time, signature: sign(cosignedMessage(time, text)) })
    },
  }
}

function requireTime(time: number): void {
  if (!Number.isSafeInteger(time) || time < 0) {
    throw new TlogError(
      'malformed_cosignature',
      `The time of a cosignature is a whole number of seconds since 1970, not ${time}.`,
    )
  }
}
