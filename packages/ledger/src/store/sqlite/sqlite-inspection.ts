import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { ApiKeyRow, EventRow, HeadRow } from '../store.ts'
import { exact, type PackedRow, packedRows, valuesOf } from './packed-rows.ts'
import { eventColumns, type SqliteRow, toApiKeyRow, toEventRow, toHeadRow } from './rows.ts'
import { indexedColumns, positionOf, segmentRange } from './schema.ts'

/** At most this many lines of SQLite's own check are of use to anybody. */
const integrityLines = 10

/** Tables whose rows belong to a ledger by `ledger_id` alone. */
const tablesByLedger = ['heads', 'tiles', 'checkpoints', 'idempotency', 'api_keys'] as const

/**
 * What full verification reads of a ledger file. It believes nothing: an integer that no ledger would have written
 * (negative, or above 2^53 - 1) is read as -1 instead of failing.
 */
export class SqliteInspection {
  readonly #db: DatabaseSync
  readonly #server: StatementSync

  /** Use {@link SqliteReader.inspection}. */
  constructor(db: DatabaseSync) {
    this.#db = db
    this.#server = db.prepare('SELECT server FROM events WHERE position = ?')
  }

  head(ledgerId: number): HeadRow | null {
    const row = this.#db
      .prepare(`SELECT ${exact('size')}, root, ${exact('at')}, note FROM heads WHERE ledger_id = ?`)
      .get(ledgerId)
    return row === undefined ? null : toHeadRow(row as SqliteRow)
  }

  /** Every checkpoint that was ever public, smallest first. */
  *publishedCheckpoints(ledgerId: number): Generator<{ size: number; note: string }> {
    const statement = this.#db.prepare(
      `SELECT ${exact('size')}, note FROM checkpoints WHERE ledger_id = ? ORDER BY checkpoints.size`,
    )
    for (const row of statement.iterate(ledgerId)) yield { size: Number(row.size), note: String(row.note) }
  }

  /** The events of `[from, to)` in order, each part in one piece with the others; for speed. */
  packedEvents(ledgerId: number, from: number, to: number): Generator<PackedRow> {
    return packedRows(this.#db, ledgerId, from, to)
  }

  /** Whether the ledger has a row at this index or after it, and the first one. */
  firstIndexFrom(ledgerId: number, from: number): number | undefined {
    const row = this.#db
      .prepare('SELECT min(position) - ?1 AS idx FROM events WHERE position >= ?1 + ?2 AND position < ?3')
      .get(positionOf(ledgerId, 0), from, positionOf(ledgerId + 1, 0))
    return row?.idx === null ? undefined : Number(row?.idx)
  }

  /** The rows of `[from, to)` in order; a generator, so memory stays flat. */
  *events(ledgerId: number, from: number, to: number): Generator<EventRow & { ledgerColumn: number }> {
    const columns = eventColumns.map(name => (name === 'at' || name === 'ledger_id' ? exact(name) : name))
    const statement = this.#db.prepare(
      `SELECT ${columns.join(', ')} FROM events WHERE position >= ? AND position < ? ORDER BY position`,
    )
    for (const row of statement.iterate(positionOf(ledgerId, from), positionOf(ledgerId, to))) {
      yield { ...toEventRow(ledgerId, row as SqliteRow), ledgerColumn: Number(row.ledger_id) }
    }
  }

  /** The `server` part of an event, unchecked, or null. */
  serverPart(ledgerId: number, index: number): Uint8Array | null {
    return (this.#server.get(positionOf(ledgerId, index))?.server as Uint8Array | null | undefined) ?? null
  }

  tileCount(ledgerId: number): number {
    return this.#count('SELECT count(*) AS n FROM tiles WHERE ledger_id = ?', ledgerId)
  }

  *idempotency(ledgerId: number): Generator<{ keyHash: Uint8Array; index: number; firstIndex: number }> {
    const statement = this.#db.prepare(
      `SELECT key_hash, ${exact('idx')}, ${exact('first_idx')} FROM idempotency WHERE ledger_id = ?`,
    )
    for (const [keyHash, index, firstIndex] of valuesOf(statement, ledgerId)) {
      yield { keyHash: keyHash as Uint8Array, index: Number(index), firstIndex: Number(firstIndex) }
    }
  }

  /**
   * The rows of one segment of the search index: terms, and beside each its position. At most one row more than its
   * events can have, so that a stuffed table does not fill the memory.
   */
  terms(segment: number): { terms: readonly unknown[]; positions: readonly unknown[] } {
    const [first, last] = segmentRange(segment)
    const most = (last - first + 1) * indexedColumns.length + 1
    const row = this.#db
      .prepare(
        'SELECT json_group_array(term) AS terms, json_group_array(position) AS positions' +
          ' FROM (SELECT term, position FROM event_terms WHERE segment = ? LIMIT ?)',
      )
      .get(segment, most)
    return { terms: JSON.parse(String(row?.terms)), positions: JSON.parse(String(row?.positions)) }
  }

  /** How many rows of the search index stand outside these segments. */
  termsOutside(first: number, last: number): number {
    return (
      this.#count('SELECT count(*) AS n FROM event_terms WHERE segment < ?', first) +
      this.#count('SELECT count(*) AS n FROM event_terms WHERE segment > ?', last)
    )
  }

  /** The API keys of every ledger of the file: a key is looked up by its hash alone. */
  *apiKeys(): Generator<ApiKeyRow> {
    const numbers = ['ledger_id', 'created_at', 'expires_at', 'revoked_at', 'last_used_at']
      .map(exact)
      .join(', ')
    const statement = this.#db.prepare(
      `SELECT key_id, principal, name, hash, scopes, replaced_by, ${numbers} FROM api_keys ORDER BY key_id`,
    )
    for (const row of statement.iterate()) yield toApiKeyRow(row as SqliteRow)
  }

  /** Rows that belong to no ledger of the file, each kind as a sentence. */
  strayRows(ledgerId: number): string[] {
    const problems: string[] = []
    for (const table of tablesByLedger) {
      const n = this.#count(
        `SELECT count(*) AS n FROM ${table} WHERE ledger_id NOT IN (SELECT ledger_id FROM ledgers)`,
      )
      if (n > 0) problems.push(`Table ${table} has ${rows(n)} of a ledger that is not in table ledgers.`)
    }
    const headless = this.#count(
      'SELECT count(*) AS n FROM ledgers WHERE ledger_id NOT IN (SELECT ledger_id FROM heads)',
    )
    if (headless > 0) problems.push(`Table ledgers has ${rows(headless)} without a row in table heads.`)
    const outside =
      this.#count('SELECT count(*) AS n FROM events WHERE position < ?', positionOf(ledgerId, 0)) +
      this.#count('SELECT count(*) AS n FROM events WHERE position >= ?', positionOf(ledgerId + 1, 0))
    const signed = this.#db
      .prepare(`SELECT ${exact('size')} FROM heads WHERE ledger_id <> ?`)
      .all(ledgerId)
      .reduce((sum, row) => sum + Number(row.size), 0)
    if (outside !== signed)
      problems.push(
        `Table events has ${rows(outside)} outside this ledger's positions; the heads of other ledgers cover ${signed}.`,
      )
    return problems
  }

  #count(sql: string, ...values: number[]): number {
    return Number(this.#db.prepare(sql).get(...values)?.n)
  }
}

/** What SQLite says about its own pages, and whether each index holds exactly its table's rows; empty: nothing. */
export function integrityProblems(db: DatabaseSync): string[] {
  return db
    .prepare(`PRAGMA integrity_check(${integrityLines})`)
    .all()
    .map(row => String(Object.values(row)[0]))
    .filter(line => line !== 'ok')
}

function rows(n: number): string {
  return n === 1 ? '1 row' : `${n} rows`
}
