// A second reader of JSON (RFC 8259), one letter after the other, that notices what `JSON.parse` is silent about. It
// is what the strict reader of the ledger is compared with; they share no code.

/** What a text is, and what the strict reader should have against it; no faults: it should be accepted. */
export interface JsonOpinion {
  /** Undefined when the text is no JSON. */
  value: unknown
  faults: ReadonlySet<JsonFault>
}

/** The codes of `LedgerError` that the strict reader uses. */
export type JsonFault =
  | 'malformed_json'
  | 'duplicate_key'
  | 'number_not_exact'
  | 'invalid_text'
  | 'invalid_event'

/** Reads a text. Nesting costs stack here; give it texts of sane depth. */
export function opinionOn(text: string): JsonOpinion {
  const reader = new Reader(text)
  try {
    return { value: reader.whole(), faults: reader.faults }
  } catch (error) {
    if (error !== notJson) throw error
    return { value: undefined, faults: new Set(['malformed_json']) }
  }
}

const notJson = Symbol('not JSON')
const blanks = new Set([' ', '\t', '\n', '\r'])
const escapes = new Map(
  Object.entries({ '"': '"', '\\': '\\', '/': '/', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' }),
)
const words = new Map<string, unknown>(Object.entries({ true: true, false: false, null: null }))

class Reader {
  readonly faults: Set<JsonFault> = new Set()
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  whole(): unknown {
    const value = this.#value()
    this.#blanks()
    if (this.#at < this.#text.length) throw notJson
    return value
  }

  #value(): unknown {
    this.#blanks()
    const c = this.#text[this.#at]
    if (c === '{') return this.#object()
    if (c === '[') return this.#array()
    if (c === '"') return this.#string()
    for (const [word, value] of words) {
      if (this.#text.startsWith(word, this.#at)) {
        this.#at += word.length
        return value
      }
    }
    return this.#number()
  }

  #object(): unknown {
    const names = new Set<string>()
    const members: [string, unknown][] = []
    this.#list('}', () => {
      this.#blanks()
      if (this.#text[this.#at] !== '"') throw notJson
      const name = this.#string()
      this.#blanks()
      this.#take(':')
      if (names.has(name)) this.faults.add('duplicate_key')
      if (name === '__proto__') this.faults.add('invalid_event')
      names.add(name)
      members.push([name, this.#value()])
    })
    return Object.fromEntries(members)
  }

  #array(): unknown[] {
    const items: unknown[] = []
    this.#list(']', () => items.push(this.#value()))
    return items
  }

  #list(end: string, item: () => void): void {
    this.#at++
    this.#blanks()
    if (this.#text[this.#at] === end) {
      this.#at++
      return
    }
    for (;;) {
      item()
      this.#blanks()
      if (this.#text[this.#at] === end) break
      this.#take(',')
    }
    this.#at++
  }

  #string(): string {
    this.#take('"')
    let value = ''
    for (;;) {
      const c = this.#text[this.#at++]
      if (c === undefined || c < ' ') throw notJson
      if (c === '"') break
      value += c === '\\' ? this.#escape() : c
    }
    for (let i = 0; i < value.length; i++) {
      const unit = value.charCodeAt(i)
      const isHigh = unit >= 0xd800 && unit <= 0xdbff
      const next = value.charCodeAt(i + 1)
      if (isHigh && next >= 0xdc00 && next <= 0xdfff) i++
      else if (unit === 0 || (unit >= 0xd800 && unit <= 0xdfff)) this.faults.add('invalid_text')
    }
    return value
  }

  #escape(): string {
    const c = this.#text[this.#at++] ?? ''
    if (c === 'u') {
      const digits = this.#text.slice(this.#at, this.#at + 4)
      if (!/^[0-9a-fA-F]{4}$/.test(digits)) throw notJson
      this.#at += 4
      return String.fromCharCode(Number.parseInt(digits, 16))
    }
    const letter = escapes.get(c)
    if (letter === undefined) throw notJson
    return letter
  }

  #number(): number {
    const form = /-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?/y
    form.lastIndex = this.#at
    const source = form.exec(this.#text)?.[0]
    if (source === undefined) throw notJson
    this.#at += source.length
    const value = Number(source)
    // The double's shortest decimal form has to be this very decimal, and a whole one has to be safe.
    if (!Number.isFinite(value) || Math.abs(value) >= 2 ** 53 || !isSameDecimal(source, String(value))) {
      this.faults.add('number_not_exact')
    }
    return value
  }

  #blanks(): void {
    while (blanks.has(this.#text[this.#at] ?? '')) this.#at++
  }

  #take(c: string): void {
    if (this.#text[this.#at++] !== c) throw notJson
  }
}

/** Compares two decimals as fractions of whole numbers. An exponent beyond any double's is not worth the digits. */
function isSameDecimal(a: string, b: string): boolean {
  const [left, right] = [decimal(a), decimal(b)]
  if (left.digits === 0n || right.digits === 0n) return left.digits === right.digits
  const difference = left.exponent - right.exponent
  if (difference > 5_000n || difference < -5_000n) return false
  return difference >= 0n
    ? left.digits * 10n ** difference === right.digits
    : left.digits === right.digits * 10n ** -difference
}

function decimal(text: string): { digits: bigint; exponent: bigint } {
  const [mantissa = '', exponent = '0'] = text.split(/e/i)
  const [whole = '', fraction = ''] = mantissa.split('.')
  return {
    digits: BigInt(`${whole}${fraction}`.replace(/^-/, '')) * (text.startsWith('-') ? -1n : 1n),
    exponent: BigInt(exponent) - BigInt(fraction.length),
  }
}
