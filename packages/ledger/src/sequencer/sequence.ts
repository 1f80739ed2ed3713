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
import type { EventRow, HeadRow, IdempotencyRow, StoreTransaction } from '../store/index.ts'
import { applyAdminChange, type Refused } from './admin-change.ts'
import { checkExtends } from './check-extends.ts'
import { type DedupSecret, fingerprintOf, idempotencyHash } from './idempotency.ts'
import { buildLeaf } from './leaf-builder.ts'
import { ProducerNotes } from './producer-notes.ts'
import type { Sequenced, Submission } from './submission.ts'
import { newTxId } from './tx-id.ts'

const { sha256 } = nodeCrypto

/** Rows are handed to the store in portions, so that a large batch is not in memory twice. */
const rowsPerInsert = 256

/** One ledger as the sequencer holds it between transactions. */
export interface LedgerState {
  readonly ledgerId: number
  readonly origin: string
  readonly signers: NoteSigner[]
  readonly secret: DedupSecret
  /** The right edge of the tree at `head`; dropped whenever another process or a failure may have moved it. */
  edge: { head: HeadRow; tree: RightEdge } | undefined
  /** The newest head that this process knows to be committed. Never dropped: every later head has to extend it. */
  seen: HeadRow
}

/**
 * Sequences a batch inside one transaction: reads the head, gives each new submission the next index, stores
 * leaves, tiles and the signed head. The caller holds the only write lock of the database, so what is read here
 * is still true at the commit; the compare-and-swap on the head is the second line of defence (pitfall P3).
 *
 * An administrative change that no longer applies is refused alone, without a leaf.
 *
 * @returns one result per submission, in order, and the new head (the old one when nothing was new)
 * @throws LedgerError `edge_damaged` when the stored tiles do not hash to the stored root
 */
export async function sequence(
  tx: StoreTransaction,
  ledger: LedgerState,
  submissions: readonly Submission[],
  now: number,
): Promise<{ results: (Sequenced | Refused)[]; head: HeadRow }> {
  const from = await tx.head(ledger.ledgerId)
  const tree = await currentTree(tx, ledger, from)
  const at = Math.max(now, from.at)
  const known = new KnownKeys(tx, ledger)
  const producers = new ProducerNotes()
  let rows: EventRow[] = []
  const results: (Sequenced | Refused)[] = []
  for (const submission of submissions) {
    const { event, principal, requestId, adminChange } = submission
    if (adminChange !== undefined) {
      const refused = await applyAdminChange(tx, adminChange, at)
      if (refused !== undefined) {
        results.push(refused)
        continue
      }
    }
    const use = event.idempotencyKey === undefined ? undefined : await known.lookUp(principal, event)
    if (use?.repeatOf !== undefined) {
      results.push({ ...use.repeatOf, duplicate: true, requestId })
      continue
    }
    const index = tree.size
    const leaf = buildLeaf(
      { origin: ledger.origin, index, txId: newTxId(index), at, kind: submission.kind },
      event,
      {
        principal,
        request_id: requestId,
        ...(use === undefined ? {} : { idempotency: Buffer.from(use.keyHash).toString('base64url') }),
        ...(use?.first === undefined ? {} : { amends: use.first.txId }),
      },
    )
    rows.push(leaf.row)
    producers.add(principal, event.producer, event.columns)
    tree.append(leafHash(sha256, leaf.row.leaf))
    if (rows.length === rowsPerInsert) {
      await tx.insertEvents(ledger.ledgerId, rows)
      rows = []
    }
    const result = { index, txId: leaf.txId, payloadHash: leaf.payloadHash, duplicate: false, requestId }
    results.push(use?.first === undefined ? result : { ...result, amends: use.first.txId })
    if (use !== undefined) known.remember(use, result)
  }
  if (tree.size === from.size) {
    ledger.edge = { head: from, tree }
    return { results, head: from }
  }

  await tx.insertEvents(ledger.ledgerId, rows)
  await tx.insertIdempotency(ledger.ledgerId, known.fresh)
  await producers.store(tx, ledger.ledgerId, at)
  return { results, head: await moveTree(tx, ledger, from, tree, at) }
}

/** Stores what the appended leaves change in the tree: tiles and the signed head, guarded by compare-and-swap. */
export async function moveTree(
  tx: StoreTransaction,
  ledger: LedgerState,
  from: HeadRow,
  tree: RightEdge,
  at: number,
): Promise<HeadRow> {
  const root = tree.root()
  const note = signNote(formatCheckpoint({ origin: ledger.origin, size: tree.size, root }), ledger.signers)
  const head: HeadRow = { size: tree.size, root, at, note }
  await tx.writeTiles(ledger.ledgerId, tree.takeChangedTiles())
  if (!(await tx.moveHead(ledger.ledgerId, from, head))) {
    throw new LedgerError('overloaded', 'Another process moved the head of the ledger. Send the event again.')
  }
  ledger.edge = { head, tree }
  return head
}

/**
 * The tree at `head`: the cached one if no other process moved on, else loaded from the tiles and checked.
 *
 * @throws LedgerError `edge_damaged`, `rolled_back`, `fork`
 */
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
  await checkExtends(tx, ledger.ledgerId, ledger.seen, head)
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
      'Nothing is written on top of damage: run "deedbox verify --data …", move the file away and put a backup back ' +
      'with "deedbox restore <backup> --data …".',
    { cause },
  )
}

interface KeyUse {
  keyHash: Uint8Array
  fingerprint: Uint8Array
  repeatOf?: Sequenced
  /** The first event under the key, when this content is new under it. */
  first?: { index: number; txId: string }
}

/** The idempotency keys that this transaction meets: those stored before, and those it stores itself. */
class KnownKeys {
  readonly #tx: StoreTransaction
  readonly #ledger: LedgerState
  /** By key hash: the first event under the key, and what this transaction adds under it, by fingerprint. */
  readonly #own = new Map<
    string,
    { first: { index: number; txId: string }; results: Map<string, Sequenced> }
  >()
  /** To be inserted. */
  readonly fresh: IdempotencyRow[] = []

  constructor(tx: StoreTransaction, ledger: LedgerState) {
    this.#tx = tx
    this.#ledger = ledger
  }

  async lookUp(principal: string, event: Submission['event']): Promise<KeyUse> {
    const keyHash = idempotencyHash(this.#ledger.secret, principal, event.idempotencyKey ?? '')
    const fingerprint = fingerprintOf(this.#ledger.secret, event)
    const own = this.#own.get(nameOf(keyHash))
    const repeatOf = own?.results.get(nameOf(fingerprint))
    if (repeatOf !== undefined) return { keyHash, fingerprint, repeatOf }
    const row = await this.#tx.findIdempotency(this.#ledger.ledgerId, keyHash, fingerprint)
    if (row !== null && Buffer.compare(row.fingerprint, fingerprint) === 0) {
      const txId = await this.#txIdAt(row.index)
      const payloadHash = Buffer.from(sha256(Buffer.from(event.payload))).toString('hex')
      const stored = { index: row.index, txId, payloadHash, duplicate: false, requestId: '' }
      return { keyHash, fingerprint, repeatOf: stored }
    }
    if (row === null)
      return own === undefined ? { keyHash, fingerprint } : { keyHash, fingerprint, first: own.first }
    const first = { index: row.firstIndex, txId: await this.#txIdAt(row.firstIndex) }
    return { keyHash, fingerprint, first }
  }

  remember({ keyHash, fingerprint, first }: KeyUse, result: Sequenced): void {
    const name = nameOf(keyHash)
    const own = this.#own.get(name) ?? { first: first ?? result, results: new Map<string, Sequenced>() }
    own.results.set(nameOf(fingerprint), result)
    this.#own.set(name, own)
    this.fresh.push({ keyHash, fingerprint, index: result.index, firstIndex: own.first.index })
  }

  async #txIdAt(index: number): Promise<string> {
    const leaf = await this.#tx.readLeaf(this.#ledger.ledgerId, index)
    if (leaf !== null) return parseEventLeaf(leaf).tx_id
    throw new LedgerError('edge_damaged', `The leaf ${index}, which an idempotency key names, is not there.`)
  }
}

function nameOf(hash: Uint8Array): string {
  return Buffer.from(hash).toString('latin1')
}
