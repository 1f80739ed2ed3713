import { isCardNumber } from './card-numbers.ts'
import { quote } from './quote.ts'
import { compilePaths, type PathNode } from './redaction-paths.ts'
import { ownCopy } from './remember.ts'
import { secretNameTest } from './secret-names.ts'
import { secretTextRedactor } from './secret-patterns.ts'

/**
 * What is blanked before anything leaves the process. The default list of key names and text patterns is always
 * on; these options add to it, and `allow` takes names from it.
 */
export interface RedactionOptions {
  /** Further key names whose values are secret; case and the separators `_ - . :` do not matter. */
  readonly keys?: readonly string[]
  /** Key names to leave readable although the default list has them, for example `sid`. */
  readonly allow?: readonly string[]
  /**
   * Places to blank, relative to the object handed over: `user.email`, `items[*].iban`, `*.phone`. A `*` stands
   * for exactly one key or index.
   */
  readonly paths?: readonly string[]
  /** Further patterns to blank inside any text. Keep them linear: they run on every value. */
  readonly patterns?: readonly RegExp[]
  /** What stands in place of a secret. Default `[redacted]`. */
  readonly replacement?: string
}

/** What the policy says about one key name. */
export interface KeyRule {
  /** The name as JSON, colon included: `"user_id":`. */
  readonly json: string
  readonly secret: boolean
  /** The name says only that this is a value; what it is of, a member beside it tells: `{ name: …, value: … }`. */
  readonly isValue: boolean
  /** The name is one word of ASCII letters, digits, `_` and `-`. */
  readonly isWord: boolean
}

/** The one redaction policy of an instance; every sink renders through it (design principle 4). */
export interface Redactor {
  /** What stands in place of a secret. */
  readonly replacement: string
  /** The compiled {@link RedactionOptions.paths}, if there are any. */
  readonly paths: PathNode | undefined
  /** The rule for one key name; remembered per name. */
  key(name: string): KeyRule
  /** Running text with its secrets blanked. */
  text(text: string): string
  /** Whether a number is a card number, which no log or ledger needs to hold. */
  isSecretNumber(value: number): boolean
  /**
   * A URL, absolute or path only, with secret query values and its password blanked and the rest byte for byte
   * as it was. (FA-18)
   */
  url(url: string): string
  /**
   * Query parameters as a JSON object: text for a single value, a list for a repeated key, secrets blanked;
   * `null` for an empty query. (IF-15)
   */
  queryJson(query: string): string
}

/** Query parameters beyond this many are left out of {@link Redactor.queryJson}. */
const mostPairs = 1_000

/** How lists of headers, form fields, variables and validation errors call the value of what they name. */
const valueNames: ReadonlySet<string> = new Set(['actual', 'data', 'input', 'received', 'val', 'value'])

/** How many key names a policy remembers: names come from payloads too, so the memory is bounded. */
const rememberedKeys = 2_000
const longestRemembered = 256

/**
 * Builds the redaction policy of one instance.
 * @throws TypeError for a path that cannot be read, and a pattern that is none
 */
export function createRedactor(options: RedactionOptions = {}): Redactor {
  const replacement = options.replacement ?? '[redacted]'
  for (const pattern of options.patterns ?? []) {
    if (!(pattern instanceof RegExp))
      throw new TypeError('A redaction pattern is a RegExp, such as /\\bDE\\d{20}\\b/.')
  }
  const isSecretName = secretNameTest({ keys: options.keys ?? [], allow: options.allow ?? [] })
  const redactShown = secretTextRedactor({
    replacement,
    isSecretName,
    patterns: options.patterns ?? [],
  })
  const redactText = (text: string): string => redactShown(text)
  const rules = new Map<string, KeyRule>()

  const key = (name: string): KeyRule => {
    const known = rules.get(name)
    if (known !== undefined) return known
    // Objects keyed by tokens or card numbers exist, so a name is text like any other.
    const rule = {
      json: `${quote(redactText(name))}:`,
      secret: isSecretName(name),
      isValue: valueNames.has(name.toLowerCase()),
      isWord: /^[\w-]+$/.test(name),
    }
    if (rules.size < rememberedKeys && name.length <= longestRemembered) rules.set(ownCopy(name), rule)
    return rule
  }

  const holdsSecret = (text: string): boolean => redactText(text) !== text

  const redactPair = (pair: string): string => {
    const equals = pair.indexOf('=')
    if (equals < 0) return holdsSecret(decodeQueryText(pair)) ? replacement : pair
    const name = decodeQueryText(pair.slice(0, equals))
    const value = pair.slice(equals + 1)
    const shownName = holdsSecret(name) ? replacement : pair.slice(0, equals)
    const isSecret = value !== '' && (key(name).secret || holdsSecret(decodeQueryText(value)))
    return `${shownName}=${isSecret ? replacement : value}`
  }

  /** Whether nothing in a query is encoded and no name in it is secret: then it is text like any other. */
  const isPlainQuery = (query: string): boolean => {
    if (query.includes('%') || query.includes('+')) return false
    for (let equals = query.indexOf('='); equals >= 0; ) {
      const start = query.lastIndexOf('&', equals) + 1
      if (key(query.slice(start, equals)).secret) return false
      const end = query.indexOf('&', equals)
      equals = end < 0 ? -1 : query.indexOf('=', end)
    }
    return true
  }

  /**
   * Whether a URL is a path and pairs `name=value`, nothing encoded and no name secret: nearly all are, and need not
   * be searched for pairs again.
   */
  const hasPlainPairs = (url: string, question: number): boolean => {
    let start = question + 1
    let isValue = false
    for (let i = 0; i < url.length; i++) {
      const code = url.charCodeAt(i)
      // Percent sign, plus, colon and at sign.
      if (code === 37 || code === 43 || code === 58 || code === 64) return false
      if (code === 38) {
        start = i + 1
        isValue = false
      } else if (code === 61) {
        if (isValue || i < question) return false
        const { secret, isWord } = key(url.slice(start, i))
        if (secret || !isWord) return false
        isValue = true
      }
    }
    return true
  }

  return {
    replacement,
    paths: compilePaths(options.paths ?? []),
    key,
    text: redactText,
    isSecretNumber: value => value >= 2e12 && value < 7e18 && isCardNumber(String(value)),
    url: url => {
      const question = url.indexOf('?')
      if (question < 0) return redactText(url)
      if (hasPlainPairs(url, question)) return redactShown(url, true)
      const query = url.slice(question + 1)
      if (isPlainQuery(query)) return redactText(url)
      return `${redactText(url.slice(0, question))}?${query.split('&').map(redactPair).join('&')}`
    },
    queryJson: query => {
      const members = new Map<string, string[]>()
      for (const pair of query.split('&', mostPairs)) {
        if (pair === '') continue
        const equals = pair.indexOf('=')
        const name = decodeQueryText(equals < 0 ? pair : pair.slice(0, equals))
        const value = equals < 0 ? '' : decodeQueryText(pair.slice(equals + 1))
        const json = quote(key(name).secret && value !== '' ? replacement : redactText(value))
        const values = members.get(name)
        if (values === undefined) members.set(name, [json])
        else values.push(json)
      }
      if (members.size === 0) return 'null'
      let json = ''
      for (const [name, values] of members) {
        json += `${json === '' ? '{' : ','}${quote(redactText(name))}:${values.length > 1 ? `[${values.join(',')}]` : values[0]}`
      }
      return `${json}}`
    },
  }
}

function decodeQueryText(text: string): string {
  if (!text.includes('%') && !text.includes('+')) return text
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return text
  }
}
