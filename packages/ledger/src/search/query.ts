import { LedgerError } from '../errors.ts'
import type { EventColumns } from '../events/index.ts'
import type { EventRow, SqliteReader } from '../store/index.ts'

/** A search over the events of one ledger. All given filters must hold. */
export interface EventQuery {
  type?: string
  event_name?: string
  service?: string
  env?: string
  request_id?: string
  trace_id?: string
  immutable_trail?: string
  /** The id of the actor. */
  actor?: string
  subject?: string
  correlation_id?: string
  outcome?: string
  kind?: EventRow['kind']
  /** Not before this instant: RFC 3339. */
  since?: string
  /** Before this instant: RFC 3339. */
  until?: string
  /** `desc` (default): newest first. */
  order?: 'asc' | 'desc'
  /** 1 to 500; default 50. */
  limit?: number
  /** Goes on where the page that returned it ended. */
  cursor?: string
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
 * @throws LedgerError `invalid_query` for a malformed time, cursor, limit or size
 */
export function searchEvents(reader: SqliteReader, ledgerId: number, query: EventQuery): EventPage {
  const size = reader.head(ledgerId).size
  const asOf = query.as_of ?? size
  if (!Number.isSafeInteger(asOf) || asOf < 0) throw invalid('as_of', 'a tree size')
  const seen = Math.min(asOf, size)
  const newestFirst = query.order !== 'asc'
  let from =
    query.since === undefined ? 0 : reader.firstAtOrAfter(ledgerId, seen, instant('since', query.since))
  let to =
    (query.until === undefined
      ? seen
      : reader.firstAtOrAfter(ledgerId, seen, instant('until', query.until))) - 1
  if (query.cursor !== undefined) {
    if (!/^(0|[1-9]\d{0,15})$/.test(query.cursor))
      throw invalid('cursor', 'what next_cursor of the last page said')
    if (newestFirst) to = Math.min(to, Number(query.cursor))
    else from = Math.max(from, Number(query.cursor))
  }
  const { rows, next } = reader.scan({
    ledgerId,
    equals: columnsOf(query),
    from,
    to,
    newestFirst,
    limit: query.limit ?? 50,
    ...(query.kind === undefined ? {} : { kind: query.kind }),
  })
  return { rows, nextCursor: next === null ? null : String(next), asOf: seen }
}

function columnsOf(query: EventQuery): Partial<EventColumns> {
  const { type, event_name, service, env, request_id, trace_id, immutable_trail, subject, correlation_id } =
    query
  return {
    ...defined({
      type,
      event_name,
      service,
      env,
      request_id,
      trace_id,
      immutable_trail,
      subject,
      correlation_id,
    }),
    ...defined({ actor_id: query.actor, outcome: query.outcome }),
  }
}

function defined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const entries = Object.entries(values).filter(([, value]) => value !== undefined)
  return Object.fromEntries(entries) as { [K in keyof T]?: Exclude<T[K], undefined> }
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
