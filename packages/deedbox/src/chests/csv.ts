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
const signs = '=+\\-@\uff1d\uff0b\uff0d\uff20'
const isFormula = new RegExp(`^[${signs}\\t\\r]`)
/** Text that reads as if it had been guarded. */
const asGuarded = new RegExp(`^'[${signs}\\t\\r]`)
/** In half of the world rows are divided by a semicolon, and by a tab where they are pasted: a cell would begin behind it. */
const divided = new RegExp(`[;\\t](?=[\\s"]*[${signs}])`)
const semicolons = new RegExp(`;(?=[\\s"]*[${signs}])`, 'g')

/**
 * A chest that appends one row for each variable to a CSV file: `csv('vars.csv')`. It needs the package `csv-stringify`. The
 * columns are those of the tables, named in the first row. What a spreadsheet would take for a formula is guarded by a `'`.
 *
 * `value` is to be read by `type`: `string` is the text itself, without the guard; all else is JSON, also `string_json`, which are
 * strings of several lines and the few others that could be misread. A row is one line: in the other columns line breaks and tabs
 * are shown by their signs, `␊`, `␍` and `␉`, and a semicolon before what would be a formula is a wide one, `；`.
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
  closing: (isQuoted, mark) => (isQuoted ? ` [cut off, ${mark}]"\n` : '\n'),
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
    ...[line(id), line(requestId), line(name), text, type, `${isoMicroseconds(timestamp)}Z`],
    ...[route && line(route), method && line(method), status, error && line(error)],
    ...[line(service), line(env), undivided(JSON.stringify({ ...record.tags, ...tags }))],
  ]
}

function cellOf(value: TrackedValue): { readonly type: string; readonly text: string | number } {
  if (typeof value === 'number') return { type: 'number', text: value }
  const { type, text } =
    typeof value === 'string' && isMisread(value)
      ? { type: 'string_json', text: JSON.stringify(value) }
      : storedValue(value)
  return { type, text: type === 'string' ? text : undivided(text) }
}

function isMisread(text: string): boolean {
  return /[\n\r]/.test(text) || asGuarded.test(text) || divided.test(text) || !text.isWellFormed()
}

/** The same JSON: semicolons stand in its strings alone. Tabs it escapes anyway. */
function undivided(json: string): string {
  return json.replace(semicolons, '\\u003b')
}

function line(text: string): string {
  return storableText(text)
    .replaceAll('\n', '␊')
    .replaceAll('\r', '␍')
    .replaceAll('\t', '␉')
    .replace(semicolons, '；')
}
