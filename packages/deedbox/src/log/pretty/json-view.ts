import type { Piece, Row } from './layout.ts'
import { deepest, isNested, quoted, scalarPiece } from './values.ts'

/** The rows of an object as JSON with an indentation of two blanks. (FA-11) */
export function jsonRows(object: object): Row[] {
  const rows: Piece[][] = []
  let row: Piece[] = []
  const write = (value: unknown, depth: number): void => {
    if (!isNested(value)) {
      row.push(scalarPiece(value))
    } else if (depth > deepest) {
      row.push(['quiet', '…'])
    } else {
      const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}']
      row.push(['punctuation', open])
      const keys = Object.keys(value)
      for (const [at, key] of keys.entries()) {
        if (at > 0) row.push(['punctuation', ','])
        breakRow(depth + 1)
        if (!Array.isArray(value)) row.push(['key', quoted(key)], ['punctuation', ':'], ['space', ' '])
        write(Reflect.get(value, key), depth + 1)
      }
      if (keys.length > 0) breakRow(depth)
      row.push(['punctuation', close])
    }
  }
  const breakRow = (depth: number): void => {
    rows.push(row)
    row = [['space', '  '.repeat(depth)]]
  }
  write(object, 0)
  return [...rows, row]
}
