import type { ParseArgsOptionsConfig } from 'node:util'
import { LedgerError } from '../errors.ts'
import { type EventFilters, eventFilters, filterNames, filtersOf } from '../search/index.ts'

/** Options that say where the ledger is; every command that reads one has them. */
export const placeOptions: ParseArgsOptionsConfig = { data: { type: 'string' }, url: { type: 'string' } }

/** Options that choose events: one per filter (`event_name` is `--event-name`), `--since` and `--until`. */
export const choiceOptions: ParseArgsOptionsConfig = Object.fromEntries(
  [...filterNames, 'since', 'until'].map(name => [optionOf(name), { type: 'string' as const }]),
)

/** The lines of a help text about {@link choiceOptions}. */
export const choiceHelp: string = [
  ...filterNames.map(name => `  ${`--${optionOf(name)} <text>`.padEnd(26)} ${eventFilters[name].about}`),
  '  --since <time>             recorded then or later: RFC 3339, or a span such as 90s, 30m, 1h, 7d ago',
  '  --until <time>             recorded before then: the same',
].join('\n')

/** The lines of a help text about {@link placeOptions}. */
export const placeHelp = `  --data <folder>            the data folder of a ledger; its server may be running (DEEDBOX_DATA, default ./.deedbox)
  --url <base URL>           a running ledger instead (DEEDBOX_URL), with the API key in DEEDBOX_API_KEY`

/**
 * The filters and times among parsed options; spans become RFC 3339 times.
 *
 * @param now milliseconds since the epoch
 * @throws LedgerError `invalid_usage`
 */
export function readChoice(
  values: Readonly<Record<string, unknown>>,
  now: number,
): EventFilters & { since?: string; until?: string } {
  const given: Record<string, string> = {}
  for (const name of filterNames) {
    const value = values[optionOf(name)]
    if (typeof value === 'string') given[name] = value
  }
  const { since, until } = values
  return {
    ...asUsage(() => filtersOf(given)),
    ...(typeof since === 'string' ? { since: instant('--since', since, now) } : {}),
    ...(typeof until === 'string' ? { until: instant('--until', until, now) } : {}),
  }
}

/**
 * A whole number from an option.
 *
 * @throws LedgerError `invalid_usage`
 */
export function readCount(option: string, text: string, most: number): number {
  const count = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
  if (count <= most) return count
  throw new LedgerError(
    'invalid_usage',
    `${option} takes a whole number${most < Number.MAX_SAFE_INTEGER ? ` up to ${most}` : ''}, not "${text}".`,
  )
}

const spans: Readonly<Record<string, number>> = { s: 1e3, m: 6e4, h: 3.6e6, d: 8.64e7, w: 6.048e8 }

function instant(option: string, text: string, now: number): string {
  const [, count, unit = ''] = /^(\d{1,9})([smhdw])$/.exec(text) ?? []
  if (count !== undefined) return new Date(Math.max(0, now - Number(count) * spans[unit]!)).toISOString()
  const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/
  if (rfc3339.test(text) && !Number.isNaN(Date.parse(text))) return text
  throw new LedgerError(
    'invalid_usage',
    `${option} takes a time such as 2026-11-20T18:00:00Z, or a span such as 1h or 7d; not "${text}".`,
  )
}

function optionOf(name: string): string {
  return name.replaceAll('_', '-')
}

function asUsage<T>(read: () => T): T {
  try {
    return read()
  } catch (error) {
    if (error instanceof LedgerError) throw new LedgerError('invalid_usage', error.message, { cause: error })
    throw error
  }
}
