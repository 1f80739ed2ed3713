import { type ContextEntry, contextEntry, type StoredEntry, type TrackedValue } from '../tracking/index.ts'

/** A value as BSON gets it: the same, with the names of members written so that every server takes them. */
export type MongoValue =
  | string
  | number
  | boolean
  | null
  | readonly MongoValue[]
  | { readonly [member: string]: MongoValue }

/** The variables of one request as a document. (FC-24) */
export interface MongoDocument {
  /** The record's id, a UUID version 7: the same request is the same document, however often it is written. */
  readonly _id: string
  readonly request_id: string
  readonly at: Date
  /** Microseconds since 1970-01-01 UTC, which `at` has no room for. */
  readonly timestamp: number
  readonly service: string
  readonly env: string
  readonly route: string | null
  readonly method: string | null
  readonly status: number | null
  readonly error: string | null
  readonly tags: Readonly<Record<string, string>>
  readonly values: Readonly<Record<string, MongoValue>>
  /** The place of each variable in its request: what makes the ids of its entries. */
  readonly positions: Readonly<Record<string, number>>
}

/** What an update does to a document: adds what it has not, and its facts if it is new. */
export interface MongoMerge {
  readonly $set: Readonly<Record<string, MongoValue>>
  readonly $setOnInsert: Omit<MongoDocument, '_id' | 'values' | 'positions'>
}

/** What tells documents of chests from those that other programs keep in the same collection. */
export const ownMarks: object = { positions: { $type: 'object' }, timestamp: { $type: 'number' } }

/** The documents that entries make, one for each request. */
export function documentsOf(
  entries: readonly ContextEntry[],
  tags: Readonly<Record<string, string>>,
): MongoDocument[] {
  const ownTags = withTags(tags)
  const documents = new Map<string, Unfinished>()
  // All have the same members in the same order, and nothing is made twice: this is most of what a write costs a service.
  for (const { id: entryId, name, value, record } of entries) {
    const { id, requestId: request_id, timestamp, service, env, route, method, status, error } = record
    let document = documents.get(id)
    if (document === undefined) {
      document = {
        _id: id,
        request_id,
        at: new Date(Math.floor(timestamp / 1_000)),
        timestamp,
        service,
        env,
        route,
        method,
        status,
        error,
        tags: record.tags === undefined ? ownTags : withTags({ ...record.tags, ...tags }),
        values: {},
        positions: {},
      }
      documents.set(id, document)
    }
    const key = keyOf(name)
    put(document.values, key, asMembers(value))
    put(document.positions, key, Number(entryId.slice(id.length + 1)))
  }
  return [...documents.values()]
}

interface Unfinished extends MongoDocument {
  readonly values: Record<string, MongoValue>
  readonly positions: Record<string, number>
}

function withTags(tags: Readonly<Record<string, string>>): Record<string, string> {
  return withKeys(Object.entries(tags), text => text)
}

/** A document whose lists and objects are JSON text, for servers that refuse them as they are. */
export function withTexts(document: MongoDocument): MongoDocument {
  const values = Object.entries(document.values).map(([key, value]) => {
    const isNested = typeof value === 'object' && value !== null
    return [key, isNested ? { [textKey]: JSON.stringify(read(value)) } : value] as const
  })
  return { ...document, values: Object.fromEntries(values) }
}

/** What adds the variables of a document to the one that is there, and changes nothing that it has already. */
export function mergeOf({ _id, values, positions, ...facts }: MongoDocument): MongoMerge {
  const $set: [string, MongoValue][] = []
  for (const [key, value] of Object.entries(values)) $set.push([`values.${key}`, value])
  for (const [key, position] of Object.entries(positions)) $set.push([`positions.${key}`, position])
  return { $set: Object.fromEntries($set), $setOnInsert: facts }
}

/** The entries of a document, in their order. */
export function entriesIn(document: MongoDocument): StoredEntry[] {
  const { _id, request_id, timestamp, service, env, route, method, status, error } = document
  const record = { id: _id, requestId: request_id, timestamp, service, env, route, method, status, error }
  const tags = Object.fromEntries(
    Object.entries(document.tags ?? {}).map(([key, text]) => [nameOf(key), text] as const),
  )
  const values = document.values ?? {}
  return Object.entries(document.positions ?? {})
    .filter(([key]) => Object.hasOwn(values, key))
    .sort(([, one], [, other]) => one - other)
    .map(([key, position]) => {
      const entry = contextEntry(record, position, nameOf(key), read(values[key]!))
      return { key: entry.id, entry, tags }
    })
}

/**
 * A name as a key. Dots and dollar signs mean something in a path, U+0000 ends a key, an empty one is no part of a path,
 * and the driver takes an object with `_bsontype` for one of its own.
 */
export function keyOf(name: string): string {
  if (name === '') return '%'
  if (name === '_bsontype') return '%5Fbsontype'
  if (!special.test(name)) return name
  return name.replace(allSpecial, character => `%${Buffer.from(character).toString('hex').toUpperCase()}`)
}

const special = /[.$%\0]/
const allSpecial = /[.$%\0]/g

function nameOf(key: string): string {
  return key === '%'
    ? ''
    : key.replace(/%([0-9A-F]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))
}

function withKeys<Value, Stored>(
  members: readonly (readonly [name: string, value: Value])[],
  stored: (value: Value) => Stored,
): Record<string, Stored> {
  const made: Record<string, Stored> = {}
  for (const [name, value] of members) put(made, keyOf(name), stored(value))
  return made
}

function put<Value>(to: Record<string, Value>, key: string, value: Value): void {
  if (key !== '__proto__') to[key] = value
  else Object.defineProperty(to, key, { value, enumerable: true, configurable: true, writable: true })
}

function asMembers(value: TrackedValue): MongoValue {
  if (typeof value !== 'object' || value === null) return value
  if (isList(value)) return value.map(asMembers)
  return withKeys(Object.entries(value), asMembers)
}

/** No name makes this key. */
const textKey = '%json'

function read(value: MongoValue): TrackedValue {
  if (typeof value !== 'object' || value === null) return value
  if (isList(value)) return value.map(read)
  const text = value[textKey]
  if (typeof text === 'string') return JSON.parse(text) as TrackedValue
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [nameOf(key), read(member)]))
}

function isList<Item>(value: object | readonly Item[]): value is readonly Item[] {
  return Array.isArray(value)
}
