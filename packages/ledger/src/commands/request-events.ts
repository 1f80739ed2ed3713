import type { StoredEvent } from '../stored-event.ts'
import { withSource } from './with-source.ts'

/** Which events {@link requestEvents} looks for, and where. */
export interface RequestEventsOptions {
  /** A data folder or a database file; its server may be running. */
  readonly folder: string
  readonly requestId: string
  /** How many are found at most, the newest. */
  readonly most: number
}

/**
 * The events of one request, the oldest first.
 *
 * @throws LedgerError `not_a_ledger`, `unknown_ledger`, `schema_too_new`, `storage_failed`
 */
export async function requestEvents({
  folder,
  requestId,
  most,
}: RequestEventsOptions): Promise<StoredEvent[]> {
  return withSource({ data: folder }, process.env, async source => {
    const query = { request_id: requestId, limit: Math.min(500, most) }
    let page = await source.search(query)
    const { asOf } = page
    const found = [...page.events]
    while (page.nextCursor !== null && found.length < most) {
      page = await source.search({ ...query, cursor: page.nextCursor, as_of: asOf })
      found.push(...page.events)
    }
    return found.slice(0, most).toReversed()
  })
}
