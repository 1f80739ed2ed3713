import { hash } from 'node:crypto'
import type { EventColumns } from '../../events/index.ts'
import { indexedColumns } from './schema.ts'

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

/** 48 bits, so that a term is exact in a double; who wants another value's term has to try 2^48 of them. */
const hexDigits = 12

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

/** The terms of an event, in the order of {@link indexedColumns}. */
export function termsOf(columns: EventColumns): number[] {
  const terms: number[] = []
  for (const column of indexedColumns) {
    const value = columns[column]
    if (value !== null) terms.push(termOf(column, value))
  }
  return terms
}
