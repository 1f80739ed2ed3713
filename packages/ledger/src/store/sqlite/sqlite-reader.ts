import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { LedgerError } from '../../errors.ts'
import type { EventColumns } from '../../events/index.ts'
import type { ProducerQuery, ProducerRow } from '../../producers/index.ts'
import type { ApiKeyRow, EventRow, HeadRow, LedgerRow } from '../store.ts'
import { openForReading } from './connection.ts'
import { producersOf } from './producer-pages.ts'
import { type SqliteRow, toApiKeyRow, toEventRow, toHeadRow, toLedgerRow } from './rows.ts'
import { indexedColumns, indexOf, positionOf, segmentOf, segmentRange } from './schema.ts'
import { type SchemaDifference, schemaDifferences } from './schema-check.ts'
import { integrityProblems, SqliteInspection } from './sqlite-inspection.ts'
import { termOf } from './terms.ts'

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

/** What a scan of columns found, and where the next one goes on, or null when the range is exhausted. */
export interface ColumnScan {
  /** `at` is milliseconds since the epoch; `values` the columns that were asked for, by name. */
  rows: { index: number; at: number; values: Readonly<Record<string, unknown>> }[]
  /** Rows and empty segments that were looked at. */
  scanned: number
  next: number | null
}

/** Rows and segments that one scan looks at before it hands back what it has: no search holds the thread for long. */
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
    const { ledgerId, limit } = request
    const wanted = wantedOf(request)
    const found: number[] = []
    let scanned = 0
    for (const row of this.#candidates(request, wanted, [])) {
      const index = indexOf(ledgerId, Number(row.position))
      if (found.length === limit || scanned === scanLimit) return this.#page(ledgerId, found, index)
      scanned++
      // A segment without a candidate stands for itself, so that a long way through empty ones ends too.
      if (row.kind === undefined) continue
      if (fits(row, request.kind, wanted)) found.push(index)
    }
    return this.#page(ledgerId, found, null)
  }

  /** What {@link scan} would find, without content: the times and these columns. Looks at `limit` rows at most. */
  scanColumns(request: ScanRequest, columns: readonly (keyof EventColumns)[]): ColumnScan {
    const wanted = wantedOf(request)
    const rows: ColumnScan['rows'] = []
    let scanned = 0
    for (const row of this.#candidates(request, wanted, ['at', ...columns])) {
      const index = indexOf(request.ledgerId, Number(row.position))
      if (scanned === request.limit) return { rows, scanned, next: index }
      scanned++
      if (row.kind === undefined || !fits(row, request.kind, wanted)) continue
      rows.push({ index, at: Number(row.at), values: row })
    }
    return { rows, scanned, next: null }
  }

  /**
   * The rows that may fit, in the order asked for: those of the most selective filter, or else all. Before those of a
   * segment comes an entry with the position alone at which the segment begins in that order.
   */
  *#candidates(
    { ledgerId, equals, from, to, newestFirst }: ScanRequest,
    wanted: Wanted,
    shown: readonly string[],
  ): Generator<Record<string, unknown>> {
    if (from > to) return
    const [first, last] = [positionOf(ledgerId, from), positionOf(ledgerId, to)]
    const names = new Set(['kind', ...wanted.map(([column]) => column), ...shown])
    const columns = [...names].map(column => `e.${column}`).join(', ')
    const order = newestFirst ? 'DESC' : 'ASC'
    const leader = indexedColumns.find(column => wanted.some(([name]) => name === column))
    if (leader === undefined) {
      const sql = `SELECT e.position, ${columns} FROM events e WHERE e.position BETWEEN ? AND ? ORDER BY e.position ${order}`
      yield* this.#db.prepare(sql).iterate(first, last)
      return
    }
    const value = equals[leader] ?? ''
    const term = termOf(leader, value)
    const indexed = this.#db.prepare(
      `SELECT t.position, ${columns} FROM event_terms t CROSS JOIN events e ON e.position = t.position` +
        ` WHERE t.segment = ? AND t.term = ? AND t.position BETWEEN ? AND ? ORDER BY t.position ${order}`,
    )
    const unindexed = this.#db.prepare(
      `SELECT e.position, ${columns} FROM events e` +
        ` WHERE e.position BETWEEN ? AND ? AND e.${leader} = ? ORDER BY e.position ${order}`,
    )
    const growing = segmentOf(positionOf(ledgerId, this.head(ledgerId).size))
    const [lowest, highest] = [segmentOf(first), segmentOf(last)]
    for (let i = 0; i <= highest - lowest; i++) {
      const segment = newestFirst ? highest - i : lowest + i
      const [start, end] = segmentRange(segment)
      const [low, high] = [Math.max(start, first), Math.min(end, last)]
      yield { position: newestFirst ? high : low }
      yield* segment < growing
        ? indexed.iterate(segment, term, low, high)
        : unindexed.iterate(low, high, value)
    }
  }

  apiKeyByHash(hash: Uint8Array): ApiKeyRow | null {
    const row = this.#prepare('SELECT * FROM api_keys WHERE hash = ?').get(hash)
    return row === undefined ? null : toApiKeyRow(row as SqliteRow)
  }

  /** The keys of all ledgers of the file, oldest first. */
  apiKeys(): ApiKeyRow[] {
    return this.#prepare('SELECT * FROM api_keys ORDER BY created_at, key_id')
      .all()
      .map(row => toApiKeyRow(row as SqliteRow))
  }

  apiKeyCount(ledgerId: number): number {
    return Number(
      this.#prepare('SELECT count(*) AS n FROM api_keys WHERE ledger_id = ?').get(ledgerId)?.n ?? 0,
    )
  }

  /** Producers of a ledger, those heard of first the latest in front; at most `limit`. */
  producers(ledgerId: number, query: ProducerQuery): ProducerRow[] {
    return producersOf(this.#db, ledgerId, query)
  }

  /** Runs `work` on one unchanging snapshot, while writers go on. */
  snapshot<T>(work: () => T): T {
    this.beginSnapshot()
    try {
      return work()
    } finally {
      this.endSnapshot()
    }
  }

  /** The same for work that waits in between; to be ended by {@link endSnapshot}. */
  beginSnapshot(): void {
    this.#db.exec('BEGIN')
  }

  endSnapshot(): void {
    this.#db.exec('COMMIT')
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

type Wanted = readonly (readonly [column: string, value: unknown])[]

function wantedOf({ equals }: ScanRequest): Wanted {
  return Object.entries(equals).filter(([, value]) => value !== undefined && value !== null)
}

function fits(row: Record<string, unknown>, kind: ScanRequest['kind'], wanted: Wanted): boolean {
  return (kind === undefined || row.kind === kind) && wanted.every(([column, value]) => row[column] === value)
}

/**
 * Opens a ledger file for reading only.
 *
 * @throws LedgerError `not_a_ledger`, `schema_too_new`, `storage_failed`
 */
export function openSqliteReader(path: string): SqliteReader {
  return new SqliteReader(openForReading(path))
}
