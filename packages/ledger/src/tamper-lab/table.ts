import { styleText } from 'node:util'

/** How a paragraph looks where colours are wanted. */
export type Style = Parameters<typeof styleText>[0]

/** A paragraph of a cell: wrapped as one text, in one style. */
export interface Paragraph {
  text: string
  style?: Style
}

const gap = 2

/** Divides a width, in characters, among columns in these proportions, less the gaps between them. */
export function columnWidths(width: number, proportions: readonly number[]): number[] {
  const room = width - gap * (proportions.length - 1)
  const sum = proportions.reduce((a, b) => a + b)
  const widths = proportions.map(part => Math.floor((room * part) / sum))
  widths[0]! += room - widths.reduce((a, b) => a + b)
  return widths
}

/** One row as lines: each cell wrapped to its column, side by side, with nothing at the ends of the lines. */
export function rowLines(
  cells: readonly Paragraph[][],
  widths: readonly number[],
  colours: boolean,
): string[] {
  const columns = cells.map((cell, i) =>
    cell.flatMap(({ text, style }) => wrap(text, widths[i]!).map(line => ({ line, style }))),
  )
  const height = Math.max(...columns.map(lines => lines.length))
  return Array.from({ length: height }, (_, y) => {
    let text = ''
    let owed = 0
    columns.forEach((lines, i) => {
      const { line, style } = lines[y] ?? { line: '', style: undefined }
      // Spaces are written once something follows them.
      if (line !== '') text += ' '.repeat(owed) + (colours ? painted(line, style) : line)
      owed = line === '' ? owed + widths[i]! + gap : widths[i]! - line.length + gap
    })
    return text
  })
}

/** A text in a style, for a terminal that is known to show it. */
export function painted(text: string, style: Style | undefined): string {
  return style === undefined ? text : styleText(style, text, { validateStream: false })
}

/** Breaks a text of single-width characters between words, and inside a word that is longer than a line. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (let word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length <= width) {
      line += ` ${word}`
      continue
    }
    if (line !== '') lines.push(line)
    while (word.length > width) {
      lines.push(word.slice(0, width))
      word = word.slice(width)
    }
    line = word
  }
  if (line !== '') lines.push(line)
  return lines
}
