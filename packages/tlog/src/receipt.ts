// Receipts: that one event is in a ledger, as one text that needs nothing else.
//
// A receipt is a proof file (proof-file.ts). Its `extra` line carries what that format leaves to the
// application, as RFC 8785 JSON with all bytes in base64:
//
//     {"disclosed":{"payload":{"content":"eyJ…","salt":"QEF…"}},   parts in the clear, if they were asked for
//      "leaf":"eyJhdCI6…",                                         the bytes that were hashed into the tree
//      "v":1,
//      "vkey":"ledger.example/acme+f1d8e151+AQOh…"}                the ledger's verifier key
//
// Nothing vouches for that line as such, so nothing in it is believed until the chain of reasons has reached
// it: a key that the reader brought along signed the checkpoint; the checkpoint's root and size, with the
// proof, pin the leaf at its index; the leaf names its ledger, its id and a commitment for each part; and a
// disclosed part, with its salt, is what the leaf committed to. Only the key is outside of the chain. It is
// there for a first look; with it alone a receipt proves that it agrees with itself.
//
// As with leaves, reading is the exact inverse of writing: an extra line that this version would not have
// written is refused, be it for a member more, a member twice, or another order.

import { canonicalJson, isJsonObject, parseJsonObject } from './canonical-json.ts'
import type { Checkpoint, OpenedCheckpoint } from './checkpoint.ts'
import { commitmentInput, type Part, parts, saltLength } from './commitment.ts'
import type { TlogCrypto } from './crypto.ts'
import {
  bytesEqual,
  decodeBase64,
  decodeBase64Url,
  decodeUtf8,
  encodeBase64,
  encodeUtf8,
} from './encoding.ts'
import { quote, TlogError } from './errors.ts'
import { type EventLeaf, parseEventLeaf } from './event-leaf.ts'
import { leafHash } from './merkle.ts'
import { checkProofFile, formatProofFile, parseProofFile } from './proof-file.ts'
import type { Verdict } from './verdict.ts'
import { parseVerifierKey, type VerifierKey } from './verifier-key.ts'

/** A part of an event shown in the clear, with what is needed to check it against its commitment. */
export interface Disclosure {
  /** 32 bytes. */
  readonly salt: Uint8Array
  readonly content: Uint8Array
}

/** A receipt taken apart; nothing about it has been verified. */
export interface Receipt {
  readonly index: number
  /** The exact bytes that were hashed into the tree. */
  readonly leaf: Uint8Array
  /** 32 bytes each, the leaf's sibling first. */
  readonly proof: readonly Uint8Array[]
  /** A signed checkpoint that covers the leaf, verbatim. */
  readonly checkpoint: string
  /** For a first look only: a key that comes with the data vouches for nothing. */
  readonly verifierKey: string
  /** Only what was asked for. */
  readonly disclosed: Partial<Record<Part, Disclosure>>
}

/** What checking a receipt found. */
export interface ReceiptReport {
  readonly verdict: Verdict
  /** What was checked, or what is wrong and where. */
  readonly detail: string
  /** As it was read. Of a later version only what every proof file has: index, proof and checkpoint. */
  readonly receipt: Receipt
  /** Absent unless it is proved to be in the tree and could be read. */
  readonly leaf?: EventLeaf
  /** Absent unless its signature and the place of the leaf in it were verified. */
  readonly checkpoint?: Checkpoint
}

/**
 * Writes a receipt as a proof file.
 * @throws TlogError `malformed_proof` for what {@link parseReceipt} would not read: an index, a hash of the
 * proof or a salt that cannot be one; `malformed_text` for a verifier key without UTF-8 form
 */
export function formatReceipt(receipt: Receipt): string {
  const { index, proof, checkpoint } = receipt
  for (const part of parts) {
    const salt = receipt.disclosed[part]?.salt
    if (salt !== undefined && salt.length !== saltLength) {
      throw new TlogError(
        'malformed_proof',
        `The salt of the disclosed ${part} has ${salt.length} bytes, not ${saltLength}.`,
      )
    }
  }
  return formatProofFile({ extra: encodeUtf8(extraText(receipt)), index, proof, checkpoint })
}

type Extra = Pick<Receipt, 'leaf' | 'verifierKey' | 'disclosed'>

function extraText({ leaf, verifierKey, disclosed }: Extra): string {
  const shown: Partial<Record<Part, { content: string; salt: string }>> = {}
  for (const part of parts) {
    const disclosure = disclosed[part]
    if (disclosure === undefined) continue
    shown[part] = { content: encodeBase64(disclosure.content), salt: encodeBase64(disclosure.salt) }
  }
  return canonicalJson({ disclosed: shown, leaf: encodeBase64(leaf), v: 1, vkey: verifierKey })
}

/**
 * Reads a receipt without checking what it proves, strictly: what {@link formatReceipt} makes of the result
 * is the same text again.
 * @param text the whole file; bytes must be UTF-8
 * @throws TlogError `malformed_proof` when the file is no receipt, `unknown_version` when it is a later kind
 */
export function parseReceipt(text: string | Uint8Array): Receipt {
  const { extra, index, proof, checkpoint } = parseProofFile(text)
  return { index, proof, checkpoint, ...parseExtra(extra) }
}

function parseExtra(bytes: Uint8Array | undefined): Extra {
  const text = bytes === undefined ? undefined : decodeUtf8(bytes)
  const value = text === undefined ? undefined : parseJsonObject(text)
  if (value === undefined) {
    throw malformed('The proof file has no extra line that is a JSON object, so it is no Deedbox receipt.')
  }
  if (Number.isInteger(value.v) && Number(value.v) > 1) {
    throw new TlogError(
      'unknown_version',
      `The receipt has version ${value.v}; this verifier knows version 1.`,
    )
  }
  const leaf = bytesOf(value.leaf)
  const { vkey } = value
  if (leaf === undefined || typeof vkey !== 'string' || !vkey.isWellFormed()) {
    throw malformed('The extra line of the receipt does not hold a leaf in base64 and a verifier key.')
  }
  const extra = { leaf, verifierKey: vkey, disclosed: parseDisclosures(value.disclosed) }
  if (extraText(extra) !== text) {
    throw malformed('The extra line of the receipt is not in the one canonical form of version 1.')
  }
  return extra
}

function parseDisclosures(value: unknown): Receipt['disclosed'] {
  if (!isJsonObject(value)) throw malformed('The extra line of the receipt has no object of disclosed parts.')
  const disclosed: Partial<Record<Part, Disclosure>> = {}
  for (const [name, shown] of Object.entries(value)) {
    const part = parts.find(part => part === name)
    const salt = isJsonObject(shown) ? bytesOf(shown.salt) : undefined
    const content = isJsonObject(shown) ? bytesOf(shown.content) : undefined
    if (part === undefined || salt?.length !== saltLength || content === undefined) {
      throw malformed(
        `What the receipt discloses as ${quote(name)} is not a part of an event: content and a salt of ` +
          `${saltLength} bytes, in base64.`,
      )
    }
    disclosed[part] = { salt, content }
  }
  return disclosed
}

/**
 * Checks a receipt offline: signature, inclusion, that the leaf is of this ledger, and every disclosed part.
 * The verdict is `ok`, `ok_unpinned`, `bad_signature`, `content_mismatch`, `not_covered` or
 * `unknown_version`.
 * @param text the whole file; bytes must be UTF-8
 * @param pinned the verifier keys that the caller brought along; empty: the receipt's own key is used and the
 * verdict is at best `ok_unpinned`
 * @throws TlogError when there is nothing that could be checked: `malformed_proof` for a file that is no
 * receipt, `malformed_note`, `malformed_checkpoint` and `malformed_cosignature` for its checkpoint,
 * `malformed_key` and `unsupported_key` for a key
 */
export function checkReceipt(
  crypto: TlogCrypto,
  text: string | Uint8Array,
  pinned: readonly VerifierKey[],
): ReceiptReport {
  let receipt: Receipt
  try {
    receipt = parseReceipt(text)
  } catch (error) {
    if (!(error instanceof TlogError) || error.code !== 'unknown_version') throw error
    const { index, proof, checkpoint } = parseProofFile(text)
    const legible = { index, proof, checkpoint, leaf: new Uint8Array(0), verifierKey: '', disclosed: {} }
    return { verdict: 'unknown_version', detail: error.message, receipt: legible }
  }
  const keys = pinned.length > 0 ? pinned : [parseVerifierKey(crypto.sha256, receipt.verifierKey)]
  let found: Pick<ReceiptReport, 'checkpoint' | 'leaf'> = {}
  try {
    const checkpoint = checkProofFile(crypto, receipt, leafHash(crypto.sha256, receipt.leaf), keys)
    requireNoExtensions(checkpoint)
    found = { checkpoint }
    const leaf = parseEventLeaf(receipt.leaf)
    found = { checkpoint, leaf }
    requireContent(crypto, leaf, checkpoint, receipt)
    const verdict = pinned.length > 0 ? 'ok' : 'ok_unpinned'
    return { verdict, detail: whatHolds(receipt, checkpoint), receipt, ...found }
  } catch (error) {
    if (!(error instanceof TlogError)) throw error
    return { verdict: verdictOf(error), detail: error.message, receipt, ...found }
  }
}

/**
 * The format of checkpoints has room for further lines, but no ledger writes any, and not every kind of
 * cosignature covers them. Under a valid signature they mean that the key is not only in the ledger's hands.
 */
function requireNoExtensions({ origin, extensions }: OpenedCheckpoint): void {
  if (extensions.length === 0) return
  throw new TlogError(
    'bad_signature',
    `The checkpoint of ${origin} has an extension line, ${quote(extensions[0]!)}. The signature ` +
      'fits, but no Deedbox ledger signs such lines: something else uses its key.',
  )
}

/** Checks a leaf whose place in the tree is proved against the ledger and the parts that it vouches for. */
function requireContent(
  crypto: TlogCrypto,
  leaf: EventLeaf,
  { origin }: Checkpoint,
  { index, disclosed }: Receipt,
): void {
  if (leaf.ledger !== origin) {
    throw new TlogError(
      'proof_invalid',
      `The leaf says that it belongs to ${quote(leaf.ledger)}, but the checkpoint is of ${quote(origin)}.`,
    )
  }
  for (const part of parts) {
    const shown = disclosed[part]
    if (shown !== undefined && !matchesCommitment(crypto, leaf, part, shown)) {
      throw new TlogError(
        'proof_invalid',
        `The disclosed ${part} is not what the leaf at index ${index} committed to.`,
      )
    }
  }
}

/** Whether a part, with its salt, is what the leaf committed to. A salt that is not 32 bytes never is. */
export function matchesCommitment(
  crypto: Pick<TlogCrypto, 'sha256'>,
  leaf: EventLeaf,
  part: Part,
  { salt, content }: Disclosure,
): boolean {
  const committed = decodeBase64Url(leaf[part])
  if (committed === undefined || salt.length !== saltLength) return false
  return bytesEqual(crypto.sha256(commitmentInput(salt, leaf.ledger, leaf.tx_id, part, content)), committed)
}

function whatHolds({ index, disclosed }: Receipt, { size }: Checkpoint): string {
  const place = `The leaf is at index ${index} of the signed tree of size ${size}.`
  const shown = Object.keys(disclosed).length
  if (shown === 0) return place
  return `${place} ${shown} disclosed ${shown === 1 ? 'part matches its' : 'parts match their'} commitment.`
}

function verdictOf(error: TlogError): Verdict {
  switch (error.code) {
    case 'bad_signature':
    case 'unknown_key':
      return 'bad_signature'
    case 'size_out_of_range':
      return 'not_covered'
    case 'unknown_version':
      return 'unknown_version'
    case 'proof_invalid':
    case 'malformed_leaf':
      return 'content_mismatch'
    default:
      throw error
  }
}

function bytesOf(value: unknown): Uint8Array | undefined {
  return typeof value === 'string' ? decodeBase64(value) : undefined
}

function malformed(message: string): TlogError {
  return new TlogError('malformed_proof', message)
}
