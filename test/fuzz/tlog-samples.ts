import {
  type Checkpoint,
  encodeEntryBundle,
  encodeUtf8,
  formatCheckpoint,
  formatReceipt,
  leafHash,
  type Part,
  parseReceipt,
  parseVerifierKey,
  parts,
  type Receipt,
  signNote,
  type VerifierKey,
} from '@deedbox/tlog'
import { ed25519Cosigner, ed25519Signer, nodeCrypto } from '@deedbox/tlog/node'
import { bareReceipt, sampleLeaf } from '../../packages/tlog/src/testing/receipt-vectors.ts'
import { orderReceipt, orderReceiptText } from '../../packages/tlog/src/testing/receipts.ts'
import { eventLeafHashes, ReferenceTree } from '../../packages/tlog/src/testing/reference-tree.ts'
import {
  cosignedNote,
  log,
  logNote,
  proofFileOf2In7,
  witness,
} from '../../packages/tlog/src/testing/vectors.ts'

/** The keys that the samples are checked with. */
export const logKey: VerifierKey = parseVerifierKey(nodeCrypto.sha256, log.verifierKey)
export const witnessKey: VerifierKey = parseVerifierKey(nodeCrypto.sha256, witness.verifierKey)

const signer = ed25519Signer(log.origin, log.seed)
const cosigner = ed25519Cosigner(witness.name, witness.seed, () => witness.time)
const stranger = ed25519Signer('stranger.example/x', witness.seed)

/** The tree of event-0, event-1, … that the samples speak of. */
export const tree: ReferenceTree = new ReferenceTree(eventLeafHashes(600))

/** Checkpoint notes of the log, with and without others who signed, of sizes at every kind of edge. */
export const notes: readonly string[] = [
  logNote,
  cosignedNote,
  ...[0, 1, 2, 255, 256, 257, 600].map(size => {
    const head: Checkpoint = { origin: log.origin, size, root: tree.root(size) }
    return signNote(formatCheckpoint(head), size % 2 === 0 ? [signer] : [stranger, signer, cosigner])
  }),
]

/** Proof files of one log, made of leaves that are no event leaves. */
export const proofFiles: readonly string[] = [proofFileOf2In7, bareReceipt]

/** Receipts of one log: of the first leaf and the only one, deep and shallow, bare and with all parts shown. */
export const receipts: readonly string[] = [
  bareReceipt,
  orderReceiptText({ index: 0, size: 1 }),
  orderReceiptText({ index: 0, size: 300, disclosed: ['payload'] }),
  orderReceiptText({ disclosed: parts }),
  orderReceiptText({
    index: 299,
    size: 300,
    disclosed: ['core', 'context'],
    signers: [stranger, signer, cosigner],
  }),
  formatReceipt({ ...orderReceipt({ index: 5, size: 64 }), verifierKey: witness.verifierKey }),
]

/** Event leaves. */
export const leaves: readonly string[] = [
  sampleLeaf,
  sampleLeaf.replace('"kind":"event"', '"kind":"admin"').replace('05.678Z', '05.679Z'),
  sampleLeaf.replace('ledger.example/acme', 'grüße.example/ñ 😀'),
]

/** Entry bundles of one entry, of several, of empty ones and of a full one. */
export const bundles: readonly Uint8Array[] = [
  encodeEntryBundle([encodeUtf8(sampleLeaf)]),
  encodeEntryBundle([new Uint8Array(0)]),
  encodeEntryBundle([1, 0, 300, 7].map(length => new Uint8Array(length).fill(length))),
  encodeEntryBundle(Array.from({ length: 256 }, (_, i) => Uint8Array.of(i))),
]

/** What a receipt says about the world, whatever its spelling: all of it is under the log's signature. */
export interface Statement {
  origin: string
  size: number
  root: string
  index: number
  leaf: string
  proof: string[]
}

/** Everything that the sample receipts say, as JSON, and what they may show in the clear. */
export const statements: ReadonlySet<string> = new Set(receipts.map(text => statementOf(parseReceipt(text))))

/** The statement of a receipt, read from its own lines. */
export function statementOf({ index, leaf, proof, checkpoint }: Receipt): string {
  const [origin = '', size = '', root = ''] = checkpoint.split('\n', 3)
  const statement: Statement = {
    origin,
    size: Number(size),
    root,
    index,
    leaf: Buffer.from(leaf).toString('base64'),
    proof: proof.map(hash => Buffer.from(hash).toString('base64')),
  }
  return JSON.stringify(statement)
}

/** The true parts of the sample event, by name: salt and content in base64. */
export const disclosures: ReadonlyMap<Part, string> = new Map(
  parts.map(part => {
    const shown = orderReceipt({ disclosed: parts }).disclosed[part]!
    return [part, disclosureText(shown)]
  }),
)

/** A disclosure as a text that can be compared. */
export function disclosureText({ salt, content }: { salt: Uint8Array; content: Uint8Array }): string {
  return `${Buffer.from(salt).toString('base64')} ${Buffer.from(content).toString('base64')}`
}

/** The hash of the sample leaf. */
export const sampleHash: Uint8Array = leafHash(nodeCrypto.sha256, encodeUtf8(sampleLeaf))
