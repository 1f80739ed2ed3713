import { remember } from '../safety/index.ts'
import type { ContextEntry, TrackedRecord } from '../tracking/index.ts'
import { FieldTypes, type InfluxType } from './influx-fields.ts'
import { type Member, pointLine, pointName, quotedField } from './influx-line.ts'

/**
 * - `request`: one point for each request, its variables are its fields, and so is its id.
 * - `flask-chest`: the original's, one point for each variable, and a series for each request. (FC-17)
 */
export type InfluxLayout = 'request' | 'flask-chest'

/** How entries become points. */
export interface PointSettings {
  readonly layout: InfluxLayout
  /** The measurement of the layout `request`. */
  readonly measurement: string
  readonly tags: Readonly<Record<string, string>>
  /** Whether route and method are tags, not fields, in the layout `request`. */
  readonly routeTags: boolean
  readonly types: Readonly<Record<string, InfluxType>>
}

/** A point, and what it is made of. */
export interface InfluxPoint {
  readonly line: string
  readonly measurement: string
  /** Of its fields. */
  readonly keys: readonly string[]
  /** Made of these again, it is one point again. */
  readonly entries: readonly ContextEntry[]
}

/** Makes the points of requests. It knows what types fields have, and learns them from a server's refusals. */
export interface PointWriter {
  /** The points of one request; its entries are all of one record. */
  points(entries: readonly ContextEntry[]): InfluxPoint[]
  /** As {@link FieldTypes.learn}. */
  learn(measurement: string, key: string, type: string): boolean
}

/** Keys that InfluxDB or a query would take for something else, or not take at all. */
export const reservedKeys: readonly string[] = ['time', '_time', '_field', '_measurement', '_value']

/** The fields of a request beside its variables. */
export const factKeys: readonly string[] = [
  'request_id',
  'service',
  'env',
  'route',
  'method',
  'status',
  'error',
]

/** Makes points as settings say. */
export function pointWriter(settings: PointSettings): PointWriter {
  const tags = Object.entries(settings.tags).map(([key, value]): Member => [pointName(key), value])
  const tagKeys = new Set(tags.map(([key]) => key))
  if (settings.layout === 'flask-chest') {
    const types = new FieldTypes(settings.types, tagKeys)
    return {
      points: entries => entries.map(entry => variablePoint(entry, tagsOf(entry.record, tags), types)),
      learn: (measurement, key, type) => types.learn(measurement, key, type),
    }
  }
  const types = new FieldTypes(settings.types, [...reservedKeys, ...factKeys, ...tagKeys])
  return {
    points: entries => [requestPoint(entries, settings, tagsOf(entries[0]!.record, tags), tagKeys, types)],
    learn: (measurement, key, type) => types.learn(measurement, key, type),
  }
}

const meant: ReadonlySet<string> = new Set([...reservedKeys, ...factKeys])

/** Those of the chest, and those that an exporter brings along; what means something else there gets another name. */
function tagsOf({ tags: carried }: TrackedRecord, own: readonly Member[]): readonly Member[] {
  if (carried === undefined) return own
  const all = Object.entries(carried).map(
    ([key, text]): Member => [pointName(meant.has(key) ? `${key}_tag` : key), text],
  )
  return [...new Map([...all, ...own])]
}

function variablePoint(entry: ContextEntry, tags: readonly Member[], types: FieldTypes): InfluxPoint {
  const { name, value, requestId, record } = entry
  const measurement = pointName(name)
  const field = types.fieldFor(measurement, 'value', name, value)
  const line = pointLine(measurement, [['request_id', requestId], ...tags], [field], timeOf(record))
  return { line, measurement, keys: [field[0]], entries: [entry] }
}

const variableKey = remember(pointName, 2_000)

function requestPoint(
  entries: readonly ContextEntry[],
  { measurement, routeTags }: PointSettings,
  tags: readonly Member[],
  tagged: ReadonlySet<string>,
  types: FieldTypes,
): InfluxPoint {
  const { record } = entries[0]!
  const { requestId, service, env, route, method, status, error } = record
  const fields: Member[] = []
  const tell = (key: string, text: string | null): void => {
    if (text !== null && !tagged.has(key)) fields.push([key, quotedField(text)])
  }
  tell('request_id', requestId)
  tell('service', service)
  tell('env', env)
  if (!routeTags) {
    tell('route', route)
    tell('method', method)
  }
  tell('error', error)
  if (status !== null) fields.push(['status', `${status}i`])
  for (const { name, value } of entries)
    fields.push(types.fieldFor(measurement, variableKey(name), name, value))
  const whereTags: Member[] = routeTags
    ? [
        ['route', route ?? ''],
        ['method', method ?? ''],
      ]
    : []
  const line = pointLine(measurement, [...whereTags, ...tags], fields, timeOf(record))
  return { line, measurement, keys: fields.map(([key]) => key), entries }
}

/**
 * The end of a request in nanoseconds. Points with the same tags and the same time are one point to InfluxDB: within its
 * microsecond a record has a place of its own, as far as a thousand places go, the same whenever it is written.
 */
function timeOf({ id, timestamp }: TrackedRecord): bigint {
  let hash = 0x811c9dc5
  for (let i = 0; i < id.length; i++) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193)
  return BigInt(Math.round(timestamp)) * 1_000n + BigInt((hash >>> 0) % 1_000)
}
