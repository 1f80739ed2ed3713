import { createHash } from 'node:crypto'
import { LedgerError } from '../errors.ts'
import { comparisonsOf, type EventFilters, filtersOf, indexRange, type TimeRange } from '../search/index.ts'
import type { LedgerRow, SqliteReader } from '../store/index.ts'
import { exportLine } from './export-line.ts'
import { LeafProofs } from './leaf-proofs.ts'

/** What to export. Without filters it is a complete range: everything from one index to another. */
export interface ExportQuery extends EventFilters, Pick<TimeRange, 'since' | 'until'> {
  /** The first index; default 0. */
  from?: number
  /** The index after the last one; default the size of the ledger. */
  to?: number
}

/** The last line of an export, under the name `manifest`: without it the export is not whole. */
export interface ExportManifest {
  format: 'deedbox-export/v1'
  /** The origin. */
  ledger: string
  name: string
  verifier_keys: string[]
  /** The note that every receipt of the export is for. */
  checkpoint: string
  tree_size: number
  from: number
  /** Exclusive. */
  to: number
  /** Empty: every entry of `[from, to)` is there. */
  filters: EventFilters
  /** Event lines before this one. */
  count: number
  /** ISO 8601 in UTC. */
  exported_at: string
  /** Hex SHA-256 of all bytes before this line. */
  sha256: string
}

/** Events of one piece: what is computed and held at once. */
const piece = 16

/**
 * An export that is about to be made: its range and checkpoint are fixed.
 *
 * A range of time becomes one of indices, which a verifier can check, so that `filters` stays empty.
 */
export class LedgerExport {
  /** Indices `[from, to)`. */
  readonly from: number
  readonly to: number
  readonly #reader: SqliteReader
  readonly #ledger: LedgerRow
  readonly #filters: EventFilters
  readonly #head: { size: number; note: string }

  /** @throws LedgerError `invalid_query` for a malformed filter or time, or a range beyond the ledger */
  constructor(reader: SqliteReader, ledger: LedgerRow, query: ExportQuery) {
    this.#reader = reader
    this.#ledger = ledger
    this.#filters = filtersOf(query)
    this.#head = reader.head(ledger.ledgerId)
    const { size } = this.#head
    const inTime = indexRange(reader, ledger.ledgerId, { ...query, as_of: size })
    const { from = 0, to = size } = query
    if (!Number.isSafeInteger(from) || !Number.isSafeInteger(to) || from < 0 || from > to || to > size) {
      throw new LedgerError(
        'invalid_query',
        `The range from ${from} to ${to} is not within the ledger: it has the indices 0 to ${size} (exclusive).`,
      )
    }
    this.from = Math.max(from, Math.min(inTime.from, to))
    this.to = Math.max(this.from, Math.min(to, inTime.to))
  }

  /** The bytes of the export in pieces, the manifest last; each is computed when it is asked for. */
  *pieces(): Generator<Buffer, void, undefined> {
    const { ledgerId, name, origin, verifierKeys } = this.#ledger
    const { size, note } = this.#head
    const proofs = new LeafProofs(
      (level, n) => this.#reader.tile(ledgerId, level, n) ?? new Uint8Array(),
      size,
    )
    const frame = { checkpoint: note, verifierKey: verifierKeys.at(-1) ?? '' }
    const hash = createHash('sha256')
    const scan = { ledgerId, ...comparisonsOf(this.#filters), newestFirst: false, limit: piece }
    let count = 0
    for (let next: number | null = this.from; next !== null && next < this.to; ) {
      const page = this.#reader.scan({ ...scan, from: next, to: this.to - 1 })
      const lines = page.rows.map(row => `${exportLine(row, proofs.of(row.index), frame)}\n`)
      const bytes = Buffer.from(lines.join(''))
      hash.update(bytes)
      count += page.rows.length
      next = page.next
      yield bytes
    }
    const manifest: ExportManifest = {
      format: 'deedbox-export/v1',
      ledger: origin,
      name,
      verifier_keys: verifierKeys,
      checkpoint: note,
      tree_size: size,
      from: this.from,
      to: this.to,
      filters: this.#filters,
      count,
      exported_at: new Date().toISOString(),
      sha256: hash.digest('hex'),
    }
    yield Buffer.from(`${JSON.stringify({ manifest })}\n`)
  }
}
