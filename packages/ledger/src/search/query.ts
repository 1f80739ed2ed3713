import { LedgerError } from '../errors.ts'
import type { EventRow, SqliteReader } from '../store/index.ts'
import { comparisonsOf, type EventFilters, filtersOf } from './filters.ts'

/** A search over the events of one ledger. All given filters must hold. */
export interface EventQuery extends EventFilters, TimeRange {
  /** `desc` (default): newest first. */
  order?: 'asc' | 'desc'
  /** 1 to 500; default 50. */
  limit?: number
  /** Goes on where the page that returned it ended. */
  cursor?: string
}

/** A range of the ledger by the time at which it took the events, as it was at some size. */
export interface TimeRange {
  /** Not before this instant: RFC 3339. */
  since?: string
  /** Before this instant: RFC 3339. */
  until?: string
  /** Only events below this tree size; a page carries it so that later pages see the same history. */
  as_of?: number
}

/** One page. It may hold fewer rows than `limit` and still have a next page: follow the cursor until it is null. */
export interface EventPage {
  rows: EventRow[]
  nextCursor: string | null
  asOf: number
}

/**
 * Runs a search.
 *
 * @throws LedgerError `invalid_query` for a malformed filter, time, cursor, limit or size
 */
export function searchEvents(reader: SqliteReader, ledgerId: number, query: EventQuery): EventPage {
  const range = indexRange(reader, ledgerId, query)
  const newestFirst = query.order !== 'asc'
  let { from } = range
  let last = range.to - 1
  if (query.cursor !== undefined) {
    if (!/^(0|[1-9]\d{0,15})$/.test(query.cursor))
      throw invalid('cursor', 'what next_cursor of the last page said')
    if (newestFirst) last = Math.min(last, Number(query.cursor))
    else from = Math.max(from, Number(query.cursor))
  }
  const { rows, next } = reader.scan({
    ledgerId,
    ...comparisonsOf(filtersOf(query)),
    from,
    to: last,
    newestFirst,
    limit: query.limit ?? 50,
  })
  return { rows, nextCursor: next === null ? null : String(next), asOf: range.size }
}

/**
 * The indices `[from, to)` of a range of time, in the tree of `size` leaves. Times never decrease along the tree, so
 * every range of time is one of indices.
 *
 * @throws LedgerError `invalid_query`
 */
export function indexRange(
  reader: SqliteReader,
  ledgerId: number,
  { since, until, as_of }: TimeRange,
): { from: number; to: number; size: number } {
  const head = reader.head(ledgerId).size
  const asOf = as_of ?? head
  if (!Number.isSafeInteger(asOf) || asOf < 0) throw invalid('as_of', 'a tree size')
  const size = Math.min(asOf, head)
  const first = (time: number) => reader.firstAtOrAfter(ledgerId, size, time)
  return {
    from: since === undefined ? 0 : first(instant('since', since)),
    to: until === undefined ? size : first(instant('until', until)),
    size,
  }
}

function instant(name: string, text: string): number {
  const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/
  const time = rfc3339.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(time)) throw invalid(name, 'a time such as 2026-11-20T18:00:00Z')
  return time
}

function invalid(name: string, wanted: string): LedgerError {
  return new LedgerError('invalid_query', `The query parameter ${name} must be ${wanted}.`)
}
