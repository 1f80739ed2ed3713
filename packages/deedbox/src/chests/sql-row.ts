import {
  ChestError,
  type ContextEntry,
  contextEntry,
  type StoredEntry,
  type TrackedRecord,
  type TrackedValue,
} from '../tracking/index.ts'
import { rowId } from './row-id.ts'
import { entryIdParts, readValue, storableText, storedValue } from './stored-value.ts'

/** What the entries of a request have in common, as the columns of a database server hold it. */
export interface SqlRecord {
  readonly request_id: string
  /** UTC, with microseconds: `2026-01-31 12:00:00.000001`. */
  readonly created_at: string
  readonly route: string | null
  readonly method: string | null
  readonly status: number | null
  readonly error: string | null
  readonly service: string
  readonly env: string
  /** JSON; `null` for none. */
  readonly tags: string | null
}

/** An entry as the columns of a database server hold it. */
export interface SqlRow {
  /** The same object for the entries of a request that follow one another. */
  readonly record: SqlRecord
  readonly name: string
  readonly value: string
  readonly type: string
  /** Whether the value is to stand in the column `value_json` as well. */
  readonly is_json: boolean
  readonly entry_id: string
}

/** The columns of Flask-Chest; a table without them is another program's. (FC-22) */
export const originalColumns: readonly string[] = ['unique_id', 'request_id', 'name', 'value']

/** Longest id that the column holds, in characters; it is 40 or so. */
const longestId = 255
/** MariaDB takes JSON of 32 levels, MySQL of 100. */
const deepestJson = 30

/**
 * The columns of entries, in their order. A spool that was found twice may bring one twice, which is one row.
 * @param chest the id of the chest
 * @param ownTags of the chest
 * @throws ChestError `refused` for an id that could not be told from others
 */
export function sqlRows(
  entries: readonly ContextEntry[],
  chest: string,
  ownTags: Readonly<Record<string, string>>,
): SqlRow[] {
  const rows = new Map<string, SqlRow>()
  let last: TrackedRecord | undefined
  let record: SqlRecord | undefined
  for (const entry of entries) {
    if (record === undefined || entry.record !== last) {
      last = entry.record
      record = sqlRecord(last, ownTags)
    }
    const id = storable(entry.id)
    if (id.length > longestId)
      throw new ChestError('refused', chest, `the id of an entry has more than ${longestId} characters.`)
    rows.set(id, sqlRow(entry, id, record))
  }
  return [...rows.values()]
}

function sqlRecord(
  { requestId, timestamp, route, method, status, error, service, env, tags }: TrackedRecord,
  ownTags: Readonly<Record<string, string>>,
): SqlRecord {
  return {
    request_id: storable(requestId),
    created_at: utcText(timestamp),
    route: storableOrNull(route),
    method: storableOrNull(method),
    status,
    error: storableOrNull(error),
    service: storable(service),
    env: storable(env),
    tags: tagsText({ ...tags, ...ownTags }),
  }
}

function sqlRow({ name, value }: ContextEntry, id: string, record: SqlRecord): SqlRow {
  const { type, text } = storedValue(value)
  return {
    record,
    name: storable(name),
    value: type === 'json' ? wellFormedJson(text) : text.toWellFormed(),
    type,
    // JSONB cannot hold U+0000.
    is_json: type === 'json' && !text.includes('\\u0000') && isWithin(value, deepestJson),
    entry_id: id,
  }
}

function tagsText(tags: Readonly<Record<string, string>>): string | null {
  const pairs = Object.entries(tags)
  if (pairs.length === 0) return null
  return JSON.stringify(Object.fromEntries(pairs.map(pair => pair.map(storable))))
}

/** JSON as servers take it: half a surrogate pair, which `JSON.stringify` writes as an escape, is shown by its sign. */
function wellFormedJson(text: string): string {
  if (!text.includes('\\ud')) return text
  return text.replace(/\\(?:ud[89a-f][0-9a-f]{2}|.)/g, part => (part.length === 6 ? '\ufffd' : part))
}

/** Servers refuse half a surrogate pair, or what becomes of it in JSON. */
function storable(text: string): string {
  return storableText(text).toWellFormed()
}

function storableOrNull(text: string | null): string | null {
  return text === null ? null : storable(text)
}

function isWithin(value: TrackedValue, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true
  return levels > 0 && Object.values(value).every((part: TrackedValue) => isWithin(part, levels - 1))
}

function utcText(microseconds: number): string {
  const milliseconds = Math.floor(microseconds / 1_000)
  const rest = String(Math.floor(microseconds - milliseconds * 1_000)).padStart(3, '0')
  return new Date(milliseconds).toISOString().replace('T', ' ').replace('Z', rest)
}

/** What is read of a row, each column as text. */
export interface ReadRow {
  readonly unique_id: string
  readonly request_id: string | null
  readonly name: string | null
  readonly value: string | null
  readonly type: string | null
  /** Microseconds since 1970. */
  readonly created_at: string | null
  readonly entry_id: string | null
  readonly route: string | null
  readonly method: string | null
  readonly status: string | null
  readonly error: string | null
  readonly service: string | null
  readonly env: string | null
  readonly tags: string | null
}

/** What tells the rows of a table from those of others, where they have no id and no time of their own. */
export interface TablePlace {
  readonly place: string
  /** Microseconds since 1970 at which this package first saw it. */
  readonly adoptedAt: number
}

/** Whether an entry cannot be made of a row alone: it was written by another program. */
export function isForeign({ entry_id, created_at }: ReadRow): boolean {
  return created_at === null || entryIdParts(entry_id ?? '') === undefined
}

/** The entry of a row. A foreign one needs its place. */
export function entryOf(
  row: ReadRow,
  { place, adoptedAt }: TablePlace = { place: '', adoptedAt: 0 },
): StoredEntry {
  const key = Number(row.unique_id)
  const parts = entryIdParts(row.entry_id ?? '') ?? { record: rowId(place, key), position: 0 }
  const record = {
    id: parts.record,
    requestId: row.request_id ?? '',
    // No two rows without a time get the same: databases of measurements know points by it.
    timestamp: row.created_at === null ? adoptedAt + key : Number(row.created_at),
    service: row.service ?? '',
    env: row.env ?? '',
    route: row.route,
    method: row.method,
    status: row.status === null ? null : Number(row.status),
    error: row.error,
  }
  const value = readValue(row.type, row.value)
  const tags = readValue('json', row.tags)
  return {
    key,
    entry: contextEntry(record, parts.position, row.name ?? '', value),
    tags: typeof tags === 'object' && tags !== null ? (tags as Record<string, string>) : {},
  }
}

/**
 * Divides rows into statements, in their order. One that is too large by itself stands alone.
 * @param sizeOf the size of a row, in whatever `most` is counted in
 */
export function portionsOf<Row>(rows: readonly Row[], sizeOf: (row: Row) => number, most: number): Row[][] {
  const portions: Row[][] = []
  let size = Number.POSITIVE_INFINITY
  for (const row of rows) {
    const more = sizeOf(row)
    if (size + more > most) {
      portions.push([])
      size = 0
    }
    portions.at(-1)?.push(row)
    size += more
  }
  return portions
}
