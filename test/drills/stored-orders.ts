import assert from 'node:assert/strict'
import type { Callers } from './callers.ts'
import { drillKey } from './load.ts'

/** What a ledger holds of a drill's service. */
export interface StoredOrders {
  /** Request id → the kinds under which its events are stored: `success`, `error` … */
  readonly byRequest: ReadonlyMap<string, readonly string[]>
  /** All events that amend another one: the same key with other bytes, which must never happen. */
  readonly amended: number
}

interface Page {
  readonly events: {
    readonly meta: { readonly request_id: string; readonly type: string }
    readonly amends?: string
  }[]
  readonly next_cursor: string | null
}

/** A producer as `GET /v1/producers` shows it. */
export interface ShownProducer {
  readonly id: string
  readonly state: string
  readonly missing: number
  readonly high_water: number
}

async function read<Answer>(url: string, path: string): Promise<Answer> {
  const response = await fetch(`${url}${path}`, { headers: { authorization: `Bearer ${drillKey}` } })
  assert.equal(response.status, 200, `${path}: ${response.status}`)
  return (await response.json()) as Answer
}

/** All events of the service, page by page. */
export async function storedOrders(url: string): Promise<StoredOrders> {
  const byRequest = new Map<string, string[]>()
  let amended = 0
  let cursor: string | null = ''
  while (cursor !== null) {
    const page: Page = await read(url, `/v1/events?service=drill&kind=event&limit=500${cursor}`)
    for (const { meta, amends } of page.events) {
      const types = byRequest.get(meta.request_id)
      if (types === undefined) byRequest.set(meta.request_id, [meta.type])
      else types.push(meta.type)
      if (amends !== undefined) amended++
    }
    cursor = page.next_cursor === null ? null : `&cursor=${page.next_cursor}`
  }
  return { byRequest, amended }
}

/** What the ledger says about the processes that sent. */
export async function producers(url: string): Promise<ShownProducer[]> {
  const all: ShownProducer[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const page: { producers: ShownProducer[]; next_cursor: string | null } = await read(
      url,
      `/v1/producers?limit=200${cursor}`,
    )
    all.push(...page.producers)
    cursor = page.next_cursor === null ? null : `&cursor=${encodeURIComponent(page.next_cursor)}`
  }
  return all
}

/** No request is stored twice, nothing is there that nobody sent; resolves to the answered requests that are not there. */
export function missing(callers: Callers, { byRequest, amended }: StoredOrders): string[] {
  assert.equal(amended, 0, 'no event was sent with other bytes under the same key')
  for (const [id, types] of byRequest) {
    assert(callers.sent.has(id), `${id} was never sent`)
    assert.equal(types.length, 1, `${id} is stored more than once: ${types}`)
  }
  return callers.withStatus(200).filter(id => !byRequest.has(id))
}
