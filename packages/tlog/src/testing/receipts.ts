// Receipts made to order: like the worked one, but for what a test wants to be different.

import { formatCheckpoint } from '../checkpoint.ts'
import { type Part, parts } from '../commitment.ts'
import { encodeUtf8 } from '../encoding.ts'
import { leafHash } from '../merkle.ts'
import { nodeCrypto } from '../node-crypto.ts'
import { signNote } from '../note.ts'
import type { NoteSigner } from '../note-signer.ts'
import { formatProofFile, parseProofFile } from '../proof-file.ts'
import { type Disclosure, formatReceipt, type Receipt } from '../receipt.ts'
import { ed25519Signer } from '../signing-key.ts'
import { bareReceipt, sampleLeaf, sampleParts } from './receipt-vectors.ts'
import { eventLeafHashes, ReferenceTree } from './reference-tree.ts'
import { log } from './vectors.ts'

/** What may differ from the worked receipt. */
export interface ReceiptOrder {
  leaf?: string
  index?: number
  /** Leaves of the log, this one among them. */
  size?: number
  origin?: string
  signers?: readonly NoteSigner[]
  /** Lines to sign after the root. */
  extensions?: string
  disclosed?: readonly Part[]
}

/** A receipt that is true in all that the order does not spoil. */
export function orderReceipt(order: ReceiptOrder = {}): Receipt {
  const { leaf = sampleLeaf, index = 2, size = 7, origin = log.origin, extensions = '' } = order
  const { signers = [ed25519Signer(log.origin, log.seed)], disclosed = [] } = order
  const bytes = encodeUtf8(leaf)
  const tree = new ReferenceTree(eventLeafHashes(size).with(index, leafHash(nodeCrypto.sha256, bytes)))
  return {
    index,
    leaf: bytes,
    proof: tree.inclusionProof(index, size),
    checkpoint: signNote(formatCheckpoint({ origin, size, root: tree.root(size) }) + extensions, signers),
    verifierKey: log.verifierKey,
    disclosed: disclose(disclosed),
  }
}

/** The sample event's parts in the clear. */
export function disclose(wanted: readonly Part[]): Partial<Record<Part, Disclosure>> {
  const disclosed: Partial<Record<Part, Disclosure>> = {}
  for (const part of parts) {
    const { salt, content } = sampleParts[part]
    if (wanted.includes(part)) disclosed[part] = { salt, content: encodeUtf8(content) }
  }
  return disclosed
}

/** The text of an ordered receipt. */
export function orderReceiptText(order: ReceiptOrder = {}): string {
  return formatReceipt(orderReceipt(order))
}

/** The worked receipt with another extra line, which need not be the text of anything. */
export function receiptWithExtra(extra: string | Uint8Array): string {
  const bytes = typeof extra === 'string' ? encodeUtf8(extra) : extra
  return formatProofFile({ ...parseProofFile(bareReceipt), extra: bytes })
}
