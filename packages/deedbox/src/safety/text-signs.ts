/** What was seen in a text: only where a sign is set, the costlier search for that kind of secret can find any. */
export const signs = {
  /** A sign that joins names and values, or user and host: `:`, `=` or `@`. */
  pair: 1,
  /** A percent sign. */
  percent: 2,
  /** Thirteen digits or more without a letter between them. */
  digits: 4,
  /** A word as keys and tokens are: ten characters or more, not all of them letters, or all capitals; or `yJ`. */
  word: 8,
  /** A white space, or what forms and JSON write for it, behind the last letter of `Bearer` or `Basic`. */
  scheme: 16,
  /** The end of an element: `</`. */
  element: 32,
  /** Two hyphens behind a white space or at the beginning, as options have them. */
  option: 64,
  /** A space before a quotation mark, escaped or not. */
  quotation: 128,
} as const

/** Tokens and keys are at least this long. */
const longestPlainWord = 9
const fewestDigits = 13

const lower = 1
const upper = 2
const digit = 3
const joint = 4
const pairing = 5
const space = 6
const quotation = 7
const slash = 8
const percent = 9

const kinds = new Uint8Array(128)
for (let code = 0; code < 128; code++) {
  const letter = String.fromCharCode(code)
  if (/[a-z]/.test(letter)) kinds[code] = lower
  else if (/[A-Z]/.test(letter)) kinds[code] = upper
  else if (/\d/.test(letter)) kinds[code] = digit
  else if (/[_-]/.test(letter)) kinds[code] = joint
  else if (/[:=@]/.test(letter)) kinds[code] = pairing
  else if (/[\s+\\]/.test(letter)) kinds[code] = space
  else if (/["'`]/.test(letter)) kinds[code] = quotation
  else if (letter === '/') kinds[code] = slash
  else if (letter === '%') kinds[code] = percent
}

/**
 * The signs of a text, in one pass over it: each log line goes through here several times, and a pass costs less
 * than one search by a regular expression.
 */
export function signsOf(text: string): number {
  let found = 0
  let digits = 0
  let word = 0
  let isPlain = true
  let lowers = 0
  let last = 0
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    const kind = code < 128 ? kinds[code]! : 0
    if (kind >= lower && kind <= joint) {
      word++
      if (kind === lower) {
        lowers++
        digits = 0
      } else if (kind === upper) {
        digits = 0
        if (code === 74 && last === 121) found |= signs.word
      } else {
        isPlain = false
        if (code === 45 && last === 45 && word === 2) found |= signs.option
        if (kind === digit && ++digits >= fewestDigits) found |= signs.digits
      }
      // One lower-case letter may be that of an escape: `\nAKIA…`.
      if (word > longestPlainWord && !(isPlain && lowers > 1)) found |= signs.word
    } else {
      word = 0
      isPlain = true
      lowers = 0
      if (kind === pairing) found |= signs.pair
      else if (kind === percent) found |= signs.percent
      // Of `bearer` and `basic`, in either case.
      else if (kind === space) {
        if (code === 92 && last === 32) found |= signs.quotation
        if (last === 114 || last === 82 || last === 99 || last === 67) found |= signs.scheme
      } else if (kind === quotation) {
        if (last === 32) found |= signs.quotation
      } else if (kind === slash && last === 60) found |= signs.element
    }
    last = code
  }
  return found
}
