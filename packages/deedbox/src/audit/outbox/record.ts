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

/** No record is longer: variables of a megabyte, each character of them escaped twice, and what is said about them. */
export const longestRecord: number = 8 * 1024 * 1024

/** Bytes that a character of a payload takes, at most, and what stands beside the payload. */
const longestCharacter = 6
const besidePayload = 32 * 1024

const space = 0x20
const lineBreak = 0x0a

/** Bytes that are searched at once for a beginning, and how long one is. */
const searchStretch = 4_096
const longestBeginning = 18
/** Bytes of would-be records that are summed up in vain, for each byte that is read. */
const searchEffort = 16

/** The line of an event. */
export function eventLine(id: number, event: AuditEvent): string {
  return line(
    `{"id":${id},"key":${JSON.stringify(event.idempotencyKey)},"request":${JSON.stringify(event.requestId)},` +
      `"meta":${JSON.stringify(event.meta)},"payload":${JSON.stringify(event.payload)}}`,
  )
}

/** Whether an event is short enough for a record. */
export function isRecordable(event: AuditEvent): boolean {
  const { payload } = event
  if (payload.length > longestRecord) return false
  if (payload.length * longestCharacter + besidePayload <= longestRecord) return true
  return Buffer.byteLength(JSON.stringify(payload)) + besidePayload <= longestRecord
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
  let next = -1
  const search = { left: searchEffort * bytes.length }
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
    if (next < at) {
      next = bytes.indexOf(lineBreak, at)
      if (next < 0) next = bytes.length
    }
    if (next === bytes.length && !isEnd && bytes.length - at < longestRecord)
      return { records, damaged, consumed: at }
    const end = Math.min(bytes.length, next + 1)
    const found = findFrame(bytes, at + 1, end, search)
    if (found !== at + 1) damaged++
    at = found ?? end
  }
  return { records, damaged, consumed: at }
}

/**
 * Where a record begins whose line break before it is damaged, too. No text inside a record looks like one; what somebody
 * made up to look like many costs no more than is left of the effort.
 */
function findFrame(bytes: Buffer, from: number, to: number, search: { left: number }): number | undefined {
  for (let start = from; start < to; start += searchStretch) {
    const text = bytes.toString('latin1', start, Math.min(to, start + searchStretch + longestBeginning))
    for (const { index } of text.matchAll(/[0-9a-f]{8} [0-9]{1,7} \{"/g)) {
      if (index >= searchStretch || search.left <= 0) break
      if (typeof readFrame(bytes, start + index) === 'object') return start + index
      search.left -= Math.min(Number.parseInt(text.slice(index + 9, index + 16), 10), bytes.length - start)
    }
  }
  return undefined
}

/** Where the text of a record lies, if its checksum is right. */
function readFrame(bytes: Buffer, at: number): { from: number; to: number } | 'torn' | 'damaged' {
  if (bytes.length - at < 18 && bytes.indexOf(lineBreak, at) < 0) return 'torn'
  if (bytes[at + 8] !== space) return 'damaged'
  const digits = bytes.subarray(at + 9, at + 17).indexOf(space)
  if (digits < 0) return 'damaged'
  const end = at + 9 + digits
  const head = bytes.toString('latin1', at, end)
  if (!/^[0-9a-f]{8} [0-9]{1,7}$/.test(head)) return 'damaged'
  const from = end + 1
  const to = from + Number(head.slice(9))
  if (to - from > longestRecord) return 'damaged'
  // The text of a record holds no line break; so no byte is summed up for more than one line.
  if (bytes.subarray(from, to).includes(lineBreak)) return 'damaged'
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
