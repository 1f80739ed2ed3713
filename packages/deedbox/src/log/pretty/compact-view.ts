import { levelNumbers } from '../levels.ts'
import { cutRow, layout, type Piece, type Row, widthOf } from './layout.ts'
import type { Role } from './palettes.ts'
import { barRows, fieldRows } from './values.ts'
import { visible, visibleLines } from './visible-text.ts'

/** A parsed line of the flat format. */
export type FlatRecord = Readonly<Record<string, unknown>>

/** What the line itself does not say. */
export interface CompactOptions {
  /** Columns of the terminal; without them nothing is wrapped or cut. */
  readonly width: number | undefined
  /** The number of the level, for levels of the service's own. */
  readonly number: number | undefined
  /** The name of the logger, for lines of a named one. */
  readonly logger: string | undefined
}

/** Keys that the head shows. */
const headKeys: ReadonlySet<string> = new Set(['timestamp', 'level', 'message', 'source', 'request_id'])

/** What the head of a request line shows besides, and what stands on the quiet row beneath it. */
const requestKeys: ReadonlySet<string> = new Set([
  'method',
  'path_with_query',
  'status_code',
  'response_length',
  'elapsed',
  'ttfb',
  'schema',
  'protocol',
  'remote_ip',
  'user',
  'route',
  'referer',
  'user_agent',
])

/** From this width on, the rows of a long message stand under its beginning. */
const roomy = 72

/**
 * One line as a person reads it: a head with time, level, message, source and request id, and the fields beneath.
 * Whatever follows the head is indented, so that no value passes for a line of its own.
 */
export function compactRows(record: FlatRecord, options: CompactOptions): Row[] {
  const { width } = options
  const isRequest = isRequestLine(record)
  const logger = options.logger ?? ''
  const prefix: Piece[] = [
    ...clockPieces(record.timestamp),
    ...levelPieces(record.level, options.number),
    ...(logger === '' ? [] : [['quiet', `${visible(logger)}: `] as const]),
  ]
  const [message = '', ...more] = visibleLines(scalarText(record.message))
  const middle: Piece[] = isRequest ? requestPieces(record) : [['message', message]]
  const head = [...prefix, ...middle, ...trailing(record)]
  const rows = layout(head, width, width !== undefined && width >= roomy ? widthOf(prefix) : 4)
  if (!isRequest && more.length > 0) rows.push(...barRows(more.join('\n'), width, 2, 'message'))
  if (isRequest) rows.push(cutRow(quietRow(record), width))
  for (const [key, value] of Object.entries(record)) {
    const isShown =
      headKeys.has(key) ||
      (isRequest && requestKeys.has(key)) ||
      (key === 'logger' && value === options.logger) ||
      (key === 'exception' && typeof value === 'string')
    if (!isShown) rows.push(...fieldRows(key, value, width))
  }
  return [...rows, ...exceptionRows(record.exception, width)]
}

/** A place in the source, as stacks show it. */
const frame = /^\s+at \S+(?: \S+)*:\d+:\d+\)?$/

/** A frame of code that is not the service's. */
const foreignFrame = /^\s+at .*(?:node_modules|node:|<anonymous>|native)/

/** The exception as it would stand on a terminal without us: several lines, none of them escaped. */
export function exceptionRows(exception: unknown, width: number | undefined): Row[] {
  if (typeof exception !== 'string') return []
  return visibleLines(exception).flatMap(line => {
    const row: Row = [
      ['space', '  '],
      [foreignFrame.test(line) ? 'quiet' : 'failure', line],
    ]
    // A frame stays whole, because terminals make links of its place.
    return frame.test(line) ? [row] : layout(row, width, 4)
  })
}

function isRequestLine({ message, method, status_code }: FlatRecord): boolean {
  return (
    (message === 'log request' || message === 'Unhandled exception') &&
    typeof method === 'string' &&
    typeof status_code === 'number'
  )
}

/** The time of day as the line has it; the date is the same all day. */
function clockPieces(timestamp: unknown): Piece[] {
  const clock = /^\d{4}-\d\d-\d\dT(\d\d:\d\d:\d\d\.\d{3})\d*(Z|[+-]\d\d:?\d\d)?$/.exec(scalarText(timestamp))
  if (clock !== null)
    return [['quiet', `${clock[1]}${/^[+-]00:?00$/.test(clock[2] ?? '') ? 'Z' : (clock[2] ?? '')} `]]
  return timestamp === undefined ? [] : [['quiet', `${visible(scalarText(timestamp))} `]]
}

const levelRoles: Readonly<Record<string, Role>> = {
  TRACE: 'trace',
  DEBUG: 'debug',
  INFO: 'info',
  SUCCESS: 'success',
  WARNING: 'warning',
  ERROR: 'error',
  CRITICAL: 'critical',
}

function levelPieces(level: unknown, number: number | undefined): Piece[] {
  if (level === undefined) return []
  const name = scalarText(level)
  const known = Object.hasOwn(levelRoles, name) ? levelRoles[name] : undefined
  return [
    [known ?? roleOfNumber(number), visible(name)],
    ['space', ' '.repeat(Math.max(1, 9 - name.length))],
  ]
}

/** A level of the service's own looks like the most severe of ours that is not above it. */
function roleOfNumber(number: number | undefined): Role {
  if (number === undefined) return 'message'
  const below = Object.entries(levelNumbers).findLast(([, known]) => known <= number)
  return levelRoles[below?.[0] ?? 'TRACE'] ?? 'trace'
}

function trailing(record: FlatRecord): Piece[] {
  const pieces: Piece[] = []
  if (record.source !== undefined) pieces.push(['quiet', `  ${visible(scalarText(record.source))}`])
  if (record.request_id !== undefined) {
    const id = scalarText(record.request_id)
    pieces.push(['space', '  '], [hueOf(id), `#${visible(shortId(id))}`])
  }
  return pieces
}

/** The end of a long id, because those that begin with the time begin alike. */
function shortId(id: string): string {
  return id.length <= 12 ? id : id.slice(-8)
}

function hueOf(id: string): number {
  let sum = 0
  for (let i = 0; i < id.length; i++) sum = (sum * 31 + id.charCodeAt(i)) >>> 0
  return sum
}

/** Method, path, status, duration and size of a request at a glance. */
function requestPieces(record: FlatRecord): Piece[] {
  const status = Number(record.status_code)
  const pieces: Piece[] = [
    ['message', `${visible(scalarText(record.method))} ${visible(scalarText(record.path_with_query))}`],
  ]
  pieces.push(['space', ' '], [statusRole(status), String(status)])
  if (record.message !== 'log request') pieces.push(['error', `  ${scalarText(record.message)}`])
  if (typeof record.elapsed === 'number') pieces.push(['number', `  ${duration(record.elapsed)}`])
  if (typeof record.response_length === 'number') pieces.push(['quiet', `  ${size(record.response_length)}`])
  return pieces
}

function statusRole(status: number): Role {
  if (status >= 500) return 'error'
  if (status >= 400) return 'warning'
  return status >= 300 || status < 200 ? 'info' : 'success'
}

/** What is seldom looked for; the id comes first and whole, so that it can be copied. */
function quietRow(record: FlatRecord): Row {
  const { request_id, remote_ip, schema, protocol, user, route, ttfb, referer, user_agent } = record
  const parts = [
    scalarText(request_id),
    scalarText(remote_ip),
    user === undefined ? '' : `user ${scalarText(user)}`,
    route === undefined ? '' : `route ${scalarText(route)}`,
    user_agent === '-' ? '' : scalarText(user_agent),
    referer === '-' || referer === undefined ? '' : `from ${scalarText(referer)}`,
    typeof ttfb === 'number' ? `first byte ${duration(ttfb)}` : '',
    [schema, protocol].map(scalarText).filter(Boolean).join('/'),
  ]
  return [['quiet', `  ${visible(parts.filter(Boolean).join(' · '))}`]]
}

/** Seconds, as a person says them; the blank before the unit breaks no row. */
function duration(seconds: number): string {
  if (seconds >= 60) return `${Math.floor(seconds / 60)}\u00a0min\u00a0${Math.round(seconds % 60)}\u00a0s`
  if (seconds >= 1) return `${seconds.toFixed(2)}\u00a0s`
  return seconds >= 0.001 ? `${(seconds * 1_000).toFixed(1)}\u00a0ms` : `${Math.round(seconds * 1e6)}\u00a0µs`
}

/** Bytes, as a person says them. */
function size(bytes: number): string {
  if (bytes < 1_000) return `${bytes}\u00a0B`
  if (bytes < 1_000_000) return `${(bytes / 1_000).toFixed(1)}\u00a0kB`
  return bytes < 1e9 ? `${(bytes / 1e6).toFixed(1)}\u00a0MB` : `${(bytes / 1e9).toFixed(1)}\u00a0GB`
}

function scalarText(value: unknown): string {
  if (value === undefined) return ''
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '')
}
