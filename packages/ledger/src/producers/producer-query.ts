import { LedgerError } from '../errors.ts'
import type { ProducerRow } from './producer-row.ts'
import { type ProducerState, type ProducerView, producerView, silentAfter } from './producer-view.ts'

/** Which producers are wanted. */
export interface ProducerFilters {
  state?: ProducerState
  service?: string
  /** 1 to 200; default 100. */
  limit?: number
  /** Where the page before ended. */
  cursor?: string
}

/** What a page asks the store for; a row comes after `after` in the order of the pages. */
export interface ProducerQuery {
  state: ProducerState | undefined
  service: string | undefined
  /** Milliseconds since the epoch. */
  silentBefore: number
  after: Pick<ProducerRow, 'firstAt' | 'principal' | 'producerId'> | undefined
  limit: number
}

/** A page of producers, those that were heard of first the latest in front. */
export interface ProducerPage {
  producers: ProducerView[]
  nextCursor: string | null
}

/**
 * Answers a query.
 *
 * @param read reads rows of the ledger
 * @param now milliseconds since the epoch
 * @throws LedgerError `invalid_query` for a cursor that no page gave
 */
export function producerPage(
  filters: ProducerFilters,
  read: (query: ProducerQuery) => ProducerRow[],
  now: number,
): ProducerPage {
  const { state, service, cursor, limit = 100 } = filters
  const after = cursor === undefined ? undefined : readCursor(cursor)
  const rows = read({ state, service, silentBefore: now - silentAfter, after, limit: limit + 1 })
  const shown = rows.slice(0, limit)
  const last = shown.at(-1)
  return {
    producers: shown.map(row => producerView(row, now)),
    nextCursor: rows.length > limit && last !== undefined ? writeCursor(last) : null,
  }
}

function writeCursor({ firstAt, principal, producerId }: ProducerRow): string {
  return Buffer.from(JSON.stringify([firstAt, principal, producerId])).toString('base64url')
}

function readCursor(cursor: string): ProducerQuery['after'] {
  try {
    const [firstAt, principal, producerId] = JSON.parse(Buffer.from(cursor, 'base64url').toString())
    if (Number.isSafeInteger(firstAt) && typeof principal === 'string' && typeof producerId === 'string') {
      return { firstAt, principal, producerId }
    }
  } catch {
    // Said below.
  }
  throw new LedgerError('invalid_query', 'cursor is not one that a page of this call gave.')
}
