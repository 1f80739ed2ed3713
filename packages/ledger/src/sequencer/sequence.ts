import {
  formatCheckpoint,
  leafHash,
  type NoteSigner,
  parseEventLeaf,
  RightEdge,
  signNote,
  tileWidth,
} from '@deedbox/tlog'
import { nodeCrypto } from '@deedbox/tlog/node'
import { LedgerError } from '../errors.ts'
import type { HeadRow, IdempotencyRow, StoreTransaction } from '../store/index.ts'
import { type DedupSecret, fingerprintOf, idempotencyHash } from './idempotency.ts'
import { type BuiltLeaf, buildLeaf } from './leaf-builder.ts'
import type { Sequenced, Submission } from './submission.ts'
import { newTxId } from './tx-id.ts'

const { sha256 } = nodeCrypto

/** One ledger as the sequencer holds it between transactions. */
export interface LedgerState {
  readonly ledgerId: number
  readonly origin: string
  readonly signers: NoteSigner[]
  readonly secret: DedupSecret
  /** The right edge of the tree at `head`; dropped whenever another process or a failure may have moved it. */
  edge: { head: HeadRow; tree: RightEdge } | undefined
}

/**
 * Sequences a batch inside one transaction: reads the head, gives each new submission the next index, stores
 * leaves, tiles and the signed head. The caller holds the only write lock of the database, so what is read here
 * is still true at the commit; the compare-and-swap on the head is the second line of defence (pitfall P3).
 *
 * @returns one result per submission, in order, and the new head (the old one when nothing was new)
 * @throws LedgerError `edge_damaged` when the stored tiles do not hash to the stored root
 */
export async function sequence(
  tx: StoreTransaction,
  ledger: LedgerState,
  submissions: readonly Submission[],
  now: number,
): Promise<{ results: Sequenced[]; head: HeadRow }> {
  const from = await tx.head(ledger.ledgerId)
  const tree = await currentTree(tx, ledger, from)
  const at = Math.max(now, from.at)
  const known = new KnownKeys(tx, ledger)
  const built: BuiltLeaf[] = []
  const results: Sequenced[] = []
  for (const submission of submissions) {
    const { event, principal, requestId } = submission
    const use = event.idempotencyKey === undefined ? undefined : await known.lookUp(principal, event)
    if (use?.repeatOf !== undefined) {
      results.push({ ...use.repeatOf, duplicate: true, requestId })
      continue
    }
    const index = from.size + built.length
    const leaf = buildLeaf(
      { origin: ledger.origin, index, txId: newTxId(index), at, kind: submission.kind },
      event,
      {
        principal,
        request_id: requestId,
        ...(use === undefined ? {} : { idempotency: Buffer.from(use.keyHash).toString('base64url') }),
        ...(use?.amends === undefined ? {} : { amends: use.amends }),
      },
    )
    built.push(leaf)
    tree.append(leafHash(sha256, leaf.row.leaf))
    const result = { index, txId: leaf.txId, payloadHash: leaf.payloadHash, duplicate: false, requestId }
    results.push(use?.amends === undefined ? result : { ...result, amends: use.amends })
    if (use !== undefined) known.remember(use, result)
    if (submission.newApiKey !== undefined) await tx.insertApiKey(submission.newApiKey)
  }
  if (built.length === 0) {
    ledger.edge = { head: from, tree }
    return { results, head: from }
  }

  const root = tree.root()
  const note = signNote(formatCheckpoint({ origin: ledger.origin, size: tree.size, root }), ledger.signers)
  const head: HeadRow = { size: tree.size, root, at, note }
  await tx.insertEvents(
    ledger.ledgerId,
    built.map(leaf => leaf.row),
  )
  await tx.insertIdempotency(ledger.ledgerId, known.fresh)
  await tx.writeTiles(ledger.ledgerId, tree.takeChangedTiles())
  if (!(await tx.moveHead(ledger.ledgerId, from, head))) {
    throw new LedgerError('overloaded', 'Another process moved the head of the ledger. Send the event again.')
  }
  ledger.edge = { head, tree }
  return { results, head }
}

/** The tree at `head`: the cached one if no other process moved on, else loaded from the tiles and checked. */
export async function currentTree(
  tx: StoreTransaction,
  ledger: LedgerState,
  head: HeadRow,
): Promise<RightEdge> {
  const cached = ledger.edge
  // While the transaction is under way the cached edge runs ahead of the database; it is put back on success.
  ledger.edge = undefined
  if (
    cached !== undefined &&
    cached.head.size === head.size &&
    Buffer.compare(cached.head.root, head.root) === 0
  ) {
    return cached.tree
  }
  const tiles = new Map<string, Uint8Array>()
  for (let level = 0, size = head.size; size > 0; level++, size = Math.floor(size / 256)) {
    const n = Math.floor(size / 256)
    if (tileWidth(level, n, head.size) === 0) continue
    const hashes = await tx.readTile(ledger.ledgerId, level, n)
    if (hashes !== null) tiles.set(`${level}/${n}`, hashes)
  }
  let tree: RightEdge
  try {
    tree = RightEdge.load(sha256, head.size, (level, n) => {
      return tiles.get(`${level}/${n}`) ?? new Uint8Array()
    })
  } catch (cause) {
    throw damaged(ledger, head, cause)
  }
  if (Buffer.compare(tree.root(), head.root) !== 0) throw damaged(ledger, head)
  return tree
}

function damaged(ledger: LedgerState, head: HeadRow, cause?: unknown): LedgerError {
  return new LedgerError(
    'edge_damaged',
    `The stored tiles of ${ledger.origin} do not hash to its head of size ${head.size}. ` +
      'Nothing is written on top of damage: run "deedbox verify --data …" and restore a backup.',
    { cause },
  )
}

interface KeyUse {
  keyHash: Uint8Array
  fingerprint: Uint8Array
  repeatOf?: Sequenced
  amends?: string
}

/** The idempotency keys that this transaction meets: those stored before, and those it stores itself. */
class KnownKeys {
  readonly #tx: StoreTransaction
  readonly #ledger: LedgerState
  readonly #uses = new Map<string, { fingerprint: Uint8Array; result: Sequenced }[]>()
  /** To be inserted. */
  readonly fresh: IdempotencyRow[] = []

  constructor(tx: StoreTransaction, ledger: LedgerState) {
    this.#tx = tx
    this.#ledger = ledger
  }

  async lookUp(principal: string, event: Submission['event']): Promise<KeyUse> {
    const keyHash = idempotencyHash(this.#ledger.secret, principal, event.idempotencyKey ?? '')
    const fingerprint = fingerprintOf(this.#ledger.secret, event)
    const text = Buffer.from(keyHash).toString('latin1')
    let uses = this.#uses.get(text)
    if (uses === undefined) {
      uses = []
      for (const row of await this.#tx.findIdempotency(this.#ledger.ledgerId, keyHash)) {
        uses.push({ fingerprint: row.fingerprint, result: await this.#stored(row.index, event) })
      }
      this.#uses.set(text, uses)
    }
    const repeat = uses.find(use => Buffer.compare(use.fingerprint, fingerprint) === 0)
    if (repeat !== undefined) return { keyHash, fingerprint, repeatOf: repeat.result }
    const first = uses[0]
    return first === undefined
      ? { keyHash, fingerprint }
      : { keyHash, fingerprint, amends: first.result.txId }
  }

  remember(use: KeyUse, result: Sequenced): void {
    this.#uses
      .get(Buffer.from(use.keyHash).toString('latin1'))
      ?.push({ fingerprint: use.fingerprint, result })
    this.fresh.push({ keyHash: use.keyHash, fingerprint: use.fingerprint, index: result.index })
  }

  /** The answer that the event at `index` got. Its payload hash is that of the repeat: the contents are equal. */
  async #stored(index: number, event: Submission['event']): Promise<Sequenced> {
    const leaf = await this.#tx.readLeaf(this.#ledger.ledgerId, index)
    if (leaf === null) {
      throw new LedgerError(
        'edge_damaged',
        `The leaf ${index}, which an idempotency key names, is not there.`,
      )
    }
    const payloadHash = Buffer.from(sha256(Buffer.from(event.payload))).toString('hex')
    return { index, txId: parseEventLeaf(leaf).tx_id, payloadHash, duplicate: false, requestId: '' }
  }
}
