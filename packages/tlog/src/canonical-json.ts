// One text per JSON value (RFC 8785, JCS).
//
// JSON leaves the writer free: order of members, white space, escapes, spellings of a number. What is to be
// hashed must not have that freedom, or two programs that agree on a value disagree about its hash. RFC 8785
// takes the freedom away: members sorted by the UTF-16 code units of their names, numbers and strings as
// ECMAScript writes them, no white space, UTF-8.
//
// What is committed to is brought into this form once, when it is first written. From then on its bytes are
// what counts: a verifier hashes what is stored and never writes it anew.

import canonicalize from 'canonicalize'
import { TlogError } from './errors.ts'

/**
 * The RFC 8785 form of a value. What is taken for its value is what `JSON.stringify` would take: `toJSON` is
 * asked, members that are `undefined` or functions are left out, and in an array they are `null`.
 *
 * Give it what a strict reader has passed: of duplicate members only the last is left by the time anything
 * arrives here, and of an inexact number only its neighbour.
 * @throws TlogError `malformed_text` for what has no JSON text: NaN, infinities, big integers, lone
 * surrogates, a value that contains itself
 */
export function canonicalJson(value: object): string {
  let text: string | undefined
  try {
    text = canonicalize(value)
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error)
    throw new TlogError('malformed_text', `The value has no canonical JSON form: ${reason}`)
  }
  if (text === undefined) throw new TlogError('malformed_text', 'The value has no JSON form at all.')
  return text
}

/**
 * The object that a JSON text holds, or `undefined`. Tells nothing about its spelling: whoever takes one
 * spelling only writes the object anew and compares.
 */
export function parseJsonObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return isJsonObject(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** Whether a parsed value is an object, and neither an array nor null. */
export function isJsonObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
