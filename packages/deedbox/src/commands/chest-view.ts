import type { StoredEntry, TrackedValue } from '../chests/index.ts'
import { printable } from './log-text.ts'
import { timeText } from './log-times.ts'

/** Characters of a value that a table shows where there is no terminal that has a width. */
const usualValue = 80
/** Fewer are of no use, however narrow the terminal is. */
const leastValue = 20

/** Characters of a variable's or a route's name that a table shows. */
const longestName = 50

/** A stored entry as programs read it: whole. Times are ISO 8601 in UTC, with microseconds. */
export function storedObject({ entry, tags }: StoredEntry): Readonly<Record<string, unknown>> {
  const { id, name, value, requestId, timestamp, record } = entry
  const { service, env, route, method, status, error } = record
  return {
    id,
    request_id: requestId,
    at: microsecondText(timestamp),
    name,
    value,
    service,
    env,
    route,
    method,
    status,
    error,
    tags,
  }
}

/** Stored entries as people read them: values as JSON, so that 1 is not "1", and cut where they are long. */
export function chestTable(rows: readonly StoredEntry[], width: number | undefined): string {
  const head = ['AT (UTC)', 'REQUEST ID', 'REQUEST', 'NAME', 'VALUE']
  const cells = rows.map(({ entry }) => [
    timeText(entry.timestamp / 1_000),
    printable(entry.requestId),
    cut(printable(requestOf(entry.record)), longestName),
    cut(printable(entry.name), longestName),
    printable(JSON.stringify(entry.value)),
  ])
  const table = [head, ...cells]
  const widths = head.map((_, i) => Math.max(...table.map(row => row[i]!.length)))
  const taken = widths.slice(0, -1).reduce((sum, each) => sum + each + 2, 0)
  const room = width === undefined ? usualValue : Math.max(leastValue, width - taken)
  return table
    .map(row => row.map((cell, i) => (i < 4 ? cell.padEnd(widths[i]!) : cut(cell, room))).join('  '))
    .map(line => `${line}\n`)
    .join('')
}

function requestOf({ method, route, status }: StoredEntry['entry']['record']): string {
  return [method, route, status].filter(part => part !== null).join(' ') || '-'
}

/** A value as people read it: its JSON, so that 1 is not "1", cut where it is long. */
export function valueText(value: TrackedValue, most: number): string {
  return cut(JSON.stringify(value), most)
}

function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1).toWellFormed()}…`
}

function microsecondText(microseconds: number): string | null {
  const date = new Date(Math.floor(microseconds / 1_000))
  if (Number.isNaN(date.getTime())) return null
  return date.toISOString().replace('Z', `${String(microseconds % 1_000).padStart(3, '0')}Z`)
}
