import type { Palette, Role } from './palettes.ts'
import { columnsOf } from './visible-text.ts'

/** A stretch of visible text in one colour; a number stands for one of the colours of request ids. */
export type Piece = readonly [role: Role | number, text: string]

/** One row of a terminal. */
export type Row = readonly Piece[]

/** The columns that a row of pieces takes. */
export function widthOf(row: Row): number {
  return row.reduce((columns, [, text]) => columns + columnsOf(text), 0)
}

/**
 * Breaks pieces into rows between words, and words that are longer than a row anywhere. Without a width there is
 * one row.
 * @param indent blanks that every row but the first begins with, so that no text stands where a line's head does
 */
export function layout(pieces: Row, width: number | undefined, indent: number): Row[] {
  if (width === undefined || widthOf(pieces) <= width) return [pieces]
  const begin = Math.min(indent, Math.floor(width / 2))
  const rows: Piece[][] = []
  let row: Piece[] = []
  let column = 0
  let isFresh = true
  const breakRow = (): void => {
    if (row.at(-1)?.[1].trim() === '' && !isFresh) row.pop()
    rows.push(row)
    row = [['space', ' '.repeat(begin)]]
    column = begin
    isFresh = true
  }
  const put = (role: Role | number, text: string, columns: number): void => {
    row.push([role, text])
    column += columns
    isFresh = false
  }
  for (const [role, text] of pieces) {
    for (const [word] of text.matchAll(/\s+|\S+/g)) {
      const columns = columnsOf(word)
      if (column + columns <= width) put(role, word, columns)
      else if (word.trim() === '') breakRow()
      else {
        if (columns <= width - begin && !isFresh) breakRow()
        let part = ''
        for (const sign of word) {
          if (column + columnsOf(part + sign) > width) {
            put(role, part, columnsOf(part))
            breakRow()
            part = ''
          }
          part += sign
        }
        put(role, part, columnsOf(part))
      }
    }
  }
  rows.push(row)
  return rows
}

/** As much of a row as fits, with an ellipsis where something was left out. */
export function cutRow(pieces: Row, width: number | undefined): Row {
  if (width === undefined || widthOf(pieces) <= width) return pieces
  const [first = []] = layout(pieces, width - 1, 0)
  return [...first, ['quiet', '…']]
}

/** The rows as text, in colour if there is a palette; no line break at the end. */
export function paint(rows: readonly Row[], palette: Palette | undefined): string {
  return rows
    .map(row =>
      merged(row)
        .map(piece => painted(piece, palette))
        .join(''),
    )
    .join('\n')
}

/** Neighbours of one colour become one, which saves most escape sequences. */
function merged(row: Row): Piece[] {
  const pieces: Piece[] = []
  for (const [role, text] of row) {
    const last = pieces.at(-1)
    if (text === '') continue
    if (last?.[0] === role) pieces[pieces.length - 1] = [role, last[1] + text]
    else pieces.push([role, text])
  }
  return pieces
}

function painted([role, text]: Piece, palette: Palette | undefined): string {
  if (palette === undefined) return text
  const { roles, ids } = palette
  const code = typeof role === 'string' ? roles[role] : (ids[role % Math.max(ids.length, 1)] ?? '')
  if (code === '') return text
  // A colour alone is taken back alone; attributes are taken back with it.
  const end = /^(?:38;5;\d+|[39]\d)$/.test(code) ? '39' : '0'
  return `\x1b[${code}m${text}\x1b[${end}m`
}
