import { UsageError } from './usage-error.ts'

/**
 * An instant in milliseconds since 1970, with fractions, from what lines have: ISO 8601, or a number of seconds, milli-,
 * micro- or nanoseconds, which is told by its size.
 */
export function instantOf(value: unknown): number | undefined {
  if (typeof value === 'number') return ofNumber(value)
  if (typeof value !== 'string') return undefined
  if (/^\d{9,20}(\.\d+)?$/.test(value)) return ofNumber(Number(value))
  if (!/^\d{4}-\d\d-\d\d/.test(value)) return undefined
  const parsed = Date.parse(value)
  if (Number.isNaN(parsed)) return undefined
  // Date knows no microseconds, and lines of one millisecond have an order too.
  const [, beyond] = /\.\d{3}(\d{1,6})/.exec(value) ?? []
  return beyond === undefined ? parsed : parsed + Number(`0.${beyond}`)
}

/** The last millisecond that a Date can be; what lies beyond is no time. */
const lastInstant = 8.64e15

function ofNumber(number: number): number | undefined {
  if (!(number > 0 && number / 1e6 <= lastInstant)) return undefined
  if (number < 1e11) return number * 1e3
  if (number < 1e14) return number
  return number < 1e17 ? number / 1e3 : number / 1e6
}

const spans: Readonly<Record<string, number>> = { s: 1e3, m: 6e4, h: 3.6e6, d: 8.64e7, w: 6.048e8 }

/**
 * The instant that an option names: a time, or a span before now such as `10m`.
 * @throws UsageError
 */
export function readInstant(option: string, text: string, now: number): number {
  const span = spanOf(text)
  if (span !== undefined) return now - span
  const instant = /^\d{4}-\d\d-\d\d/.test(text) ? instantOf(text) : undefined
  if (instant !== undefined) return instant
  throw new UsageError(
    `${option} takes a time such as 2026-11-20T18:00:00Z, or a span such as 10m, 2h or 7d; not "${text}".`,
  )
}

/**
 * The span that an option names, in milliseconds.
 * @throws UsageError
 */
export function readSpan(option: string, text: string): number {
  const span = spanOf(text)
  if (span !== undefined && span > 0) return span
  throw new UsageError(`${option} takes a span such as 30s, 5m or 1h; not "${text}".`)
}

function spanOf(text: string): number | undefined {
  const [, count, unit = ''] = /^(\d{1,9})([smhdw])$/.exec(text) ?? []
  return count === undefined ? undefined : Number(count) * (spans[unit] ?? 0)
}

/** An instant as people read it, in UTC. */
export function timeText(instant: number): string {
  const date = new Date(instant)
  return Number.isNaN(date.getTime()) ? '' : date.toISOString().replace('T', ' ').replace('Z', '')
}
