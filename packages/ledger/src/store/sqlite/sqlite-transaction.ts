import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { columnNames, type EventColumns } from '../../events/index.ts'
import type { ProducerRow } from '../../producers/index.ts'
import type {
  ApiKeyRow,
  EventRow,
  HeadRow,
  IdempotencyRow,
  KeyUse,
  LedgerRow,
  RawLeafRow,
  StoreTransaction,
  TileRow,
} from '../store.ts'
import { ProducerTable } from './producer-table.ts'
import { eventColumns, type SqliteRow, toApiKeyRow, toHeadRow, toLedgerRow } from './rows.ts'
import { indexedColumns, maxLedgerId, positionOf, segmentOf, segmentRange } from './schema.ts'
import { segmentEntries } from './terms.ts'

/** Rows of the search index that one statement inserts: a call for each costs more than twice as much. */
const termsPerInsert = 50

/** The statements of the write path, prepared once per connection. */
export class SqliteTransaction implements StoreTransaction {
  readonly #db: DatabaseSync
  readonly #head: StatementSync
  readonly #moveHead: StatementSync
  readonly #readTile: StatementSync
  readonly #writeTile: StatementSync
  readonly #insertEvent: StatementSync
  readonly #insertRawLeaf: StatementSync
  readonly #columnsOfSegment: StatementSync
  readonly #insertTerms: StatementSync
  readonly #insertTerm: StatementSync
  readonly #readLeaf: StatementSync
  readonly #exactUse: StatementSync
  readonly #anyUse: StatementSync
  readonly #insertIdempotency: StatementSync
  readonly #publishCheckpoint: StatementSync
  readonly #producers: ProducerTable

  constructor(db: DatabaseSync) {
    this.#db = db
    this.#producers = new ProducerTable(db)
    this.#head = db.prepare('SELECT size, root, at, note FROM heads WHERE ledger_id = ?')
    this.#moveHead = db.prepare(
      'UPDATE heads SET size = ?, root = ?, at = ?, note = ? WHERE ledger_id = ? AND size = ? AND root = ?',
    )
    this.#readTile = db.prepare('SELECT hashes FROM tiles WHERE ledger_id = ? AND level = ? AND n = ?')
    this.#writeTile = db.prepare(
      `INSERT INTO tiles (ledger_id, level, n, hashes) VALUES (?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET hashes = excluded.hashes`,
    )
    this.#insertEvent = db.prepare(
      `INSERT INTO events (${eventColumns.join(', ')}) VALUES (${eventColumns.map(() => '?').join(', ')})`,
    )
    this.#insertRawLeaf = db.prepare(
      `INSERT INTO events (position, ledger_id, leaf, at, kind) VALUES (?, ?, ?, ?, 'raw')`,
    )
    this.#columnsOfSegment = db.prepare(
      `SELECT ${indexedColumns.join(', ')} FROM events WHERE position BETWEEN ? AND ? ORDER BY position`,
    )
    const insertTerms = 'INSERT INTO event_terms (segment, term, position) VALUES '
    this.#insertTerm = db.prepare(`${insertTerms}(?, ?, ?)`)
    this.#insertTerms = db.prepare(insertTerms + Array(termsPerInsert).fill('(?, ?, ?)').join(', '))
    this.#readLeaf = db.prepare('SELECT leaf FROM events WHERE position = ?')
    // Two looks at the edge of one tree, however often a key was amended.
    this.#exactUse = db.prepare(
      'SELECT * FROM idempotency WHERE ledger_id = ? AND key_hash = ? AND fingerprint = ?',
    )
    this.#anyUse = db.prepare('SELECT * FROM idempotency WHERE ledger_id = ? AND key_hash = ? LIMIT 1')
    this.#insertIdempotency = db.prepare(
      'INSERT INTO idempotency (ledger_id, key_hash, fingerprint, idx, first_idx) VALUES (?, ?, ?, ?, ?)',
    )
    this.#publishCheckpoint = db.prepare(
      'INSERT INTO checkpoints (ledger_id, size, note, at) VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
    )
  }

  ledgers(): LedgerRow[] {
    const rows = this.#db.prepare('SELECT * FROM ledgers ORDER BY ledger_id').all()
    return rows.map(row => toLedgerRow(row as SqliteRow))
  }

  createLedger(row: Omit<LedgerRow, 'ledgerId'>, head: HeadRow): number {
    const created = this.#db
      .prepare(
        `INSERT INTO ledgers (name, origin, kind, created_at, verifier_keys, dedup_check)
         VALUES (?, ?, ?, ?, ?, ?)`,
      )
      .run(row.name, row.origin, row.kind, row.createdAt, row.verifierKeys.join('\n'), row.dedupCheck)
    const ledgerId = Number(created.lastInsertRowid)
    if (ledgerId > maxLedgerId) throw new RangeError(`A file holds at most ${maxLedgerId} ledgers.`)
    this.#db
      .prepare('INSERT INTO heads (ledger_id, size, root, at, note) VALUES (?, ?, ?, ?, ?)')
      .run(ledgerId, head.size, head.root, head.at, head.note)
    return ledgerId
  }

  head(ledgerId: number): HeadRow {
    const row = this.#head.get(ledgerId)
    if (row === undefined) throw new RangeError(`Ledger ${ledgerId} has no head.`)
    return toHeadRow(row as SqliteRow)
  }

  moveHead(ledgerId: number, from: HeadRow, to: HeadRow): boolean {
    const { changes } = this.#moveHead.run(to.size, to.root, to.at, to.note, ledgerId, from.size, from.root)
    return changes === 1
  }

  readTile(ledgerId: number, level: number, n: number): Uint8Array | null {
    return (this.#readTile.get(ledgerId, level, n)?.hashes as Uint8Array | undefined) ?? null
  }

  writeTiles(ledgerId: number, tiles: TileRow[]): void {
    for (const tile of tiles) this.#writeTile.run(ledgerId, tile.level, tile.n, tile.hashes)
  }

  insertEvents(ledgerId: number, rows: EventRow[]): void {
    for (const row of rows) {
      const { columns } = row
      this.#insertEvent.run(
        positionOf(ledgerId, row.index),
        ledgerId,
        row.leaf,
        row.coreSalt,
        row.core,
        row.contextSalt,
        row.context,
        row.payloadSalt,
        row.payload,
        row.serverSalt,
        row.server,
        row.at,
        row.kind,
        ...columnNames.map(name => columns[name]),
      )
    }
    for (const row of rows) {
      const position = positionOf(ledgerId, row.index)
      const segment = segmentOf(position)
      if (position === segmentRange(segment)[1]) this.#indexSegment(segment)
    }
  }

  #indexSegment(segment: number): void {
    const columns = this.#columnsOfSegment.all(...segmentRange(segment)) as Partial<EventColumns>[]
    let values: number[] = []
    for (const entry of segmentEntries(segment, columns)) {
      values.push(...entry)
      if (values.length < 3 * termsPerInsert) continue
      this.#insertTerms.run(...values)
      values = []
    }
    for (let i = 0; i < values.length; i += 3) this.#insertTerm.run(...values.slice(i, i + 3))
  }

  insertRawLeaves(ledgerId: number, rows: RawLeafRow[]): void {
    for (const { index, leaf, at } of rows) {
      this.#insertRawLeaf.run(positionOf(ledgerId, index), ledgerId, leaf, at)
    }
  }

  readLeaf(ledgerId: number, index: number): Uint8Array | null {
    return (this.#readLeaf.get(positionOf(ledgerId, index))?.leaf as Uint8Array | undefined) ?? null
  }

  findIdempotency(ledgerId: number, keyHash: Uint8Array, fingerprint: Uint8Array): IdempotencyRow | null {
    // Most keys are new, so that is asked first.
    const any = this.#anyUse.get(ledgerId, keyHash)
    if (any === undefined) return null
    const row = this.#exactUse.get(ledgerId, keyHash, fingerprint) ?? any
    return {
      keyHash,
      fingerprint: row.fingerprint as Uint8Array,
      index: Number(row.idx),
      firstIndex: Number(row.first_idx),
    }
  }

  insertIdempotency(ledgerId: number, rows: IdempotencyRow[]): void {
    for (const { keyHash, fingerprint, index, firstIndex } of rows) {
      this.#insertIdempotency.run(ledgerId, keyHash, fingerprint, index, firstIndex)
    }
  }

  publishCheckpoint(ledgerId: number, size: number, note: string, at: number): void {
    this.#publishCheckpoint.run(ledgerId, size, note, at)
  }

  insertApiKey(row: ApiKeyRow): void {
    this.#db
      .prepare(
        `INSERT INTO api_keys (key_id, ledger_id, principal, name, hash, scopes, created_at, expires_at,
           revoked_at, replaced_by, last_used_at)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
      )
      .run(
        row.keyId,
        row.ledgerId,
        row.principal,
        row.name,
        row.hash,
        row.scopes.join(' '),
        row.createdAt,
        row.expiresAt,
        row.revokedAt,
        row.replacedBy,
        row.lastUsedAt,
      )
  }

  apiKeyByHash(hash: Uint8Array): ApiKeyRow | null {
    const row = this.#db.prepare('SELECT * FROM api_keys WHERE hash = ?').get(hash)
    return row === undefined ? null : toApiKeyRow(row as SqliteRow)
  }

  apiKey(keyId: string): ApiKeyRow | null {
    const row = this.#db.prepare('SELECT * FROM api_keys WHERE key_id = ?').get(keyId)
    return row === undefined ? null : toApiKeyRow(row as SqliteRow)
  }

  updateApiKey({ keyId, expiresAt, revokedAt, replacedBy }: ApiKeyRow): void {
    this.#db
      .prepare('UPDATE api_keys SET expires_at = ?, revoked_at = ?, replaced_by = ? WHERE key_id = ?')
      .run(expiresAt, revokedAt, replacedBy, keyId)
  }

  touchApiKeys(uses: readonly KeyUse[]): void {
    const touch = this.#db.prepare(
      'UPDATE api_keys SET last_used_at = ?1 WHERE key_id = ?2 AND (last_used_at IS NULL OR last_used_at < ?1)',
    )
    for (const { keyId, at } of uses) touch.run(at, keyId)
  }

  producer(ledgerId: number, principal: string, producerId: string): ProducerRow | null {
    return this.#producers.find(ledgerId, principal, producerId)
  }

  saveProducer(ledgerId: number, row: ProducerRow): void {
    this.#producers.save(ledgerId, row)
  }

  pruneProducers(ledgerId: number, principal: string, most: number): void {
    this.#producers.prune(ledgerId, principal, most)
  }
}
