import type { DatabaseSync, StatementSync } from 'node:sqlite'
import type { ApiKeyRow, EventRow, HeadRow } from '../store.ts'
import { eventColumns, type SqliteRow, toApiKeyRow, toEventRow, toHeadRow } from './rows.ts'
import { positionOf } from './schema.ts'

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
      .prepare(`SELECT ${safe('size')}, root, ${safe('at')}, note FROM heads WHERE ledger_id = ?`)
      .get(ledgerId)
    return row === undefined ? null : toHeadRow(row as SqliteRow)
  }

  /** Every checkpoint that was ever public, smallest first. */
  *publishedCheckpoints(ledgerId: number): Generator<{ size: number; note: string }> {
    const statement = this.#db.prepare(
      `SELECT ${safe('size')}, note FROM checkpoints WHERE ledger_id = ? ORDER BY checkpoints.size`,
    )
    for (const row of statement.iterate(ledgerId)) yield { size: Number(row.size), note: String(row.note) }
  }

  /** All rows in the ledger's range in order; a generator, so memory stays flat. */
  *events(ledgerId: number): Generator<EventRow & { ledgerColumn: number }> {
    const columns = eventColumns.map(name => (name === 'at' || name === 'ledger_id' ? safe(name) : name))
    const statement = this.#db.prepare(
      `SELECT ${columns.join(', ')} FROM events WHERE position >= ? AND position < ? ORDER BY position`,
    )
    for (const row of statement.iterate(positionOf(ledgerId, 0), positionOf(ledgerId + 1, 0))) {
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
      `SELECT key_hash, ${safe('idx')}, ${safe('first_idx')} FROM idempotency WHERE ledger_id = ?`,
    )
    for (const row of statement.iterate(ledgerId)) {
      const keyHash = row.key_hash as Uint8Array
      yield { keyHash, index: Number(row.idx), firstIndex: Number(row.first_idx) }
    }
  }

  /** The rows of one segment of the search index: terms and positions. */
  *terms(segment: number): Generator<[term: number, position: number]> {
    const statement = this.#db.prepare(
      `SELECT ${safe('term')}, ${safe('position')} FROM event_terms WHERE segment = ?`,
    )
    for (const row of statement.iterate(segment)) yield [Number(row.term), Number(row.position)]
  }

  /** How many rows of the search index stand outside these segments. */
  termsOutside(first: number, last: number): number {
    return this.#count('SELECT count(*) AS n FROM event_terms WHERE segment NOT BETWEEN ? AND ?', first, last)
  }

  /** The API keys of every ledger of the file: a key is looked up by its hash alone. */
  *apiKeys(): Generator<ApiKeyRow> {
    const numbers = ['ledger_id', 'created_at', 'expires_at', 'revoked_at', 'last_used_at']
      .map(safe)
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
      .prepare(`SELECT ${safe('size')} FROM heads WHERE ledger_id <> ?`)
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

function safe(column: string): string {
  return `CASE WHEN ${column} IS NULL OR ${column} BETWEEN 0 AND ${Number.MAX_SAFE_INTEGER} THEN ${column} ELSE -1 END AS ${column}`
}

function rows(n: number): string {
  return n === 1 ? '1 row' : `${n} rows`
}
