import type { StoredEntry } from '../chests/index.ts'
import { errorMessage } from '../safety/index.ts'
import { openReadable, withoutSecrets } from './chest-argument.ts'
import { loadLedger } from './ledger-package.ts'
import type { LogEntry } from './log-entry.ts'
import { readFilters } from './log-filters.ts'
import { type ReadingHooks, readChosen } from './log-reading.ts'
import { type JsonObject, lookUp } from './log-shapes.ts'
import { instantOf } from './log-times.ts'
import { UsageError } from './usage-error.ts'

/** What one source knows of a request, at one moment of it. */
export type TraceItem = {
  /** Milliseconds since 1970 in UTC, with fractions; `undefined` where nothing says it. */
  readonly at: number | undefined
} & (
  | { readonly from: 'log'; readonly entry: LogEntry }
  | { readonly from: 'ledger'; readonly event: JsonObject }
  | { readonly from: 'chest'; readonly chest: string; readonly row: StoredEntry }
)

/** Where something of a request may be found. */
export interface TraceSource {
  /** As messages call it. */
  readonly name: string
  /**
   * All that it has of a request, in its own order.
   * @throws Error whose message says why it cannot be read, also that a package is missing for it
   */
  read(requestId: string): Promise<TraceItem[]>
}

/** Lines of a file and events of a ledger that one trace holds, at most. */
export const mostItems = 10_000

/** Milliseconds until a ledger has to have answered. */
const answerTime = 30_000

/** The lines of a log file, or of standard input (`-`). */
export function fileSource(name: string, hooks: ReadingHooks): TraceSource {
  return {
    name,
    async read(requestId) {
      const items: TraceItem[] = []
      let time: number | undefined
      const choice = readFilters({ 'request-id': [requestId] }, 0)
      for await (const entries of readChosen(name, choice, hooks)) {
        for (const entry of entries) {
          time = entry.time ?? time
          items.push({ at: time, from: 'log', entry: entry.kept() })
        }
        if (items.length > mostItems) break
      }
      return items
    },
  }
}

/** The events in a data folder; its server may be running. */
export function folderSource(folder: string): TraceSource {
  return {
    name: folder,
    async read(requestId) {
      const { requestEvents } = await loadLedger('trace')
      return itemsOf(await requestEvents({ folder, requestId, most: mostItems + 1 }))
    },
  }
}

/**
 * The events of a running ledger.
 * @param apiKey a key with the scope read
 * @throws UsageError for an address or a key that cannot be one
 */
export function urlSource(address: string, apiKey: string | undefined): TraceSource {
  if (!URL.canParse(address) || !/^https?:/.test(address)) {
    throw new UsageError(`"${address}" is no base URL such as https://ledger.example.`)
  }
  if (apiKey === undefined || !/^[\x21-\x7e]+$/.test(apiKey)) {
    throw new UsageError('Set DEEDBOX_API_KEY to a key of this ledger with the scope read.')
  }
  const base = address.replace(/\/+$/, '')
  return {
    name: base,
    async read(requestId) {
      const found: JsonObject[] = []
      const query = new URLSearchParams({ request_id: requestId, limit: '500' })
      for (;;) {
        const page = await pageOf(base, query, apiKey)
        found.push(...page.events)
        if (page.next_cursor === null || page.events.length === 0 || found.length > mostItems)
          return itemsOf(found.toReversed())
        query.set('cursor', page.next_cursor)
        query.set('as_of', String(page.as_of))
      }
    },
  }
}

/** The tracked variables in a chest. */
export function chestSource(url: string): TraceSource {
  return {
    name: 'the chest',
    async read(requestId) {
      const chest = await openReadable(url)
      try {
        const rows = await chest.find({ requestId }, mostItems + 1)
        return rows.map(row => ({ at: row.entry.timestamp / 1_000, from: 'chest', chest: chest.id, row }))
      } catch (error) {
        throw new Error(withoutSecrets(errorMessage(error), [url]))
      } finally {
        await chest.close()
      }
    },
  }
}

interface Page {
  readonly events: JsonObject[]
  readonly next_cursor: string | null
  readonly as_of: number
}

async function pageOf(base: string, query: URLSearchParams, apiKey: string): Promise<Page> {
  let answer: Response
  let body: Partial<Page> & { message?: unknown }
  try {
    answer = await fetch(`${base}/v1/events?${query}`, {
      headers: { authorization: `Bearer ${apiKey}` },
      // The key is for this address only.
      redirect: 'manual',
      signal: AbortSignal.timeout(answerTime),
    })
    body = (await answer.json().catch(() => ({}))) as typeof body
  } catch (error) {
    const { cause = error } = error as { cause?: unknown }
    const { code, message } = cause as { code?: unknown; message?: unknown }
    const why = code === 'ECONNREFUSED' ? 'nothing listens there' : String(message || code)
    throw new Error(`The ledger at ${base} cannot be reached: ${why}.`)
  }
  if (answer.ok && Array.isArray(body?.events)) return body as Page
  if (typeof body?.message === 'string') throw new Error(`The ledger at ${base} says: ${body.message}`)
  throw new Error(`${base} did not answer as a Deedbox ledger does (status ${answer.status}).`)
}

/** An event happened when its service says so; else when the ledger took it. */
function itemsOf(events: readonly JsonObject[]): TraceItem[] {
  return events.map(event => {
    const said = instantOf(lookUp(event, 'meta.occurred_at')) ?? timestampIn(event.payload)
    return { at: said ?? instantOf(event.at), from: 'ledger', event }
  })
}

/** The time in a payload that is JSON, as the SDK's are; others say none. */
function timestampIn(payload: unknown): number | undefined {
  if (typeof payload !== 'string' || !payload.startsWith('{')) return undefined
  try {
    return instantOf(lookUp(JSON.parse(payload), 'timestamp'))
  } catch {
    return undefined
  }
}
