import { levelNumbers } from '../levels.ts'
import { type FlatRecord, knownLine, scalarText } from './known-lines.ts'
import { cutRow, layout, type Piece, type Row, widthOf } from './layout.ts'
import type { Role } from './palettes.ts'
import { barRows, fieldRows } from './values.ts'
import { visible, visibleLines } from './visible-text.ts'

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

/** From this width on, the rows of a long message stand under its beginning. */
const roomy = 72

/**
 * One line as a person reads it: a head with time, level, message, source and request id, and the fields beneath.
 * Whatever follows the head is indented, so that no value passes for a line of its own.
 */
export function compactRows(record: FlatRecord, options: CompactOptions): Row[] {
  const { width } = options
  const known = knownLine(record)
  const logger = options.logger ?? ''
  const prefix: Piece[] = [
    ...clockPieces(record.timestamp),
    ...levelPieces(record.level, options.number),
    ...(logger === '' ? [] : [['quiet', `${visible(logger)}: `] as const]),
  ]
  const [message = '', ...more] = visibleLines(scalarText(record.message))
  const head = [...prefix, ...(known?.head ?? [['message', message] as const]), ...trailing(record)]
  const rows = layout(head, width, width !== undefined && width >= roomy ? widthOf(prefix) : 4)
  if (more.length > 0) rows.push(...barRows(more.join('\n'), width, 2, 'message'))
  if (known !== undefined) rows.push(cutRow(known.beneath, width))
  for (const [key, value] of Object.entries(record)) {
    const isShown =
      headKeys.has(key) ||
      known?.keys.has(key) ||
      (key === 'logger' && value === options.logger) ||
      (key === 'exception' && typeof value === 'string')
    if (!isShown) rows.push(...fieldRows(key, value, width))
  }
  return [...rows, ...exceptionRows(record.exception, width)]
}

/** A place in the source, as stacks show it. */
const frame = /^\s*(?:at \S+(?: \S+)*:\d+:\d+\)?|File ".+", line \d+, in .*)$/

/** A frame of code that is not the service's. */
const foreignFrame = /^\s+at .*(?:node_modules[\\/]|\bnode:|\(<anonymous>\)|\(native\))/

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
