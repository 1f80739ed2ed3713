import { setImmediate as nextTurn } from 'node:timers/promises'
import type { EventColumns } from '../events/index.ts'
import type { SqliteReader } from '../store/index.ts'
import { comparisonsOf, type EventFilters, eventFilters, filtersOf } from './filters.ts'
import { indexRange, type TimeRange } from './query.ts'

/** Lengths of the buckets of a histogram in milliseconds; buckets start at whole minutes, hours and days of UTC. */
export const intervals: Readonly<Record<Interval, number>> = {
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
}

/** The length of a bucket. */
export type Interval = 'minute' | 'hour' | 'day'

/** The fields whose values can be counted: those with few different ones, and the actor. */
export const facetFields = ['event_name', 'service', 'type', 'actor', 'env', 'outcome'] as const

/** A field whose values can be counted. */
export type FacetField = (typeof facetFields)[number]

/** What to count, and where to stop. */
export interface CountRequest extends EventFilters, TimeRange {
  interval?: Interval
  fields?: readonly FacetField[]
  /** Rows to look at before the count ends as incomplete; default 200,000. */
  scanLimit?: number
  /** Ends the count where it is: nobody waits for it any more. */
  signal?: AbortSignal
  /** Told after each stretch: rows looked at so far. */
  onProgress?: (scanned: number, total: number) => void
}

/** The events of one stretch of time. */
export interface Bucket {
  /** Start, milliseconds since the epoch. */
  from: number
  count: number
  /** Counts by the event's type; an event whose type was erased is only in `count`. */
  byType: Record<string, number>
}

/** Counts that are exact for the indices `[from, to)`; `complete` says whether that is all that was asked for. */
export interface EventCounts {
  asOf: number
  from: number
  to: number
  complete: boolean
  /** The events that fit. */
  counted: number
  /** Those that hold events, oldest first. */
  buckets: Bucket[]
  /** For each field its values, the most frequent first; an event without one counts in `counted` alone. */
  values: Map<FacetField, { value: string; count: number }[]>
}

/** A count ends before it holds more buckets or different values than this; so its memory has a bound. */
const maxBuckets = 1_500
const maxValues = 20_000

/** Rows of one stretch: between two of them the process does other things. */
const stretch = 1_000

const defaultScanLimit = 200_000

/**
 * Counts events from the newest backwards, without their content, in stretches between which other work goes on. It
 * stops at a bound instead of guessing: the result says which indices it is exact for.
 *
 * @throws LedgerError `invalid_query`
 */
export async function countEvents(
  reader: SqliteReader,
  ledgerId: number,
  request: CountRequest,
): Promise<EventCounts> {
  const { from, to, size } = indexRange(reader, ledgerId, request)
  const { interval, fields = [], scanLimit = defaultScanLimit, onProgress } = request
  const columns = fields.map(field => eventFilters[field].column as keyof EventColumns)
  const scan = { ledgerId, ...comparisonsOf(filtersOf(request)), from, newestFirst: true }
  const tally = new Tally(interval, fields)
  let scanned = 0
  let next: number | null = to - 1
  let full: number | undefined
  while (next !== null && next >= from && scanned < scanLimit && full === undefined) {
    const limit = Math.min(stretch, scanLimit - scanned)
    const part = reader.scanColumns({ ...scan, to: next, limit }, ['type', ...columns])
    full = part.rows.find(row => !tally.take(row.at, row.values, columns))?.index
    scanned += part.scanned
    next = part.next
    onProgress?.(scanned, to - from)
    if (next !== null) await nextTurn()
    if (request.signal?.aborted === true) break
  }
  const reached = full !== undefined ? full + 1 : next === null || next < from ? from : next + 1
  const { counted } = tally
  return {
    asOf: size,
    from: Math.min(reached, to),
    to,
    complete: reached <= from,
    counted,
    ...tally.result(),
  }
}

class Tally {
  readonly #length: number | undefined
  readonly #buckets = new Map<number, Bucket>()
  readonly #fields: readonly FacetField[]
  readonly #values: Map<string, number>[]
  #different = 0
  counted = 0

  constructor(interval: Interval | undefined, fields: readonly FacetField[]) {
    this.#length = interval === undefined ? undefined : intervals[interval]
    this.#fields = fields
    this.#values = fields.map(() => new Map())
  }

  /** @returns false, and counts nothing, when there is no room for what this row would add */
  take(
    at: number,
    row: Readonly<Record<string, unknown>>,
    columns: readonly (keyof EventColumns)[],
  ): boolean {
    const start = this.#length === undefined ? undefined : Math.floor(at / this.#length) * this.#length
    if (start !== undefined && !this.#buckets.has(start) && this.#buckets.size === maxBuckets) return false
    if (this.#different + columns.length > maxValues && columns.some((c, i) => this.#isNew(row[c], i)))
      return false
    this.counted++
    if (start !== undefined) this.#countTime(start, row.type)
    for (const [i, column] of columns.entries()) {
      const value = row[column]
      if (typeof value !== 'string') continue
      const values = this.#values[i]!
      const before = values.get(value)
      if (before === undefined) this.#different++
      values.set(value, (before ?? 0) + 1)
    }
    return true
  }

  result(): Pick<EventCounts, 'buckets' | 'values'> {
    const values = this.#fields.map((field, i) => {
      const counts = [...this.#values[i]!].map(([value, count]) => ({ value, count }))
      counts.sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1))
      return [field, counts] as const
    })
    return {
      buckets: [...this.#buckets.values()].sort((a, b) => a.from - b.from),
      values: new Map(values),
    }
  }

  #isNew(value: unknown, i: number): boolean {
    return typeof value === 'string' && !this.#values[i]!.has(value)
  }

  #countTime(start: number, type: unknown): void {
    let bucket = this.#buckets.get(start)
    if (bucket === undefined) {
      bucket = { from: start, count: 0, byType: {} }
      this.#buckets.set(start, bucket)
    }
    bucket.count++
    if (typeof type === 'string') bucket.byType[type] = (bucket.byType[type] ?? 0) + 1
  }
}
