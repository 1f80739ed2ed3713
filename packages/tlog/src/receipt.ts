import type { Checkpoint } from './checkpoint.ts'
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
import { TlogError } from './errors.ts'
import { type EventLeaf, parseEventLeaf } from './event-leaf.ts'
import { leafHash } from './merkle.ts'
import { checkProofFile, formatProofFile, parseProofFile } from './proof-file.ts'
import type { Verdict } from './verdict.ts'
import { parseVerifierKey, type VerifierKey } from './verifier-key.ts'

/** A part of an event shown in the clear, with what is needed to check it against its commitment. */
export interface Disclosure {
  /** 32 bytes. */
  salt: Uint8Array
  content: Uint8Array
}

/**
 * A receipt: the signed proof that a leaf is in a ledger, as one text file (`.tlog-proof`, C2SP tlog-proof@v1).
 * Its `extra` line carries what the proof format leaves to the application: the leaf's bytes, the ledger's
 * verifier key, and disclosures only if they were asked for. Nothing in that line is believed unchecked.
 */
export interface Receipt {
  index: number
  /** The exact bytes that were hashed into the tree. */
  leaf: Uint8Array
  proof: Uint8Array[]
  /** A signed checkpoint that covers the leaf. */
  checkpoint: string
  /** For a first look only: a key that comes with the data vouches for nothing. */
  verifierKey: string
  disclosed: Partial<Record<Part, Disclosure>>
}

/** What checking a receipt found. */
export interface ReceiptReport {
  verdict: Verdict
  /** One sentence: what was checked, or what is wrong and where. */
  detail: string
  receipt: Receipt
  /** Absent when the leaf could not be read. */
  leaf?: EventLeaf
  /** Absent unless its signature was verified. */
  checkpoint?: Checkpoint
}

/** Writes a receipt as a proof file. */
export function formatReceipt(receipt: Receipt): string {
  const disclosed: Record<string, { salt: string; content: string }> = {}
  for (const part of parts) {
    const shown = receipt.disclosed[part]
    if (shown !== undefined) {
      disclosed[part] = { salt: encodeBase64(shown.salt), content: encodeBase64(shown.content) }
    }
  }
  const extra = { v: 1, leaf: encodeBase64(receipt.leaf), vkey: receipt.verifierKey, disclosed }
  return formatProofFile({
    extra: encodeUtf8(JSON.stringify(extra)),
    index: receipt.index,
    proof: receipt.proof,
    checkpoint: receipt.checkpoint,
  })
}

/**
 * Reads a receipt without checking what it proves.
 *
 * @throws TlogError `malformed_proof` when the file is no receipt, `unknown_version` when it is a later kind
 */
export function parseReceipt(text: string | Uint8Array): Receipt {
  const file = parseProofFile(text)
  const extra = readExtra(file.extra)
  const leaf = typeof extra.leaf === 'string' ? decodeBase64(extra.leaf) : undefined
  if (leaf === undefined || typeof extra.vkey !== 'string') {
    throw new TlogError(
      'malformed_proof',
      'The extra line of the proof does not hold a leaf and a verifier key.',
    )
  }
  const disclosed: Partial<Record<Part, Disclosure>> = {}
  const given = (extra.disclosed ?? {}) as Record<string, { salt?: unknown; content?: unknown } | undefined>
  for (const name of Object.keys(given)) {
    const part = parts.find(part => part === name)
    const salt = decodeBase64(String(given[name]?.salt))
    const content = decodeBase64(String(given[name]?.content))
    if (part === undefined || salt?.length !== saltLength || content === undefined) {
      throw new TlogError(
        'malformed_proof',
        `The disclosure "${name}" of the receipt is not a part with its salt.`,
      )
    }
    disclosed[part] = { salt, content }
  }
  const { index, proof, checkpoint } = file
  return { index, leaf, proof: [...proof], checkpoint, verifierKey: extra.vkey, disclosed }
}

function readExtra(bytes: Uint8Array | undefined): Record<string, unknown> {
  let extra: unknown
  try {
    extra = JSON.parse((bytes === undefined ? undefined : decodeUtf8(bytes)) ?? '')
  } catch {
    throw new TlogError(
      'malformed_proof',
      'The proof has no readable extra line, so it is no receipt of a Deedbox ledger.',
    )
  }
  if (typeof extra !== 'object' || extra === null || !('v' in extra)) {
    throw new TlogError('malformed_proof', 'The extra line of the proof is not that of a Deedbox receipt.')
  }
  if (extra.v !== 1)
    throw new TlogError(
      'unknown_version',
      `The receipt has version ${String(extra.v)}; this verifier knows 1.`,
    )
  return extra as Record<string, unknown>
}

/**
 * Checks a receipt offline: signature, inclusion, that the leaf is of this ledger, and every disclosed part.
 *
 * @param pinned the verifier keys that the caller brought along; empty: the receipt's own key is used and the
 *   verdict is at best `ok_unpinned`
 * @throws TlogError `malformed_proof`, `malformed_key` when there is nothing that could be checked
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
    const nothing = {
      index: 0,
      leaf: new Uint8Array(),
      proof: [],
      checkpoint: '',
      verifierKey: '',
      disclosed: {},
    }
    return { verdict: 'unknown_version', detail: error.message, receipt: nothing }
  }
  const keys = pinned.length > 0 ? pinned : [parseVerifierKey(crypto.sha256, receipt.verifierKey)]
  const report: ReceiptReport = { verdict: pinned.length > 0 ? 'ok' : 'ok_unpinned', detail: '', receipt }
  try {
    const file = { index: receipt.index, proof: receipt.proof, checkpoint: receipt.checkpoint }
    report.checkpoint = checkProofFile(crypto, file, leafHash(crypto.sha256, receipt.leaf), [...keys])
    report.leaf = parseEventLeaf(receipt.leaf)
  } catch (error) {
    if (!(error instanceof TlogError)) throw error
    return { ...report, verdict: verdictOf(error), detail: error.message }
  }
  const fault = leafFault(crypto, report.leaf, report.checkpoint, receipt)
  if (fault !== undefined) return { ...report, verdict: 'content_mismatch', detail: fault }
  const shown = Object.keys(receipt.disclosed).length
  const disclosures =
    shown === 0
      ? ''
      : ` ${shown} disclosed ${shown === 1 ? 'part matches its' : 'parts match their'} commitment.`
  report.detail = `The leaf is at index ${receipt.index} of the signed tree of size ${report.checkpoint.size}.${disclosures}`
  return report
}

/** What is wrong with a leaf whose place in the tree is proved, if anything. */
function leafFault(
  crypto: TlogCrypto,
  leaf: EventLeaf,
  checkpoint: Checkpoint,
  receipt: Receipt,
): string | undefined {
  if (leaf.ledger !== checkpoint.origin) {
    return `The leaf says that it belongs to ${leaf.ledger}, but the checkpoint is of ${checkpoint.origin}.`
  }
  for (const part of parts) {
    const shown = receipt.disclosed[part]
    if (shown !== undefined && !matchesCommitment(crypto, leaf, part, shown)) {
      return `The disclosed ${part} is not what the leaf at index ${receipt.index} committed to.`
    }
  }
  return undefined
}

/** Whether a part, with its salt, is what the leaf committed to. */
export function matchesCommitment(
  crypto: Pick<TlogCrypto, 'sha256'>,
  leaf: EventLeaf,
  part: Part,
  { salt, content }: Disclosure,
): boolean {
  const committed = decodeBase64Url(leaf[part])
  return (
    committed !== undefined &&
    bytesEqual(crypto.sha256(commitmentInput(salt, leaf.ledger, leaf.tx_id, part, content)), committed)
  )
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
