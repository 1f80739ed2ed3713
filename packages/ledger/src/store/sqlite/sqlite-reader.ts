import type { DatabaseSync, StatementSync } from 'node:sqlite'
import { LedgerError } from '../../errors.ts'
import type { EventColumns } from '../../events/index.ts'
import type { ApiKeyRow, EventRow, HeadRow, LedgerRow } from '../store.ts'
import { openForReading } from './connection.ts'
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
    const { ledgerId, kind, limit } = request
    const wanted = Object.entries(request.equals).filter(([, value]) => value !== undefined && value !== null)
    const found: number[] = []
    let scanned = 0
    for (const row of this.#candidates(request, wanted)) {
      const index = indexOf(ledgerId, Number(row.position))
      if (found.length === limit || scanned === scanLimit) return this.#page(ledgerId, found, index)
      scanned++
      // A segment without a candidate stands for itself, so that a long way through empty ones ends too.
      if (row.kind === undefined) continue
      const fits =
        (kind === undefined || row.kind === kind) && wanted.every(([column, value]) => row[column] === value)
      if (fits) found.push(index)
    }
    return this.#page(ledgerId, found, null)
  }

  /**
   * The rows that may fit, in the order asked for: those of the most selective filter, or else all. Before those of a
   * segment comes an entry with the position alone at which the segment begins in that order.
   */
  *#candidates(
    { ledgerId, equals, from, to, newestFirst }: ScanRequest,
    wanted: readonly (readonly [string, unknown])[],
  ): Generator<Record<string, unknown>> {
    if (from > to) return
    const [first, last] = [positionOf(ledgerId, from), positionOf(ledgerId, to)]
    const columns = ['kind', ...wanted.map(([column]) => column)].map(column => `e.${column}`).join(', ')
    const order = newestFirst ? 'DESC' : 'ASC'
    const leader = indexedColumns.find(column => wanted.some(([name]) => name === column))
    if (leader === undefined) {
      const sql = `SELECT e.position, ${columns} FROM events e WHERE e.position BETWEEN ? AND ? ORDER BY e.position ${order}`
      yield* this.#db.prepare(sql).iterate(first, last)
      return
    }
    const term = termOf(leader, equals[leader] ?? '')
    const segments = {
      from: segmentOf(newestFirst ? last : first),
      to: segmentOf(newestFirst ? first : last),
    }
    const statement = this.#db.prepare(
      `SELECT t.position, ${columns} FROM event_terms t CROSS JOIN events e ON e.position = t.position` +
        ` WHERE t.segment = ? AND t.term = ? AND t.position BETWEEN ? AND ? ORDER BY t.position ${order}`,
    )
    for (let segment = segments.from; newestFirst ? segment >= segments.to : segment <= segments.to; ) {
      const [start, end] = segmentRange(segment)
      yield { position: newestFirst ? Math.min(end, last) : Math.max(start, first) }
      yield* statement.iterate(segment, term, first, last)
      segment += newestFirst ? -1 : 1
    }
  }

  apiKeyByHash(hash: Uint8Array): ApiKeyRow | null {
    const row = this.#prepare('SELECT * FROM api_keys WHERE hash = ?').get(hash)
    return row === undefined ? null : toApiKeyRow(row as SqliteRow)
  }

  apiKeyCount(ledgerId: number): number {
    return Number(
      this.#prepare('SELECT count(*) AS n FROM api_keys WHERE ledger_id = ?').get(ledgerId)?.n ?? 0,
    )
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

/**
 * Opens a ledger file for reading only.
 *
 * @throws LedgerError `not_a_ledger`, `schema_too_new`, `storage_failed`
 */
export function openSqliteReader(path: string): SqliteReader {
  return new SqliteReader(openForReading(path))
}
