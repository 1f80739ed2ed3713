/** One kind of secret that is recognised by its shape, wherever in a text it stands. */
interface SecretShape {
  readonly shape: RegExp
  readonly replace: (match: string, ...groups: string[]) => string
}

// Each family of shapes stands behind a cheap test that every text containing one of them passes and that nearly
// all ordinary texts fail, so that the plain case costs three short scans.
const tokenHint =
  /eyJ|earer |EARER |asic |deed_|iml_|[sr]k_|gh[pousr]_|github_|glpat-|xox[a-z]-|A[KS]IA|AIza|PRIVATE KEY/
const cardHint = /\d(?:[ -]?\d){12}/
const pairHint = /[=:@]/
const secretNameHint =
  /(?:pass|pwd|token|secret|key|auth|bearer|cookie|credential|card|number|cvv|cvc|otp|pan|pin|session|sig|ssn|jwt|sid)[\w-]{0,40}(?:\[\]|\])?\\{0,7}["']?\s{0,3}[=:]/i

/** Shorter texts hold no secret that its shape could tell. */
const shortest = 6

/**
 * Builds the function that blanks secrets inside running text: bearer and basic credentials, JSON Web Tokens,
 * API keys of well-known issuers (ours first), passwords in URLs, private keys in PEM, card numbers that pass the
 * Luhn check, `name=value` and `name: value` pairs whose name is secret, and the caller's own patterns.
 * Text without any of them is returned as the same string.
 */
export function secretTextRedactor(settings: {
  readonly replacement: string
  readonly isSecretName: (name: string) => boolean
  /** Whether `isSecretName` knows names beyond the default list, which {@link secretNameHint} cannot foresee. */
  readonly hasOwnNames: boolean
  readonly patterns: readonly RegExp[]
}): (text: string) => string {
  const { replacement, isSecretName, hasOwnNames } = settings
  const ownPatterns = settings.patterns.map(
    pattern => new RegExp(pattern.source, `${pattern.flags.replace(/[gy]/g, '')}g`),
  )
  const tokens = tokenShapes(replacement)
  const redactPairs = pairRedactor(replacement, isSecretName)
  const cards: readonly SecretShape[] = [
    {
      // Digits inside a word or next to a hyphen are pieces of hashes and UUIDs, one in ten of which passes Luhn.
      shape: /(?<![\dA-Za-z-]|\d\.)[2-6](?:[ -]?\d){12,18}(?![\dA-Za-z]|\.\d|-[\dA-Za-z])/g,
      replace: match => (isCardNumber(match) ? replacement : match),
    },
  ]

  return text => {
    let redacted = text
    for (const pattern of ownPatterns) redacted = redacted.replace(pattern, replacement)
    if (redacted.length < shortest) return redacted
    if (tokenHint.test(redacted)) redacted = apply(tokens, redacted)
    if (pairHint.test(redacted)) {
      redacted = redacted.replace(/(:\/\/[^\s/?#:@]*:)[^\s/?#@]+@/g, `$1${replacement}@`)
      if (hasOwnNames || secretNameHint.test(redacted)) redacted = redactPairs(redacted)
    }
    if (cardHint.test(redacted)) redacted = apply(cards, redacted)
    return redacted
  }
}

/**
 * Whether a digit string (spaces and hyphens allowed) is a plausible card number: 13 to 19 digits, an issuer
 * digit of 2 to 6, and a correct Luhn check digit (ISO/IEC 7812-1).
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
  const issuer = text.charCodeAt(0) - 48
  return digits >= 13 && digits <= 19 && issuer >= 2 && issuer <= 6 && sum % 10 === 0
}

function tokenShapes(replacement: string): readonly SecretShape[] {
  const keepIssuer = (_match: string, issuer = ''): string => `${issuer}${replacement}`
  const keepScheme = (_match: string, scheme = ''): string => `${scheme} ${replacement}`
  return [
    {
      shape: /-----BEGIN ([A-Z ]{0,30}PRIVATE KEY)-----[\s\S]*?(?:-----END \1-----|$)/g,
      replace: () => replacement,
    },
    {
      shape: /\b([Bb]earer|BEARER)\s+(?:[\w.~+/=-]{16,}|(?=[A-Za-z]{0,15}[\d_.~+/=-])[\w.~+/=-]{4,})/g,
      replace: keepScheme,
    },
    { shape: /\b([Bb]asic)\s+(?=[a-z]{0,15}[A-Z0-9+/=])[A-Za-z0-9+/]{6,}={0,2}/g, replace: keepScheme },
    // A run of `-eyJ-eyJ…` is searched once and not once per beginning.
    { shape: /\beyJ(?:(?!-eyJ)[\w-]){5,}\.[\w-]{5,}(?:\.[\w-]*)?/g, replace: () => replacement },
    {
      shape:
        /\b(deed_|iml_live_|iml_test_|[sr]k_live_|[sr]k_test_|gh[pousr]_|github_pat_|glpat-|xox[a-z]-)[\w-]{8,}/g,
      replace: keepIssuer,
    },
    { shape: /\b(AKIA|ASIA)[0-9A-Z]{16}\b/g, replace: keepIssuer },
    { shape: /\b(AIza)[\w-]{35}\b/g, replace: keepIssuer },
  ]
}

/** A name and what stands between it and its value, in forms, headers, logs and JSON, escaped JSON included. */
const pairStart = /(?<![\w-])([\w-]{2,64})((?:\[\]|\])?\\{0,7}["']?\s{0,3}[:=]\s{0,3})/g

/** The values of these headers contain spaces and semicolons, so they go to the end of the line. */
const wholeLineName = /^(?:(?:proxy-)?authorization|(?:set-)?cookie)$/i

const quotedValue = /"(?:[^"\\]|\\.)*"?|(\\{1,7}["'])(?:(?!\1)[^\r\n])*(?:\1)?/y
const lineValue = /[^\r\n]+/y
const wordValue = /'[^']*'?|[^\s,;&})\]"']+/y

/** Only the value of a secret name is skipped: that of another (`url=…?token=…`) may hold the next pair. */
function pairRedactor(
  replacement: string,
  isSecretName: (name: string) => boolean,
): (text: string) => string {
  return text => {
    let redacted = ''
    let copied = 0
    pairStart.lastIndex = 0
    for (let start = pairStart.exec(text); start !== null; start = pairStart.exec(text)) {
      const [whole, name = ''] = start
      if (!isSecretName(name)) continue
      const at = start.index + whole.length
      // What is blanked already stays as it is, so that redacting twice is redacting once.
      const end = text.startsWith(replacement, at) ? at + replacement.length : endOfValue(text, at, name)
      if (end === at) continue
      redacted += text.slice(copied, at) + replacement
      copied = end
      pairStart.lastIndex = end
    }
    return copied === 0 ? text : redacted + text.slice(copied)
  }
}

function endOfValue(text: string, at: number, name: string): number {
  for (const form of [quotedValue, wholeLineName.test(name) ? lineValue : wordValue]) {
    form.lastIndex = at
    if (form.test(text)) return form.lastIndex
  }
  return at
}

function apply(shapes: readonly SecretShape[], text: string): string {
  let redacted = text
  for (const { shape, replace } of shapes) redacted = redacted.replace(shape, replace)
  return redacted
}
