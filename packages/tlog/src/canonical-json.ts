import canonicalize from 'canonicalize'

/**
 * The RFC 8785 (JCS) form of a value: members sorted by UTF-16 code units, ECMAScript numbers and strings, no
 * white space. Two programs that agree on the value agree on the bytes.
 *
 * @throws Error for what JSON cannot express exactly: NaN, infinities, lone surrogates, cycles, `undefined`
 */
export function canonicalJson(value: object): string {
  const text = canonicalize(value)
  if (text === undefined) throw new TypeError('The value has no JSON form.')
  return text
}
