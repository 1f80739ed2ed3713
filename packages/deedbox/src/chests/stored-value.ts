import type { ContextEntry, TrackedValue } from '../tracking/index.ts'

/**
 * What the text of a value is. `string`: the string itself; `string_json`: its JSON, for a string that not every database
 * holds as text; each other type: the value's JSON.
 */
export type StoredType = 'string' | 'string_json' | 'number' | 'boolean' | 'null' | 'json'

/** A value as columns hold it, the same in every database with columns. (FC-23) */
export interface StoredValue {
  readonly type: StoredType
  readonly text: string
}

/** Splits a value into its type and its text; {@link readValue} is the way back. */
export function storedValue(value: TrackedValue): StoredValue {
  if (typeof value === 'string')
    return value.includes('\0')
      ? { type: 'string_json', text: JSON.stringify(value) }
      : { type: 'string', text: value }
  return { type: typeOf(value), text: JSON.stringify(value) }
}

function typeOf(value: Exclude<TrackedValue, string>): StoredType {
  if (value === null) return 'null'
  return typeof value === 'number' ? 'number' : typeof value === 'boolean' ? 'boolean' : 'json'
}

/**
 * The value of such columns. Rows of Flask-Chest have no type, and are strings; so is what somebody spoilt.
 * @param type as the database holds it
 * @param text `null` in rows of others
 */
export function readValue(type: string | null, text: string | null): TrackedValue {
  if (text === null) return null
  if (type === null || type === 'string') return text
  try {
    return JSON.parse(text) as TrackedValue
  } catch {
    return text
  }
}

/** A name or an id as every database holds it: U+0000 is shown by its sign, which PostgreSQL would refuse. */
export function storableText(text: string): string {
  return text.includes('\0') ? text.replaceAll('\0', '␀') : text
}

/**
 * The two parts of an entry's id: its record's, and its place in it. `undefined` for text that is no such id.
 * @param id the `id` of an entry
 */
export function entryIdParts(
  id: ContextEntry['id'],
): { readonly record: string; readonly position: number } | undefined {
  const [, record, position] = /^(.+)\.(\d{1,15})$/s.exec(id) ?? []
  return record === undefined ? undefined : { record, position: Number(position) }
}
