import { isUtf8 } from 'node:buffer'
import { EventRefusal } from './event-refusal.ts'
import { endOfString, jsonValue } from './json-value.ts'

/**
 * JSON that means the same to everybody who reads it.
 *
 * `JSON.parse` accepts texts over which two readers may disagree: of two equal keys it keeps the last, it rounds
 * numbers, it takes lone surrogates that no UTF-8 can carry. What is committed to must not depend on the reader,
 * so such texts are refused (pitfall P27). The native parser still does the work: afterwards one pass over the
 * text counts its member names and looks at its numbers, and one over the value counts its members. If the text
 * names more members than the value has, a name stood twice.
 */
export function parseStrictJson(bytes: Uint8Array, where: string): unknown {
  if (!isUtf8(bytes)) {
    throw new EventRefusal('malformed_json', `${where} is not valid UTF-8. Send JSON encoded as UTF-8.`)
  }
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8')
  return parseStrictJsonText(text, where)
}

/** {@link parseStrictJson} for a text that is already decoded. */
export function parseStrictJsonText(text: string, where: string): unknown {
  let value: unknown
  try {
    value = jsonValue(text)
  } catch (error) {
    throw new EventRefusal('malformed_json', `${where} is not valid JSON: ${parserSentence(error)}.`)
  }
  // Without an escape there is nothing in a string that the bytes, which are UTF-8, or the parser would not have refused.
  const hasEscapes = text.includes('\\u') || !text.isWellFormed()
  const names = scanTokens(text, where)
  if (names !== countMembers(value, where, hasEscapes)) {
    throw new EventRefusal(
      'duplicate_key',
      `${where} names a member twice in one object. Send each name once.`,
    )
  }
  return value
}

/**
 * The number of member names in a valid JSON text. Throws if one of its numbers would be changed by reading it.
 * A loop, not a pattern: a regular expression runs out of stack on a string of millions of escapes.
 */
function scanTokens(text: string, where: string): number {
  let names = 0
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c === quote) i = endOfString(text, i)
    // Outside strings, a colon stands after a member's name and nowhere else.
    else if (c === colon) names++
    else if (c === minus || (c >= zero && c <= nine)) {
      const start = i
      while (isNumberPart(text.charCodeAt(i + 1))) i++
      checkNumber(text.slice(start, i + 1), where)
    }
  }
  return names
}

const quote = 0x22
const colon = 0x3a
const minus = 0x2d
const zero = 0x30
const nine = 0x39

/** Digits, sign, point and exponent; the text is valid JSON already. */
function isNumberPart(c: number): boolean {
  return (c >= zero && c <= nine) || c === 0x2e || c === 0x2b || c === minus || c === 0x65 || c === 0x45
}

function countMembers(value: unknown, where: string, checkTexts: boolean): number {
  let members = 0
  const open: unknown[] = [value]
  while (open.length > 0) {
    const next = open.pop()
    if (typeof next === 'string') {
      if (checkTexts) checkText(next, where)
    } else if (Array.isArray(next)) for (const item of next) open.push(item)
    else if (typeof next === 'object' && next !== null) {
      for (const [name, member] of Object.entries(next)) {
        if (name === '__proto__') {
          throw new EventRefusal(
            'invalid_event',
            `${where} has a member named "__proto__", which is not accepted.`,
          )
        }
        if (checkTexts) checkText(name, where)
        members++
        open.push(member)
      }
    }
  }
  return members
}

/** Refuses what UTF-8 (lone surrogates) or PostgreSQL text (U+0000) cannot carry unchanged. */
export function checkText(text: string, where: string): void {
  if (!text.isWellFormed()) {
    throw new EventRefusal(
      'invalid_text',
      `${where} holds half of a surrogate pair, which no UTF-8 can carry.`,
    )
  }
  if (text.includes('\u0000')) {
    throw new EventRefusal('invalid_text', `${where} holds the character U+0000, which is not accepted.`)
  }
}

function checkNumber(source: string, where: string): void {
  const value = Number(source)
  const exact =
    Number.isFinite(value) &&
    Math.abs(value) <= Number.MAX_SAFE_INTEGER &&
    (source === String(value) || decimalOf(source) === decimalOf(String(value)))
  if (exact) return
  throw new EventRefusal(
    'number_not_exact',
    `${where} holds the number ${source.slice(0, 40)}, which a double cannot hold exactly. Send it as a string.`,
  )
}

/**
 * One spelling for each decimal value: sign, digits without outer zeros, exponent. Loops, not patterns: one that
 * looks for zeros at the end of millions of digits starts anew at every zero on its way.
 */
function decimalOf(source: string): string {
  const [mantissa = '', exponent = '0'] = source.toLowerCase().split('e')
  const sign = mantissa.startsWith('-') ? '-' : ''
  const [whole = '', fraction = ''] = mantissa.slice(sign.length).split('.')
  const digits = `${whole}${fraction}`
  let start = 0
  while (digits.charCodeAt(start) === zero) start++
  let end = digits.length
  while (end > start && digits.charCodeAt(end - 1) === zero) end--
  if (start === end) return '0'
  const power = Number(exponent) - fraction.length + (digits.length - end)
  return `${sign}${digits.slice(start, end)}e${power}`
}

/** The parser's own words without the piece of the input that newer engines quote: it may hold a secret. */
function parserSentence(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  const position = /at position \d+/.exec(message)
  return position === null
    ? 'it ends too early or holds something that is not JSON'
    : `unexpected text ${position[0]}`
}
