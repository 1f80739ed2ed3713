// Signed notes: a text and who stands by it (C2SP signed-note).
//
//     ledger.example/acme                                      the text: any lines, each ended by a newline
//     7
//     gTvaOkIAD4KUtqlU6oN5LC3vrmUkbvdgr5/dU699Rjg=
//                                                              an empty line
//     — ledger.example/acme 8djhUb1QLKX3Kk8a…                  one line for each signature:
//     — witness.example/w1 IDJKvgAAAABlU/EA…                   — name base64(key id || signature)
//
// The signatures cover the text with its last newline, and nothing else: neither each other nor their own
// names. The text may hold empty lines, and lines that look like signatures; the signatures are what follows
// the *last* empty line. A reader that splits at the first one can be shown a text that nobody signed.
//
// Opening a note means: ignore lines of keys that are not known, insist that every line of a known key
// verifies, and insist that there is at least one. What is unknown stays unverified however familiar its name
// looks, and must never be stored or passed on as if it counted.

import { verifyCosignature } from './cosignature.ts'
import type { TlogCrypto } from './crypto.ts'
import { bytesEqual, concatBytes, decodeBase64, decodeUtf8, encodeBase64, encodeUtf8 } from './encoding.ts'
import { quote, TlogError } from './errors.ts'
import type { NoteSigner } from './note-signer.ts'
import {
  formatKeyId,
  isKeyName,
  readKeyId,
  requireKeyName,
  signatureTypes,
  type VerifierKey,
  writeKeyId,
} from './verifier-key.ts'

/** The most bytes of a note that is read at all. */
export const maxNoteLength = 1_000_000

/** The most signature lines of a note that is read at all. The standard demands room for 16. */
export const maxNoteSignatures = 100

/** One signature line. */
export interface NoteSignature {
  readonly name: string
  /** 32 bits, unsigned. */
  readonly keyId: number
  /** Without the key id; at least one byte. */
  readonly signature: Uint8Array
}

/** A note taken apart; nothing about it has been verified. */
export interface SignedNote {
  /** Ends in a newline. */
  readonly text: string
  /** In the order of the lines. */
  readonly signatures: readonly NoteSignature[]
}

/** A signature that verified, with the trusted key that it verified with. */
export interface VerifiedSignature extends NoteSignature {
  readonly key: VerifierKey
  /** Of a cosignature: when it was made, in seconds since 1970. */
  readonly time?: number
}

/** A note that at least one known key stands by. */
export interface OpenedNote {
  readonly text: string
  /** At most one signature of each known key, in the order of the lines. */
  readonly verified: readonly VerifiedSignature[]
  /** Lines of unknown keys. They count for nothing. */
  readonly unverified: readonly NoteSignature[]
}

const lineStart = '— '

/**
 * Takes a note apart without verifying it.
 * @param note the whole note; bytes must be UTF-8
 * @throws TlogError `malformed_note` for anything that is not exactly a signed note of at most 1,000,000
 * bytes and 100 signatures, in canonical base64
 */
export function parseNote(note: string | Uint8Array): SignedNote {
  const source = readNoteText(note)
  const split = source.lastIndexOf('\n\n')
  if (split < 0) {
    throw new TlogError('malformed_note', 'The note has no empty line between its text and its signatures.')
  }
  const text = source.slice(0, split + 1)
  const lines = source.slice(split + 2).split('\n')
  if (lines.pop() !== '') throw new TlogError('malformed_note', 'The last line of the note does not end.')
  if (lines.length === 0) throw new TlogError('malformed_note', 'The note has no signature.')
  if (lines.length > maxNoteSignatures) {
    throw new TlogError('malformed_note', `The note has more than ${maxNoteSignatures} signatures.`)
  }
  return { text, signatures: lines.map(parseSignatureLine) }
}

/**
 * The note made of a text and signatures; the inverse of {@link parseNote}.
 * @throws TlogError `malformed_note` when the text does not end in a newline, holds control characters or has
 * no UTF-8 form, or when there are no signatures or too many; `malformed_key` for a name that no key can have
 */
export function formatNote(note: SignedNote): string {
  requireNoteText(note.text)
  if (note.signatures.length < 1 || note.signatures.length > maxNoteSignatures) {
    throw new TlogError('malformed_note', `A note has 1 to ${maxNoteSignatures} signatures.`)
  }
  const lines = note.signatures.map(({ name, keyId, signature }) => {
    requireKeyName(name)
    if (signature.length === 0) throw new TlogError('malformed_note', `The signature of ${name} is empty.`)
    return `${lineStart}${name} ${encodeBase64(concatBytes(writeKeyId(keyId), signature))}\n`
  })
  return `${note.text}\n${lines.join('')}`
}

/**
 * Signs a text and returns the note.
 * @throws TlogError as {@link formatNote}
 */
export function signNote(text: string, signers: readonly NoteSigner[]): string {
  requireNoteText(text)
  const bytes = encodeUtf8(text)
  const signatures = signers.map(signer => ({
    name: signer.name,
    keyId: signer.keyId,
    signature: signer.sign(bytes),
  }))
  return formatNote({ text, signatures })
}

/**
 * Takes a note apart and verifies the signatures of the keys given.
 * @throws TlogError `malformed_note`; `bad_signature` when a line of a known key does not verify;
 * `unknown_key` when no known key has signed; `malformed_key` when two different keys share a name and id;
 * `unsupported_key` for a key whose type cannot be verified
 */
export function openNote(
  crypto: TlogCrypto,
  note: string | Uint8Array,
  keys: readonly VerifierKey[],
): OpenedNote {
  const { text, signatures } = parseNote(note)
  for (const key of keys) requireVerifiable(key)
  const bytes = encodeUtf8(text)
  const verified: VerifiedSignature[] = []
  const unverified: NoteSignature[] = []
  for (const line of signatures) {
    const key = findKey(keys, line)
    if (key === undefined) {
      unverified.push(line)
      continue
    }
    const time = verifySignature(crypto, key, bytes, line)
    if (verified.some(earlier => earlier.key === key)) continue
    verified.push(time === undefined ? { ...line, key } : { ...line, key, time })
  }
  if (verified.length === 0) {
    const { name, keyId } = signatures[0]!
    const others = signatures.length > 1 ? ` and ${signatures.length - 1} more` : ''
    throw new TlogError(
      'unknown_key',
      `The note is signed by no known key, but by ${quote(name)} with key id ${formatKeyId(keyId)}${others}.`,
    )
  }
  return { text, verified, unverified }
}

/** The trusted key that a signature line names; compared as values, never looked up by name in an object. */
function findKey(keys: readonly VerifierKey[], line: NoteSignature): VerifierKey | undefined {
  const [key, ...others] = keys.filter(({ name, keyId }) => name === line.name && keyId === line.keyId)
  if (key !== undefined && others.some(other => !isSameKey(key, other))) {
    throw new TlogError(
      'malformed_key',
      `Two different keys are called ${key.name}+${formatKeyId(key.keyId)}.`,
    )
  }
  return key
}

function isSameKey(a: VerifierKey, b: VerifierKey): boolean {
  return a.type === b.type && bytesEqual(a.publicKey, b.publicKey)
}

/** Returns the time of a cosignature, `undefined` for a plain signature; throws when it does not verify. */
function verifySignature(
  crypto: TlogCrypto,
  key: VerifierKey,
  text: Uint8Array,
  { name, keyId, signature }: NoteSignature,
): number | undefined {
  if (key.type === signatureTypes.ed25519Cosignature) {
    return verifyCosignature(crypto, key.publicKey, text, signature)
  }
  if (!crypto.verifyEd25519(key.publicKey, text, signature)) {
    throw new TlogError('bad_signature', `The signature of ${name}+${formatKeyId(keyId)} does not verify.`)
  }
  return undefined
}

function requireVerifiable(key: VerifierKey): void {
  if (key.type !== signatureTypes.ed25519 && key.type !== signatureTypes.ed25519Cosignature) {
    throw new TlogError(
      'unsupported_key',
      `Signatures of ${key.name}+${formatKeyId(key.keyId)} have type ${key.type}, which is not verified here.`,
    )
  }
}

function parseSignatureLine(line: string, i: number): NoteSignature {
  const space = line.indexOf(' ', lineStart.length)
  const name = line.slice(lineStart.length, space)
  const field = decodeBase64(line.slice(space + 1))
  if (
    !line.startsWith(lineStart) ||
    space < 0 ||
    !isKeyName(name) ||
    field === undefined ||
    field.length < 5
  ) {
    throw new TlogError(
      'malformed_note',
      `Signature line ${i + 1} does not have the form "— name base64", in canonical base64 of 5 bytes or more.`,
    )
  }
  return { name, keyId: readKeyId(field), signature: field.slice(4) }
}

function readNoteText(note: string | Uint8Array): string {
  if (note.length > maxNoteLength) {
    throw new TlogError('malformed_note', `The note is longer than ${maxNoteLength} bytes.`)
  }
  const text = typeof note === 'string' ? note : decodeUtf8(note)
  if (text === undefined || !text.isWellFormed()) {
    throw new TlogError('malformed_note', 'The note is not valid UTF-8.')
  }
  if (typeof note === 'string' && encodeUtf8(text).length > maxNoteLength) {
    throw new TlogError('malformed_note', `The note is longer than ${maxNoteLength} bytes.`)
  }
  requireNoControls(text)
  return text
}

function requireNoteText(text: string): void {
  if (!text.isWellFormed()) throw new TlogError('malformed_note', 'The text of the note has no UTF-8 form.')
  requireNoControls(text)
  if (!text.endsWith('\n')) throw new TlogError('malformed_note', 'The text of a note must end in a newline.')
}

function requireNoControls(text: string): void {
  const at = text.search(/[\x00-\x09\x0b-\x1f]/)
  if (at >= 0) {
    const code = text.charCodeAt(at).toString(16).padStart(4, '0')
    throw new TlogError(
      'malformed_note',
      `The note has a control character, U+${code.toUpperCase()}, at position ${at}.`,
    )
  }
}
