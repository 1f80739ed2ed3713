import { crc32 } from 'node:zlib'
import type { AuditEvent } from '../audit-event.ts'
import type { EventMeta } from '../ledger-client.ts'

/**
 * One line of a spool: an event under the number that it has in its spool, or the numbers of events that need no delivery
 * any more, as ranges with both ends.
 */
export type SpoolRecord =
  | { readonly id: number; readonly event: AuditEvent }
  | { readonly settled: readonly (readonly [number, number])[] }

/** What came out of a stretch of bytes. */
export interface SpoolReading {
  readonly records: readonly SpoolRecord[]
  /** Places that could not be read; of whatever stood there at least one record is lost. */
  readonly damaged: number
  /** Bytes that were looked at; what follows is the beginning of a record. */
  readonly consumed: number
}

/** No record is longer: a payload of 64 KiB, each byte of it escaped, and what is said about it. */
export const longestRecord: number = 1024 * 1024

const space = 0x20
const lineBreak = 0x0a

/** The line of an event. */
export function eventLine(id: number, event: AuditEvent): string {
  return line(
    `{"id":${id},"key":${JSON.stringify(event.idempotencyKey)},"request":${JSON.stringify(event.requestId)},` +
      `"meta":${JSON.stringify(event.meta)},"payload":${JSON.stringify(event.payload)}}`,
  )
}

/** The line that says which events need no delivery any more. */
export function settledLine(ids: readonly number[]): string {
  const ranges: [number, number][] = []
  for (const id of ids) {
    const last = ranges.at(-1)
    if (last !== undefined && last[1] + 1 === id) last[1] = id
    else ranges.push([id, id])
  }
  return line(JSON.stringify({ settled: ranges }))
}

/** The checksum comes first and the length second, so that a reader knows what it needs before it looks at the text. */
function line(json: string): string {
  return `${crc32(json).toString(16).padStart(8, '0')} ${Buffer.byteLength(json)} ${json}\n`
}

/**
 * Reads what lines there are. Damage costs the lines that it hits: reading goes on behind the next line break.
 * @param isEnd whether nothing follows, so that a line without an end is a torn one
 */
export function readRecords(bytes: Buffer, isEnd: boolean): SpoolReading {
  const records: SpoolRecord[] = []
  let damaged = 0
  let at = 0
  while (at < bytes.length) {
    // Each write begins with a line break, so that a torn one before it ends there.
    if (bytes[at] === lineBreak) {
      at++
      continue
    }
    const frame = readFrame(bytes, at)
    if (frame === 'torn' && !isEnd) return { records, damaged, consumed: at }
    const record = typeof frame === 'object' ? parse(bytes.toString('utf8', frame.from, frame.to)) : undefined
    if (typeof frame === 'object' && record !== undefined) {
      records.push(record)
      at = frame.to
      continue
    }
    const next = bytes.indexOf(lineBreak, at)
    if (next < 0 && !isEnd && bytes.length - at < longestRecord) return { records, damaged, consumed: at }
    const end = next < 0 ? bytes.length : next + 1
    const found = findFrame(bytes, at + 1, end)
    if (found !== at + 1) damaged++
    at = found ?? end
  }
  return { records, damaged, consumed: at }
}

/** Where a record begins whose line break before it is damaged, too. No text inside a record looks like one. */
function findFrame(bytes: Buffer, from: number, to: number): number | undefined {
  const beginnings = bytes.toString('latin1', from, to).matchAll(/[0-9a-f]{8} [0-9]{1,7} \{"/g)
  for (const { index } of beginnings) {
    if (typeof readFrame(bytes, from + index) === 'object') return from + index
  }
  return undefined
}

/** Where the text of a record lies, if its checksum is right. */
function readFrame(bytes: Buffer, at: number): { from: number; to: number } | 'torn' | 'damaged' {
  if (bytes.length - at < 18 && bytes.indexOf(lineBreak, at) < 0) return 'torn'
  if (bytes[at + 8] !== space) return 'damaged'
  const end = bytes.indexOf(space, at + 9)
  if (end < 0 || end - at > 16) return 'damaged'
  const head = bytes.toString('latin1', at, end)
  if (!/^[0-9a-f]{8} [0-9]{1,7}$/.test(head)) return 'damaged'
  const from = end + 1
  const to = from + Number(head.slice(9))
  if (to - from > longestRecord) return 'damaged'
  if (to > bytes.length) return 'torn'
  return crc32(bytes.subarray(from, to)) === Number.parseInt(head.slice(0, 8), 16) ? { from, to } : 'damaged'
}

function parse(json: string): SpoolRecord | undefined {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { id, key, request, meta, payload, settled } = value as Record<string, unknown>
  if (Array.isArray(settled)) return settled.every(isRange) ? { settled } : undefined
  if (!Number.isSafeInteger(id) || typeof key !== 'string' || typeof request !== 'string') return undefined
  if (typeof payload !== 'string' || typeof meta !== 'object' || meta === null) return undefined
  return {
    id: id as number,
    event: { payload, meta: meta as EventMeta, idempotencyKey: key, requestId: request },
  }
}

function isRange(range: unknown): boolean {
  return Array.isArray(range) && range.length === 2 && range.every(id => Number.isSafeInteger(id))
}
