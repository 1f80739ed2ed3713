import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { LedgerError } from '../../errors.ts'
import type { EventColumns } from '../../events/index.ts'
import type { ApiKeyRow, EventRow, HeadRow, LedgerRow } from '../store.ts'
import { openForReading } from './connection.ts'
import { type SqliteRow, toApiKeyRow, toEventRow, toHeadRow, toLedgerRow } from './rows.ts'
import { indexOf, positionOf } from './schema.ts'
import { type SchemaDifference, schemaDifferences } from './schema-check.ts'
import { integrityProblems, SqliteInspection } from './sqlite-inspection.ts'

/** What a page of a search asks the store for; indices are of the ledger, both ends of the range included. */
export interface ScanRequest {
  ledgerId: number
  equals: Partial<EventColumns>
  kind?: EventRow['kind']
  from: number
  to: number
  newestFirst: boolean
  limit: number
}

/** What a scan found: at most `limit` rows, and where the next one goes on, or null when the range is exhausted. */
export interface ScanResult {
  rows: EventRow[]
  next: number | null
}

/**
 * Indexed columns, the most selective first: the first one that a search names leads it. SQLite would guess, as
 * it has no statistics here, and a wrong guess reads millions of rows.
 */
const leading: readonly (keyof EventColumns)[] = [
  'request_id',
  'trace_id',
  'correlation_id',
  'immutable_trail',
  'subject',
  'actor_id',
  'event_name',
  'service',
  'type',
]

/** Rows that one scan looks at before it hands back what it has, so that no search holds the thread for long. */
const scanLimit = 20_000

/** Content of one page, in bytes as stored; one event more may come on top. */
const pageBytes = 1024 * 1024

/** The read side of a ledger file: a connection of its own that sees the last committed state. Synchronous. */
export class SqliteReader {
  readonly #db: DatabaseSync
  readonly #statements = new Map<string, StatementSync>()

  constructor(db: DatabaseSync) {
    this.#db = db
  }

  ledgers(): LedgerRow[] {
    return this.#prepare('SELECT * FROM ledgers ORDER BY ledger_id')
      .all()
      .map(row => toLedgerRow(row as SqliteRow))
  }

  /** @throws LedgerError `edge_damaged` when somebody deleted it: a ledger has one from its creation on */
  head(ledgerId: number): HeadRow {
    const row = this.#prepare('SELECT size, root, at, note FROM heads WHERE ledger_id = ?').get(ledgerId)
    if (row === undefined)
      throw new LedgerError('edge_damaged', `Table heads has no row of ledger ${ledgerId}.`)
    return toHeadRow(row as SqliteRow)
  }

  /** The newest public checkpoint, or null before the first. */
  publishedCheckpoint(ledgerId: number): string | null {
    const row = this.#prepare(
      'SELECT note FROM checkpoints WHERE ledger_id = ? ORDER BY size DESC LIMIT 1',
    ).get(ledgerId)
    return row === undefined ? null : String(row.note)
  }

  tile(ledgerId: number, level: number, n: number): Uint8Array | null {
    const row = this.#prepare('SELECT hashes FROM tiles WHERE ledger_id = ? AND level = ? AND n = ?').get(
      ledgerId,
      level,
      n,
    )
    return (row?.hashes as Uint8Array | undefined) ?? null
  }

  /** The leaves of `[from, to)`, as far as they are there. */
  leaves(ledgerId: number, from: number, to: number): Uint8Array[] {
    return this.#prepare('SELECT leaf FROM events WHERE position >= ? AND position < ? ORDER BY position')
      .all(positionOf(ledgerId, from), positionOf(ledgerId, to))
      .map(row => row.leaf as Uint8Array)
  }

  event(ledgerId: number, index: number): EventRow | null {
    const row = this.#prepare('SELECT * FROM events WHERE position = ?').get(positionOf(ledgerId, index))
    return row === undefined ? null : toEventRow(ledgerId, row as SqliteRow)
  }

  /** The smallest index whose `at` is not before `time` (milliseconds); `size` if there is none. */
  firstAtOrAfter(ledgerId: number, size: number, time: number): number {
    const at = this.#prepare('SELECT at FROM events WHERE position = ?')
    let low = 0
    let high = size
    while (low < high) {
      const middle = Math.floor((low + high) / 2)
      if (Number(at.get(positionOf(ledgerId, middle))?.at) < time) low = middle + 1
      else high = middle
    }
    return low
  }

  /** One page of a search. */
  scan(request: ScanRequest): ScanResult {
    const { ledgerId, equals, newestFirst, limit } = request
    const given = Object.entries(equals).filter(([, value]) => value !== undefined && value !== null)
    const leader = leading.find(name => given.some(([column]) => column === name))
    const rest = given.filter(([column]) => column !== leader)
    const checked = [...rest.map(([column]) => column), 'kind']
    const sql =
      `SELECT position, ${checked.join(', ')} FROM events ${leader === undefined ? '' : `INDEXED BY events_by_${leader}`}` +
      ` WHERE ${leader === undefined ? '' : `ledger_id = ? AND ${leader} = ? AND `}position BETWEEN ? AND ?` +
      ` ORDER BY position ${newestFirst ? 'DESC' : 'ASC'}`
    const bound = leader === undefined ? [] : [ledgerId, equals[leader] ?? null]
    const found: number[] = []
    let scanned = 0
    for (const row of this.#db
      .prepare(sql)
      .iterate(...bound, positionOf(ledgerId, request.from), positionOf(ledgerId, request.to))) {
      const index = indexOf(ledgerId, Number(row.position))
      if (found.length === limit || scanned === scanLimit) return this.#page(ledgerId, found, index)
      scanned++
      const fits =
        (request.kind === undefined || row.kind === request.kind) &&
        rest.every(([column, value]) => row[column] === value)
      if (fits) found.push(index)
    }
    return this.#page(ledgerId, found, null)
  }

  apiKeyByHash(hash: Uint8Array): ApiKeyRow | null {
    const row = this.#prepare('SELECT * FROM api_keys WHERE hash = ?').get(hash)
    return row === undefined ? null : toApiKeyRow(row as SqliteRow)
  }

  /** The keys of a ledger, oldest first. */
  apiKeys(ledgerId: number): ApiKeyRow[] {
    return this.#prepare('SELECT * FROM api_keys WHERE ledger_id = ? ORDER BY created_at, key_id')
      .all(ledgerId)
      .map(row => toApiKeyRow(row as SqliteRow))
  }

  apiKeyCount(ledgerId: number): number {
    return Number(
      this.#prepare('SELECT count(*) AS n FROM api_keys WHERE ledger_id = ?').get(ledgerId)?.n ?? 0,
    )
  }

  /** Runs `work` on one unchanging snapshot, while writers go on. */
  snapshot<T>(work: () => T): T {
    this.#db.exec('BEGIN')
    try {
      return work()
    } finally {
      this.#db.exec('COMMIT')
    }
  }

  /** What full verification reads; only on a file without unreadable differences of `schemaDifferences`. */
  inspection(): SqliteInspection {
    return new SqliteInspection(this.#db)
  }

  /** How the file's tables, indexes and triggers differ from those of a new ledger. */
  schemaDifferences(): SchemaDifference[] {
    return schemaDifferences(this.#db)
  }

  /** What SQLite's full check says, indexes included; empty when nothing is wrong. Reads the whole file. */
  integrityProblems(): string[] {
    return integrityProblems(this.#db)
  }

  close(): void {
    this.#db.close()
  }

  /** Reads the rows found, and ends the page early when their content is large: an answer is held in memory. */
  #page(ledgerId: number, indices: readonly number[], next: number | null): ScanResult {
    const rows: EventRow[] = []
    let bytes = 0
    for (const index of indices) {
      if (bytes > pageBytes) return { rows, next: index }
      const row = this.event(ledgerId, index)
      if (row === null) continue
      rows.push(row)
      bytes += (row.payload?.length ?? 0) + (row.core?.length ?? 0) + (row.context?.length ?? 0)
    }
    return { rows, next }
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql)
    if (statement === undefined) {
      statement = this.#db.prepare(sql)
      this.#statements.set(sql, statement)
    }
    return statement
  }
}

/**
 * Opens a ledger file for reading only.
 *
 * @throws LedgerError `not_a_ledger`, `schema_too_new`, `storage_failed`
 */
export function openSqliteReader(path: string): SqliteReader {
  return new SqliteReader(openForReading(path))
}
