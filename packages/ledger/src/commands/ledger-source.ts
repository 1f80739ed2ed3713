import type { ExportQuery } from '../export/index.ts'
import type { FollowQuery } from '../ledger-view.ts'
import type { ProducerFilters, ProducerPage } from '../producers/index.ts'
import type { EventFilters, EventQuery, FacetField, Interval, TimeRange } from '../search/index.ts'
import type { StoredEvent } from '../stored-event.ts'

/** Counts as a command shows them; exact for the indices `[from, to)`. */
export interface Counted {
  from: number
  to: number
  complete: boolean
  counted: number
}

/** The most frequent values of a field; `different` counts those that are not shown too. */
export interface Facet {
  field: FacetField
  values: { value: string; count: number }[]
  different: number
}

/** What `deedbox stats` says of a ledger beside its counts; null where it cannot be learnt from here. */
export interface LedgerFacts {
  /** A folder or an address. */
  place: string
  origin: string | null
  /** Bytes of the database and its log. */
  fileBytes: number | null
  /** The newest public checkpoint. */
  checkpoint: string | null
  apiKeys: number | null
  /** A sentence, and whether it is good news. */
  guard: { good: boolean; says: string } | null
}

/** Where the reading commands read: a data folder, or a running ledger. */
export interface LedgerSource {
  search(query: EventQuery): Promise<{ events: StoredEvent[]; nextCursor: string | null; asOf: number }>
  /**
   * Events as they come, whatever happens to the connection, until the signal is aborted.
   *
   * @param tell a sentence about trouble on the way
   */
  follow(
    query: FollowQuery & { after: number },
    signal: AbortSignal,
    tell: (sentence: string) => void,
  ): AsyncGenerator<StoredEvent, void, undefined>
  /** The bytes of an export; `from` and `to` are the indices that are looked at. */
  export(
    query: ExportQuery,
    signal: AbortSignal,
  ): Promise<{ from: number; to: number; pieces: AsyncIterable<Buffer> }>
  histogram(
    query: EventFilters & TimeRange & { interval: Interval },
  ): Promise<Counted & { buckets: { from: string; count: number; by_type: Record<string, number> }[] }>
  /** The most frequent values of each field. */
  facets(
    query: EventFilters & TimeRange,
    fields: readonly FacetField[],
    limit: number,
  ): Promise<(Counted & Facet)[]>
  producers(filters: ProducerFilters): Promise<ProducerPage>
  facts(): Promise<LedgerFacts>
  close(): void
}
