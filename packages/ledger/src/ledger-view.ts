import { setImmediate as nextTurn } from 'node:timers/promises'
import { LedgerError } from './errors.ts'
import { type ExportQuery, LedgerExport } from './export/index.ts'
import {
  type CountRequest,
  countEvents,
  type EventCounts,
  type EventFilters,
  type EventPage,
  type EventQuery,
  filtersOf,
  Growth,
  indexRange,
  searchEvents,
} from './search/index.ts'
import type { LedgerRow, SqliteReader } from './store/index.ts'
import { type StoredEvent, storedEvent } from './stored-event.ts'

/** What to follow, and from where. */
export interface FollowQuery extends EventFilters {
  /** Not before this instant: RFC 3339. Without `after` it is also where following begins. */
  since?: string
  /** Begins after this index; -1: with the first event. Default: with what comes from now on. */
  after?: number
}

/** Events in order of index; everything below `next` has been looked at. */
export interface FollowedPage {
  events: StoredEvent[]
  next: number
}

/** Events of one page of a tail. */
const followedPage = 100

/** What can be read of one ledger without writing: search, tail, counts and export. Several may share a reader. */
export class LedgerView {
  readonly #reader: SqliteReader
  readonly #ledgerId: number
  readonly #growth: Growth

  /** @param reader stays the caller's to close, after `close` of the view */
  constructor(reader: SqliteReader, ledgerId: number) {
    this.#reader = reader
    this.#ledgerId = ledgerId
    this.#growth = new Growth(() => reader.head(ledgerId).size)
  }

  /** Name, origin and verifier keys. */
  get ledger(): LedgerRow {
    const row = this.#reader.ledgers().find(row => row.ledgerId === this.#ledgerId)
    if (row === undefined) throw new LedgerError('unknown_ledger', 'The ledger is not in its file any more.')
    return row
  }

  /** The number of leaves. */
  get size(): number {
    return this.#reader.head(this.#ledgerId).size
  }

  /** How many followers wait for something to come. */
  get followers(): number {
    return this.#growth.waiting
  }

  /** @throws LedgerError `invalid_query` */
  search(query: EventQuery = {}): EventPage & { events: StoredEvent[] } {
    const page = searchEvents(this.#reader, this.#ledgerId, query)
    return { ...page, events: page.rows.map(storedEvent) }
  }

  /**
   * Events as they come, in order of index, those of other processes included; ends when the signal is aborted or the
   * view closed. Each page is read when it is asked for: who does not ask costs nothing.
   *
   * @throws LedgerError `invalid_query`, also for an index that the ledger has not reached
   */
  follow(query: FollowQuery, signal: AbortSignal): AsyncGenerator<FollowedPage, void, undefined> {
    const { after, since } = query
    const filters = { ...filtersOf(query), ...(since === undefined ? {} : { since }) }
    const range = indexRange(this.#reader, this.#ledgerId, since === undefined ? {} : { since })
    if (after !== undefined && !(Number.isSafeInteger(after) && after >= -1 && after < range.size)) {
      throw new LedgerError(
        'invalid_query',
        `There is no index ${after} in this ledger, which has ${range.size} entries. ` +
          'If there was one, an older copy of the ledger was restored.',
      )
    }
    const start = after !== undefined ? after + 1 : since === undefined ? range.size : range.from
    return this.#pages(filters, start, signal)
  }

  /**
   * Counts by time and by value, see `countEvents`.
   *
   * @throws LedgerError `invalid_query`
   */
  count(request: CountRequest): Promise<EventCounts> {
    return countEvents(this.#reader, this.#ledgerId, request)
  }

  /**
   * An export, see `LedgerExport`.
   *
   * @throws LedgerError `invalid_query`
   */
  export(query: ExportQuery): LedgerExport {
    return new LedgerExport(this.#reader, this.ledger, query)
  }

  /** Something was written: followers look now. */
  look(): void {
    this.#growth.look()
  }

  /** Lets every follower go. */
  close(): void {
    this.#growth.close()
  }

  async *#pages(
    filters: EventFilters & { since?: string },
    start: number,
    signal: AbortSignal,
  ): AsyncGenerator<FollowedPage, void, undefined> {
    let next = start
    while (!signal.aborted && !this.#growth.closed) {
      const page = this.search({ ...filters, order: 'asc', cursor: String(next), limit: followedPage })
      const isAtHead = page.nextCursor === null
      next = page.nextCursor === null ? Math.max(next, page.asOf) : Number(page.nextCursor)
      yield { events: page.events, next }
      if (isAtHead) await this.#growth.beyond(next, signal)
      else await nextTurn()
    }
  }
}
