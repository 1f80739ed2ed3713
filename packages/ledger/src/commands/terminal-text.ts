/** Colours of the terminal that the commands use. */
export type Colour = 'red' | 'yellow' | 'green' | 'cyan' | 'dim' | 'bold'

const codes: Readonly<Record<Colour, string>> = {
  red: '31',
  yellow: '33',
  green: '32',
  cyan: '36',
  dim: '2',
  bold: '1',
}

/** Paints a text, or leaves it as it is where no colours are wanted. */
export type Paint = (colour: Colour, text: string) => string

/** Colours on a terminal, unless `NO_COLOR` is set (https://no-color.org) or the terminal is a dumb one. */
export function painter(isTerminal: boolean, env: NodeJS.ProcessEnv): Paint {
  const plain = !isTerminal || (env.NO_COLOR !== undefined && env.NO_COLOR !== '') || env.TERM === 'dumb'
  return plain ? (_colour, text) => text : (colour, text) => `\u001b[${codes[colour]}m${text}\u001b[0m`
}

/** Control characters, line breaks and direction marks in what somebody else wrote must not steer the terminal. */
export function printable(text: string): string {
  return text
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, c => `\\u${c.codePointAt(0)!.toString(16).padStart(4, '0')}`)
}

/** How many cells of a terminal a printable text takes. */
export function cellsOf(text: string): number {
  let cells = 0
  for (const character of text) cells += cellsOfOne(character)
  return cells
}

function cellsOfOne(character: string): number {
  if (character <= '\u02ff') return 1
  if (/\p{M}/u.test(character)) return 0
  return /[\u1100-\u115f\u3000-\u303e\uff00-\uff60\uffe0-\uffe6]|\p{sc=Han}|\p{sc=Hira}|\p{sc=Kana}|\p{sc=Hang}|\p{Emoji_Presentation}/u.test(
    character,
  )
    ? 2
    : 1
}

/** A printable text in exactly `width` cells: padded, or cut with an ellipsis. */
export function fitted(text: string, width: number): string {
  const cells = cellsOf(text)
  if (cells <= width) return text + ' '.repeat(width - cells)
  let cut = ''
  let used = 0
  for (const character of text) {
    const next = cellsOfOne(character)
    if (used + next > width - 1) break
    cut += character
    used += next
  }
  return `${cut}…${' '.repeat(Math.max(0, width - used - 1))}`
}

/** A bar of up to `width` cells for `value` of `most`; what is not nothing is at least visible. */
export function bar(value: number, most: number, width: number): string {
  if (value <= 0 || most <= 0) return ''
  const eighths = Math.max(1, Math.round((value / most) * width * 8))
  return '█'.repeat(Math.floor(eighths / 8)) + ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'][eighths % 8]
}

/** A number with separators, `1,234,567`. */
export function grouped(value: number): string {
  return value.toLocaleString('en')
}
