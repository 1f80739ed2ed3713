import type { Piece, Row } from './layout.ts'
import { layout, widthOf } from './layout.ts'
import { visible, visibleLines } from './visible-text.ts'

/** Deeper than this, values are not shown; our lines are never so deep, but a line of others may be. */
export const deepest = 24

/** Rows that one text may take, and entries that one list or object may show, where a width is known. */
const mostRows = 8
const mostEntries = 30

/** Columns that a list or an object may take to stand on one row, where no width is known. */
const inlineWidth = 100

/** A text as JSON writes it, visible also where JSON leaves characters raw. */
export function quoted(text: string): string {
  // JSON has escaped what it escapes; what it leaves is made visible without a second backslash.
  return visible(JSON.stringify(text))
}

/** A value that is no list and no object. */
export function scalarPiece(value: unknown): Piece {
  if (typeof value === 'string') return ['string', quoted(value)]
  return typeof value === 'number' ? ['number', String(value)] : ['literal', String(value)]
}

/** Whether a value is a list or an object. */
export function isNested(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}

/** The rows of one field: its key and value on one row if they fit, else the value beneath its key. */
export function fieldRows(key: string, value: unknown, width: number | undefined): Row[] {
  return labelled(
    [
      ['key', bare(key, /^[^\s:"{[#-][^:"]*$/)],
      ['punctuation', ': '],
    ],
    value,
    width,
    2,
  )
}

function labelled(label: Row, value: unknown, width: number | undefined, indent: number): Row[] {
  const start: Row = [['space', ' '.repeat(indent)], ...label]
  if (typeof value === 'string') return textRows(start, value, width, indent)
  if (!isNested(value)) return layout([...start, scalarPiece(value)], width, indent + 2)
  const room = (width ?? inlineWidth) - widthOf(start)
  const inline = inlinePieces(value, room, indent / 2)
  if (inline !== undefined) return [[...start, ...inline]]
  const entries = Object.entries(value)
  const shown = width === undefined ? entries : entries.slice(0, mostEntries)
  const rows = shown.flatMap(([key, entry]) => {
    const entryLabel: Row = Array.isArray(value)
      ? [['punctuation', '- ']]
      : [
          ['key', bare(key, /^[^\s:"{[#-][^:"]*$/)],
          ['punctuation', ': '],
        ]
    return labelled(entryLabel, entry, width, indent + 2)
  })
  const left = entries.length - shown.length
  if (left > 0) rows.push([['quiet', `${' '.repeat(indent + 2)}… ${left} more`]])
  return [...layout(withoutEnd(start), width, indent + 2), ...rows]
}

function textRows(start: Row, text: string, width: number | undefined, indent: number): Row[] {
  if (!text.includes('\n')) {
    const shown = visible(text)
    const most = width === undefined ? Number.POSITIVE_INFINITY : mostRows * width
    // Quotation marks only where the text would pass for something else.
    const isPlain = !/^(?:$|\s|["{[]|-?\d[\d.]*(?:e[+-]?\d+)?$|(?:true|false|null)$)|\s$/i.test(text)
    const whole = isPlain ? shown : quoted(text)
    if (whole.length <= most) return layout([...start, ['string', whole]], width, indent + 2)
    return layout(
      [
        ...start,
        ['string', whole.slice(0, most).toWellFormed()],
        ['quiet', `…\u00a0+${whole.length - most}\u00a0characters`],
      ],
      width,
      indent + 2,
    )
  }
  return [...layout(withoutEnd(start), width, indent + 2), ...barRows(text, width, indent + 2, 'string')]
}

/**
 * The lines of a text beside a bar, so that none of them passes for a field or for a line of the log.
 */
export function barRows(
  text: string,
  width: number | undefined,
  indent: number,
  role: 'string' | 'message',
): Row[] {
  const lines = visibleLines(text)
  const bar: Piece = ['quiet', `${' '.repeat(indent)}│ `]
  const shown = width === undefined ? lines : lines.slice(0, mostEntries)
  const rows = shown.flatMap(line =>
    layout([[role, line]], width === undefined ? undefined : width - indent - 2, 0)
      .slice(0, mostRows)
      .map((row): Row => [bar, ...row]),
  )
  const left = lines.length - shown.length
  return left === 0 ? rows : [...rows, [bar, ['quiet', `… ${left} more lines`]]]
}

/** A value on one row, however long. */
export function inlineRow(value: unknown): Row {
  return inlinePieces(value, Number.POSITIVE_INFINITY, 0) ?? []
}

/** A value on one row, or `undefined` if it takes more columns than there are. */
function inlinePieces(value: unknown, room: number, depth: number): Row | undefined {
  if (!isNested(value)) {
    const piece = scalarPiece(value)
    return widthOf([piece]) <= room ? [piece] : undefined
  }
  if (depth > deepest) return [['quiet', '…']]
  const isList = Array.isArray(value)
  const keys = Object.keys(value)
  const [open, close] = isList ? ['[', ']'] : ['{', '}']
  if (keys.length === 0) return room < 2 ? undefined : [['punctuation', open + close]]
  const blank = isList ? '' : ' '
  const pieces: Piece[] = [['punctuation', open + blank]]
  let left = room - 2 * (1 + blank.length)
  for (const [at, key] of keys.entries()) {
    const before: Piece[] = at === 0 ? [] : [['punctuation', ', ']]
    if (!isList) before.push(['key', bare(key, /^[\w$.-]+$/)], ['punctuation', ': '])
    left -= widthOf(before)
    const inner = inlinePieces(Reflect.get(value, key), left, depth + 1)
    if (inner === undefined) return undefined
    left -= widthOf(inner)
    pieces.push(...before, ...inner)
  }
  return left < 0 ? undefined : [...pieces, ['punctuation', blank + close]]
}

/** A key as it is, if it looks like nothing else; else in quotation marks. */
function bare(key: string, plain: RegExp): string {
  return plain.test(key) && visible(key) === key ? key : quoted(key)
}

/** A label whose value stands beneath it needs no blank at its end. */
function withoutEnd(label: Row): Row {
  const last = label.at(-1)
  return last === undefined ? label : [...label.slice(0, -1), [last[0], last[1].trimEnd()]]
}
