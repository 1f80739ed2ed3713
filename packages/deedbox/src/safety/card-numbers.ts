/**
 * Whether a digit string, whatever stands between its digits, is a plausible card number: 13 to 19 digits that begin
 * as an issuer's do, with a correct Luhn check digit (ISO/IEC 7812-1). No issuer has 20, as dates of this century do.
 */
export function isCardNumber(text: string): boolean {
  let sum = 0
  let digits = 0
  for (let i = text.length - 1; i >= 0; i--) {
    const digit = text.charCodeAt(i) - 48
    if (digit < 0 || digit > 9) continue
    const weighted = digits % 2 === 1 ? digit * 2 : digit
    sum += weighted > 9 ? weighted - 9 : weighted
    digits++
  }
  return digits >= 13 && digits <= 19 && sum % 10 === 0 && issuer.test(text)
}

const issuer = /^(?:2[2-7]|3[04-9]|[4-6])/

/** Where a number begins: hashes and UUIDs, one in ten of which passes Luhn, have hex digits and hyphens there. */
const start = String.raw`(?:(?<![\dA-Za-z-]|\d\.)|(?<=\\[bfnrt]|\\u[\dA-Fa-f]{4}|[g-zG-Z][a-fA-F]{0,8}[_-]?))`
const end = String.raw`(?![\dA-Za-z]|\.\d|-[\dA-Za-z])`

const together = new RegExp(String.raw`${start}[2-6](?:[ -]?\d){12,18}${end}`, 'g')
/** The groups in which cards print their number, whatever stands between and around them. */
const grouped = new RegExp(
  String.raw`${start}(?:[2-6]\d{3}([^\dA-Za-z]{1,2})\d{4}\1\d{4}\1\d{4}|3\d{3}([^\dA-Za-z]{1,2})\d{6}\2\d{4,5})(?!\d)`,
  'g',
)
/** The number alone, with other digits behind a space beside it. */
const alone = new RegExp(String.raw`${start}[2-6]\d{12,18}${end}`, 'g')

const groups = /\d{4}[^\dA-Za-z]{1,2}\d{4,6}[^\dA-Za-z]{1,2}\d{4}/
const run = /\d{13}/
const looseRun = /\d(?:[ -]?\d){12}/

/** Blanks the card numbers in a text. */
export function blankCards(text: string, replacement: string): string {
  const blank = (match: string): string => (isCardNumber(match) ? replacement : match)
  let redacted = text
  if (groups.test(redacted)) redacted = redacted.replace(grouped, blank)
  if (run.test(redacted)) redacted = redacted.replace(alone, blank)
  return looseRun.test(redacted) ? redacted.replace(together, blank) : redacted
}
