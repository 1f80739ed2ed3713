import { blankCards } from './card-numbers.ts'
import { blankEncoded } from './percent-encoding.ts'
import { blankElements, blankOptions, pairRedactor } from './secret-pairs.ts'
import { signs, signsOf } from './text-signs.ts'
import { type SecretShape, schemeHint, schemeShapes, tokenHint, tokenShapes } from './token-shapes.ts'

/** Shorter texts hold no secret that its shape could tell. */
const shortest = 6

/** How many names found in texts are remembered, whether secret or not. */
const rememberedNames = 2_000

/** User and password in a URL, slashes escaped or not. A password may hold `@`, and, unencoded, what ends a host. */
const password =
  /((?:\\{0,31}\/){2}[^\s/?#:@[\]"'<>\\]{0,128}:)(?:[^\s/?#"'<>]{1,256}@|(?!\d{1,5}[/?#])[^\s@"'<>]{1,256}@)/g
/** A token in the place of the user. */
const tokenUser = /((?:\\{0,31}\/){2})(?=[\w.~-]{0,64}\d)[\w.~-]{20,128}@/g

/** V8 quotes what it could not parse, which may be a request's body. */
const unparsed =
  /(Unexpected token [^\n]{1,16}?, )(?:\.\.\.)?\\{0,31}"[\s\S]{0,160}?"(?:\.\.\.)?(?= is not valid JSON)/g

/**
 * Builds the function that blanks secrets inside running text: bearer and basic credentials, JSON Web Tokens,
 * API keys of well-known issuers (ours first), passwords in URLs, private keys in PEM, card numbers that pass the
 * Luhn check, `name=value` and `name: value` pairs whose name is secret, all of these percent-encoded too, and the
 * caller's own patterns. Text without any of them is returned as the same string. The function's second argument
 * says that the names of all pairs in the text are known to be harmless.
 */
export function secretTextRedactor(settings: {
  readonly replacement: string
  readonly isSecretName: (name: string) => boolean
  readonly patterns: readonly RegExp[]
}): (text: string, hasPlainPairs?: boolean) => string {
  const { replacement } = settings
  const ownPatterns = settings.patterns.map(
    pattern => new RegExp(pattern.source, `${pattern.flags.replace(/[gy]/g, '')}g`),
  )
  const tokens = tokenShapes(replacement)
  const schemes = schemeShapes(replacement)
  const isSecretName = remember(settings.isSecretName)
  const redactPairs = pairRedactor(replacement, isSecretName)

  const redactOwn = (text: string): string => {
    let redacted = text
    for (const pattern of ownPatterns) redacted = redacted.replace(pattern, () => replacement)
    return redacted
  }

  /** What no encoding hides. */
  const redactShapes = (text: string, seen: number): string => {
    let redacted = text
    if ((seen & signs.quotation) !== 0 && redacted.includes('is not valid JSON'))
      redacted = redacted.replace(unparsed, (_match, start: string) => start + replacement)
    if ((seen & signs.scheme) !== 0 && schemeHint.test(redacted)) redacted = apply(schemes, redacted)
    if ((seen & signs.word) !== 0 && tokenHint.test(redacted)) redacted = apply(tokens, redacted)
    if ((seen & signs.pair) !== 0) {
      if (redacted.includes('@')) {
        redacted = redacted.replace(password, (_match, start: string) => `${start}${replacement}@`)
        redacted = redacted.replace(tokenUser, (_match, start: string) => `${start}${replacement}@`)
      }
    }
    if ((seen & (signs.pair | signs.quotation)) !== 0)
      redacted = redactPairs(redacted, (seen & signs.quotation) !== 0)
    if ((seen & signs.option) !== 0) redacted = blankOptions(redacted, replacement, isSecretName)
    if ((seen & signs.element) !== 0) redacted = blankElements(redacted, replacement, isSecretName)
    if ((seen & signs.digits) !== 0) redacted = blankCards(redacted, replacement)
    return redacted
  }

  const redactDecoded = (decoded: string): string => {
    const redacted = redactOwn(decoded)
    return redactShapes(redacted, signsOf(redacted))
  }

  return (text, hasPlainPairs = false) => {
    const own = redactOwn(text)
    if (own.length < shortest) return own
    const seen = hasPlainPairs ? signsOf(own) & ~signs.pair : signsOf(own)
    if (seen === 0) return own
    const redacted = redactShapes(own, seen)
    return (seen & signs.percent) === 0 ? redacted : blankEncoded(redacted, replacement, redactDecoded)
  }
}

function apply(shapes: readonly SecretShape[], text: string): string {
  let redacted = text
  for (const { shape, replace } of shapes) redacted = redacted.replace(shape, replace)
  return redacted
}

/** Texts repeat their names: `rv`, `at`, `https`. */
function remember(isSecretName: (name: string) => boolean): (name: string) => boolean {
  const known = new Map<string, boolean>()
  return name => {
    const answer = known.get(name)
    if (answer !== undefined) return answer
    const fresh = isSecretName(name)
    if (known.size < rememberedNames) known.set(name, fresh)
    return fresh
  }
}
