import { randomBytes } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import {
  canonicalJson,
  commitmentInput,
  encodeBase64Url,
  formatCheckpoint,
  formatEventLeaf,
  leafHash,
  type NoteSigner,
  type Part,
  parseEventLeaf,
  parts,
  RightEdge,
  saltLength,
  signNote,
} from '@deedbox/tlog'
import { nodeCrypto } from '@deedbox/tlog/node'
import { indexOfTxId, newTxId } from '../sequencer/index.ts'

const { sha256 } = nodeCrypto

/** A row of table `events` as SQLite has it: all that a leaf was made of. */
export type HistoryRow = Record<string, null | number | bigint | string | Uint8Array>

/**
 * Changes the history in a database and then everything that follows from it, so that nothing in the file
 * contradicts anything else: ids, commitments, leaves, tiles, idempotency rows, head and published
 * checkpoints. (The search index covers full segments; the lab's ledger is smaller than one.) The thief of a database can do all of that, for content and salts are in it. He cannot sign: without a
 * signer an old signature is put under the new text, unless the table holds a note with exactly that text.
 *
 * @returns the new head's note
 */
export function rewriteHistory(
  db: DatabaseSync,
  change: (rows: HistoryRow[]) => HistoryRow[],
  signer?: NoteSigner,
): string {
  const old = db.prepare('SELECT * FROM events ORDER BY position').all() as HistoryRow[]
  const base = Number(old[0]?.position)
  const { origin, ledger_id } = db.prepare('SELECT origin, ledger_id FROM ledgers').get() as HistoryRow
  const notes = new NoteDrawer(db, String(origin), signer)
  const rows = change(old.map(row => ({ ...row })))
  moveIdempotency(db, rows, base)
  db.exec('DELETE FROM events; DELETE FROM tiles; DELETE FROM checkpoints')
  const tree = RightEdge.empty(sha256)
  rows.forEach((row, index) => {
    const leaf = leafOf(row, index)
    insertRow(db, 'events', { ...row, position: base + index, leaf })
    tree.append(leafHash(sha256, leaf))
    const published = notes.published.get(tree.size)
    const note = published === undefined ? undefined : notes.genuine(tree)
    if (note !== undefined) insertRow(db, 'checkpoints', { ...published, note })
  })
  for (const { level, n, hashes } of tree.takeChangedTiles()) {
    insertRow(db, 'tiles', { ledger_id: ledger_id!, level, n, hashes })
  }
  const note = notes.genuine(tree) ?? notes.withOldSignature(tree)
  const at = Number(rows.at(-1)?.at)
  db.prepare('UPDATE heads SET size = ?, root = ?, at = ?, note = ?').run(tree.size, tree.root(), at, note)
  return note
}

/** An event that never happened, in the likeness of another. Nobody sent it, so it has no idempotency key. */
export function inventedEvent(like: HistoryRow, payload: string, at: number): HistoryRow {
  const server = JSON.parse(Buffer.from(like.server as Uint8Array).toString('utf8'))
  const { idempotency, ...rest } = server
  const salts = Object.fromEntries(parts.map(part => [`${part}_salt`, randomBytes(saltLength)]))
  return {
    ...like,
    ...salts,
    at,
    payload: Buffer.from(payload),
    server: Buffer.from(canonicalJson(rest)),
    position: -1,
  }
}

/** The leaf of a row at an index: its own bytes again if nothing of it was changed. */
function leafOf(row: HistoryRow, index: number): Buffer {
  const leaf = parseEventLeaf(row.leaf as Uint8Array)
  const tx_id = indexOfTxId(leaf.tx_id) === index ? leaf.tx_id : newTxId(index)
  const commitment = (part: Part) => {
    const input = commitmentInput(
      row[`${part}_salt`] as Uint8Array,
      leaf.ledger,
      tx_id,
      part,
      row[part] as Uint8Array,
    )
    return encodeBase64Url(sha256(input))
  }
  const committed = Object.fromEntries(parts.map(part => [part, commitment(part)])) as Record<Part, string>
  return Buffer.from(
    formatEventLeaf({ ...leaf, ...committed, tx_id, at: new Date(Number(row.at)).toISOString() }),
  )
}

/** Lets the rows of table `idempotency` follow their events, and drops those whose event is gone. */
function moveIdempotency(db: DatabaseSync, rows: HistoryRow[], base: number): void {
  const places = new Map(rows.map((row, index) => [Number(row.position) - base, index]))
  const uses = db.prepare('SELECT * FROM idempotency').all() as HistoryRow[]
  db.exec('DELETE FROM idempotency')
  for (const use of uses) {
    const [idx, first_idx] = [places.get(Number(use.idx)), places.get(Number(use.first_idx))]
    if (idx !== undefined && first_idx !== undefined) {
      insertRow(db, 'idempotency', { ...use, idx, first_idx })
    }
  }
}

/** Inserts a row as it was read, whatever columns it has. */
export function insertRow(db: DatabaseSync, table: string, row: HistoryRow): void {
  const columns = Object.keys(row)
  const values = columns.map(name => row[name] ?? null)
  db.prepare(
    `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
  ).run(...values)
}

/** The signed notes that lie in a database, and the means to make more. */
class NoteDrawer {
  readonly published: ReadonlyMap<number, HistoryRow>
  readonly #origin: string
  readonly #signer: NoteSigner | undefined
  readonly #found: string[]

  constructor(db: DatabaseSync, origin: string, signer: NoteSigner | undefined) {
    const rows = db.prepare('SELECT * FROM checkpoints ORDER BY size').all() as HistoryRow[]
    this.published = new Map(rows.map(row => [Number(row.size), row]))
    this.#found = [...rows, db.prepare('SELECT note FROM heads').get() as HistoryRow].map(row =>
      String(row.note),
    )
    this.#origin = origin
    this.#signer = signer
  }

  /** A note for this tree whose signature fits, if one was found or can be made. */
  genuine(tree: RightEdge): string | undefined {
    const text = this.#text(tree)
    const found = this.#found.find(note => note.startsWith(`${text}\n`))
    return this.#signer === undefined ? found : signNote(text, [this.#signer])
  }

  /** The text for this tree over the newest signature that was found. */
  withOldSignature(tree: RightEdge): string {
    const newest = this.#found.at(-1) ?? ''
    return this.#text(tree) + newest.slice(newest.indexOf('\n\n') + 1)
  }

  #text(tree: RightEdge): string {
    return formatCheckpoint({ origin: this.#origin, size: tree.size, root: tree.root() })
  }
}
