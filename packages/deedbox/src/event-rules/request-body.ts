import type { LedgerItem } from '../audit/index.ts'
import { EventRefusal } from './event-refusal.ts'
import { limits } from './limits.ts'
import { parseStrictJson } from './strict-json.ts'

/** One item of a batch: an event, not checked yet, or why it is none. */
export type ItemOrRefusal = LedgerItem | EventRefusal

/**
 * The event in the body of `POST /v1/events`. Whether its members have the right types is for `checkEvent`, through
 * which callers in-process go too.
 * @throws EventRefusal
 */
export function readEvent(body: Uint8Array): LedgerItem {
  return eventIn(parseStrictJson(body, 'The body'))
}

/**
 * The events in the body of `POST /v1/events/batch`: a JSON array, or one object a line.
 * @throws EventRefusal when the body as a whole is refused
 */
export function readBatch(body: Buffer, isLines: boolean): ItemOrRefusal[] {
  return isLines ? readLines(body) : readArray(body)
}

function readArray(body: Buffer): ItemOrRefusal[] {
  const value = parseStrictJson(body, 'The body')
  if (!Array.isArray(value)) {
    throw new EventRefusal(
      'invalid_event',
      'The body of a batch is a JSON array of events, or NDJSON with its own content type.',
    )
  }
  if (value.length > limits.batchItems) throw tooMany()
  return value.map((item, i) => readItem(() => item, `Item ${i}`))
}

/** Said before any item is looked at: a million broken items must not cost a million refusals. */
function tooMany(): EventRefusal {
  return new EventRefusal(
    'batch_too_large',
    `A batch holds at most ${limits.batchItems} events. Send several batches.`,
  )
}

function readLines(body: Buffer): ItemOrRefusal[] {
  const items: ItemOrRefusal[] = []
  let line = 1
  for (let from = 0; from < body.length; line++) {
    const end = body.indexOf(0x0a, from)
    const bytes = body.subarray(from, end === -1 ? body.length : end)
    const where = `Line ${line}`
    // Blank lines hold no event; what ends a line on Windows is white space to JSON.
    if (bytes.some(byte => byte !== 0x20 && byte !== 0x09 && byte !== 0x0d)) {
      if (items.length === limits.batchItems) throw tooMany()
      items.push(readItem(() => parseStrictJson(bytes, where), where))
    }
    from = end === -1 ? body.length : end + 1
  }
  return items
}

function readItem(read: () => unknown, where: string): ItemOrRefusal {
  try {
    const value = read()
    const { idempotency_key: key, ...event } = asObject(value, where)
    if (key !== undefined && typeof key !== 'string') {
      throw new EventRefusal('invalid_idempotency_key', `${where}: idempotency_key must be a string.`)
    }
    return { ...eventIn(event), ...(key === undefined ? {} : { idempotencyKey: key }) }
  } catch (error) {
    if (error instanceof EventRefusal) return error
    throw error
  }
}

/** The two members that an event has; anything else is refused, so that a misspelt one is not lost unnoticed. */
function eventIn(value: unknown): LedgerItem {
  const { payload, meta, ...unknown } = asObject(value, 'An event')
  const [name] = Object.keys(unknown)
  if (name !== undefined) {
    throw new EventRefusal(
      'invalid_event',
      `An event has exactly the members payload and meta; "${name}" is not one.`,
    )
  }
  return { payload, meta } as LedgerItem
}

function asObject(value: unknown, where: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>
  throw new EventRefusal('invalid_event', `${where} is a JSON object with the members payload and meta.`)
}

/** Node reads headers as Latin-1; clients that send UTF-8 get their text back, so header and batch keys agree. */
export function textOfHeader(value: string | string[] | undefined): string | undefined {
  const text = Array.isArray(value) ? value[0] : value
  if (text === undefined || /^[\x00-\x7f]*$/.test(text)) return text
  const bytes = Buffer.from(text, 'latin1')
  const decoded = bytes.toString('utf8')
  return Buffer.from(decoded, 'utf8').equals(bytes) ? decoded : text
}
