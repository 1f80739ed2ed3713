/**
 * What a terminal would obey or hide instead of showing: control characters, marks that turn the direction of
 * writing, marks of no width, lone surrogates. The two joiners that emoji and scripts need stay.
 */
const unshown: RegExp = /[\p{Cc}\p{Cs}\u2028\u2029]|(?![\u200c\u200d])\p{Cf}/gu

const shortEscapes: Readonly<Record<string, string>> = {
  '\b': '\\b',
  '\t': '\\t',
  '\n': '\\n',
  '\f': '\\f',
  '\r': '\\r',
}

/**
 * The text with everything that a terminal would not show written as JSON writes it, `\u001b`: a value must not be
 * able to colour, move, hide or retitle anything for whoever reads the log.
 */
export function visible(text: string): string {
  return text.replaceAll(unshown, sign => shortEscapes[sign] ?? sign.split('').map(escaped).join(''))
}

function escaped(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`
}

/** The lines of a text that is shown as several, each visible; tabs become blanks. */
export function visibleLines(text: string): string[] {
  return text.split(/\r\n|\n/).map(line => visible(line.replaceAll('\t', '    ')))
}

const narrow = /^[\x20-\x7e]*$/
const wide =
  /[\p{Emoji_Presentation}\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\ufe6f\uff00-\uff60\uffe0-\uffe6\u{20000}-\u{3fffd}]/u
const flat = /[\p{Mn}\p{Me}\p{Cf}]/u

/** How many columns of a terminal a visible text takes. */
export function columnsOf(text: string): number {
  if (narrow.test(text)) return text.length
  let columns = 0
  for (const sign of text) columns += wide.test(sign) ? 2 : flat.test(sign) ? 0 : 1
  return columns
}
