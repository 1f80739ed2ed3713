import { hash } from 'node:crypto'
import type { EventColumns } from '../../events/index.ts'
import { indexedColumns, segmentLength, segmentRange } from './schema.ts'

/** Terms of values that come again and again, such as names of events and services. */
const cached = new Map<string, number>()
const maxCached = 10_000

/** Identifiers of one request hardly ever come again: keeping their terms would cost more than hashing them. */
const unique: ReadonlySet<keyof EventColumns> = new Set([
  'request_id',
  'trace_id',
  'correlation_id',
  'immutable_trail',
])

/** 40 bits: a term and a place in its segment fit into a double together. */
const hexDigits = 10

/** The term of a value in `event_terms`. Two values may share one, so what a term finds is compared in full. */
export function termOf(column: keyof EventColumns, value: string): number {
  const name = `${column}\n${value}`
  if (unique.has(column)) return hashed(name)
  const known = cached.get(name)
  if (known !== undefined) return known
  const term = hashed(name)
  if (cached.size >= maxCached) cached.clear()
  cached.set(name, term)
  return term
}

function hashed(name: string): number {
  return Number.parseInt(hash('sha256', name, 'hex').slice(0, hexDigits), 16)
}

/**
 * The terms of an event, each once: a pair of values that share a term is found in seconds by whoever looks for one, and
 * a segment that cannot be indexed would end all writing.
 */
export function termsOf(columns: Partial<EventColumns>): number[] {
  const terms: number[] = []
  for (const column of indexedColumns) {
    const value = columns[column]
    if (value == null) continue
    const term = termOf(column, value)
    if (!terms.includes(term)) terms.push(term)
  }
  return terms
}

/**
 * The rows of `event_terms` for a whole segment, in the order of the index.
 *
 * @param columns those of each event of the segment, in order
 */
export function* segmentEntries(
  segment: number,
  columns: Iterable<Partial<EventColumns>>,
): Generator<[segment: number, term: number, position: number]> {
  const [first] = segmentRange(segment)
  const entries: number[] = []
  let place = 0
  for (const event of columns) {
    for (const term of termsOf(event)) entries.push(term * segmentLength + place)
    place++
  }
  // Numbers in a typed array sort about ten times as fast as pairs do.
  for (const entry of Float64Array.from(entries).sort()) {
    yield [segment, Math.floor(entry / segmentLength), first + (entry % segmentLength)]
  }
}
