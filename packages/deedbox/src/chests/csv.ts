import { isoMicroseconds } from '../request/index.ts'
import type { Chest, ContextEntry, TrackedValue } from '../tracking/index.ts'
import { loadDriver } from './driver.ts'
import { type LineFileOptions, type LineKind, lineChest } from './line-chest.ts'
import { storableText, storedValue } from './stored-value.ts'

const columns = [
  ...['entry_id', 'request_id', 'name', 'value', 'type', 'created_at', 'route', 'method', 'status', 'error'],
  ...['service', 'env', 'tags'],
]

/** What spreadsheets take for a formula, also with the wide signs of East Asian scripts. */
const isFormula = /^[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/
/** Text that reads as if it had been guarded. */
const asGuarded = /^'[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]/

/**
 * A chest that appends one row for each variable to a CSV file: `csv('vars.csv')`. It needs the package `csv-stringify`. The
 * columns are those of the tables, named in the first row. What a spreadsheet would take for a formula is guarded by a `'`.
 *
 * `value` is to be read by `type`: `string` is the text itself, without the guard; all else is JSON, also `string_json`, which are
 * strings of several lines and the few others that could be misread. A row is one line: in the other columns line breaks are
 * shown by their signs, `␊` and `␍`.
 *
 * A write whose outcome is unknown may be repeated: rows with the same `entry_id` are the same entry.
 * @throws ConfigurationError
 */
export function csv(file: string | URL, options: LineFileOptions = {}): Chest {
  return lineChest(kind, file, options)
}

const kind: LineKind = {
  title: 'CSV',
  taker: 'csv()',
  header: `${columns.join(',')}\n`,
  closing: isQuoted => (isQuoted ? '"\n' : '\n'),
  lines: async (entries, tags, id) => {
    const { stringify } = await loadDriver(id, 'csv-stringify', () => import('csv-stringify/sync'))
    return stringify(entries.map(entry => rowOf(entry, tags).map(guarded)))
  },
}

type Cell = string | number | null

/** What begins with a minus is no formula if it is a number. Older versions of `csv-stringify` guard that, too. */
function guarded(cell: Cell): Cell {
  return typeof cell === 'string' && isFormula.test(cell) ? `'${cell}` : cell
}

function rowOf(entry: ContextEntry, tags: Readonly<Record<string, string>>): Cell[] {
  const { id, requestId, name, value, timestamp, record } = entry
  const { route, method, status, error, service, env } = record
  const { type, text } = cellOf(value)
  return [
    ...[id, line(requestId), line(name), text, type, `${isoMicroseconds(timestamp)}Z`],
    ...[route && line(route), method && line(method), status, error && line(error)],
    ...[line(service), line(env), JSON.stringify({ ...record.tags, ...tags })],
  ]
}

function cellOf(value: TrackedValue): { readonly type: string; readonly text: string | number } {
  if (typeof value === 'number') return { type: 'number', text: value }
  if (typeof value === 'string' && (/[\n\r]/.test(value) || asGuarded.test(value)))
    return { type: 'string_json', text: JSON.stringify(value) }
  return storedValue(value)
}

function line(text: string): string {
  return storableText(text).replaceAll('\n', '␊').replaceAll('\r', '␍')
}
