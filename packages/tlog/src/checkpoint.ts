// Checkpoints: the head of a log, as a note (C2SP tlog-checkpoint).
//
//     ledger.example/acme                               origin: which log
//     7                                                 size: how many leaves
//     gTvaOkIAD4KUtqlU6oN5LC3vrmUkbvdgr5/dU699Rjg=      root: which leaves, in which order
//
// These three lines are all that anybody has to keep of a log in order to notice, for ever, that something
// before them was changed: every later state must come with a proof of consistency with them, every entry
// with a proof of inclusion.
//
// The origin is signed with the head, so the head of one log cannot stand in for that of another. Who may
// speak for an origin is not written in the note. Here it is a key of the same name, a key of a log: a
// witness that happens to carry the name of an origin does not speak for it.
//
// The format allows further lines. They are not covered by every kind of cosignature and no monitor checks
// them, so this package never writes any; it reads them, reports them, and leaves the refusal to the reader.

import type { TlogCrypto } from './crypto.ts'
import { bytesEqual, decodeBase64, encodeBase64, encodeUtf8, parseDecimal } from './encoding.ts'
import { TlogError } from './errors.ts'
import { emptyRoot, hashSize } from './merkle.ts'
import { type OpenedNote, openNote } from './note.ts'
import { signatureTypes, type VerifierKey } from './verifier-key.ts'

/** The head of a log at one size. */
export interface Checkpoint {
  /** Which log: 1–255 bytes of UTF-8 without control characters. */
  readonly origin: string
  /** How many leaves. */
  readonly size: number
  /** 32 bytes. */
  readonly root: Uint8Array
}

/** A checkpoint as it was read. */
export interface ParsedCheckpoint extends Checkpoint {
  /**
   * Lines after the third, without their newlines. Not part of what a checkpoint means: refuse them where you
   * can.
   */
  readonly extensions: readonly string[]
}

/** A checkpoint that its log has signed. */
export interface OpenedCheckpoint extends ParsedCheckpoint {
  /** The note that it came in, with everybody else who signed it. */
  readonly note: OpenedNote
}

/**
 * The three lines of a checkpoint, to be signed.
 * @throws TlogError `malformed_checkpoint` for an origin that cannot be one or a root that is not 32 bytes,
 * `size_out_of_range`
 */
export function formatCheckpoint({ origin, size, root }: Checkpoint): string {
  requireOrigin(origin)
  if (!Number.isSafeInteger(size) || size < 0) {
    throw new TlogError(
      'size_out_of_range',
      `The size of a checkpoint is a whole number from 0 to 2^53 − 1, not ${size}.`,
    )
  }
  if (root.length !== hashSize) {
    throw new TlogError(
      'malformed_checkpoint',
      `The root of a checkpoint has ${hashSize} bytes, not ${root.length}.`,
    )
  }
  return `${origin}\n${size}\n${encodeBase64(root)}\n`
}

/**
 * Reads the text of a checkpoint note.
 * @throws TlogError `malformed_checkpoint`; also for sizes beyond 2^53 − 1
 */
export function parseCheckpoint(text: string): ParsedCheckpoint {
  const lines = text.split('\n')
  if (lines.pop() !== '')
    throw new TlogError('malformed_checkpoint', 'The last line of the checkpoint does not end.')
  const [origin, sizeText, rootText, ...extensions] = lines
  if (origin === undefined || sizeText === undefined || rootText === undefined) {
    throw new TlogError(
      'malformed_checkpoint',
      `A checkpoint has at least three lines; this one has ${lines.length}.`,
    )
  }
  requireOrigin(origin)
  const size = parseDecimal(sizeText)
  if (size === undefined) {
    throw new TlogError(
      'malformed_checkpoint',
      `The second line of the checkpoint of ${origin} is not a size from 0 to 2^53 − 1 in plain decimal.`,
    )
  }
  const root = decodeBase64(rootText)
  if (root?.length !== hashSize) {
    throw new TlogError(
      'malformed_checkpoint',
      `The third line of the checkpoint of ${origin} is not a root of ${hashSize} bytes in canonical base64.`,
    )
  }
  for (const [i, line] of extensions.entries()) {
    if (line === '' || !isPlainText(line)) {
      throw new TlogError(
        'malformed_checkpoint',
        `Line ${i + 4} of the checkpoint of ${origin} is empty or not plain text.`,
      )
    }
  }
  return { origin, size, root, extensions }
}

/**
 * Opens a checkpoint note and insists that the log itself has signed it: with an Ed25519 key (type 0x01)
 * among `keys` whose name is the origin. Give it the log's keys and, if you count witnesses, theirs.
 * @throws TlogError `malformed_note`, `malformed_checkpoint` (also for size 0 with a root that is not the
 * empty tree's), `bad_signature`, `unknown_key`, and the key errors of `openNote`
 */
export function openCheckpoint(
  crypto: TlogCrypto,
  note: string | Uint8Array,
  keys: readonly VerifierKey[],
): OpenedCheckpoint {
  const opened = openNote(crypto, note, keys)
  const checkpoint = parseCheckpoint(opened.text)
  const isSignedByLog = opened.verified.some(
    ({ key }) => key.type === signatureTypes.ed25519 && key.name === checkpoint.origin,
  )
  if (!isSignedByLog) {
    throw new TlogError(
      'unknown_key',
      `The checkpoint is not signed by a known key of its log, ${checkpoint.origin}.`,
    )
  }
  if (checkpoint.size === 0 && !bytesEqual(checkpoint.root, emptyRoot(crypto.sha256))) {
    throw new TlogError(
      'malformed_checkpoint',
      `The checkpoint of ${checkpoint.origin} has size 0 but not the root of the empty tree.`,
    )
  }
  return { ...checkpoint, note: opened }
}

// The length fits the one byte that ML-DSA-44 cosignatures have for it; others enforce it too.
const maxOriginLength = 255

function requireOrigin(origin: string): void {
  if (origin === '' || !isPlainText(origin) || encodeUtf8(origin).length > maxOriginLength) {
    throw new TlogError(
      'malformed_checkpoint',
      `The origin of a checkpoint is 1 to ${maxOriginLength} bytes of UTF-8 without control characters.`,
    )
  }
}

function isPlainText(line: string): boolean {
  return line.isWellFormed() && !/[\x00-\x1f]/.test(line)
}
