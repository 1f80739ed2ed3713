/** A point as a server takes it. */
export interface Point {
  readonly measurement: string
  readonly tags: ReadonlyMap<string, string>
  readonly fields: ReadonlyMap<string, FieldValue>
  /** Nanoseconds. */
  readonly time: bigint
}

export interface FieldValue {
  readonly type: 'float' | 'integer' | 'string' | 'boolean'
  readonly value: number | string | boolean
}

/**
 * Reads line protocol, more strictly than any server: what some of them take otherwise is an error. Each point has a time, no
 * name or tag is empty, holds a control character or has a backslash that could be taken for an escape.
 * @throws Error
 */
export function parseLines(text: string): Point[] {
  const reader = new Reader(text)
  const points: Point[] = []
  while (!reader.isAtEnd) {
    points.push(reader.point())
    if (!reader.isAtEnd) reader.expect('\n')
  }
  return points
}

class Reader {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  get isAtEnd(): boolean {
    return this.#at === this.#text.length
  }

  point(): Point {
    if (this.#next === '#') this.#fail('a comment')
    const measurement = this.#name(', ')
    const tags = new Map<string, string>()
    while (this.#skip(',')) {
      const key = this.#name(',= ')
      this.expect('=')
      if (tags.has(key)) this.#fail(`tag ${key} twice`)
      tags.set(key, this.#name(',= '))
    }
    this.expect(' ')
    const fields = new Map<string, FieldValue>()
    do {
      const key = this.#name(',= ')
      this.expect('=')
      if (fields.has(key)) this.#fail(`field ${key} twice`)
      if (key === 'time') this.#fail('a field that servers drop')
      fields.set(key, this.#field())
    } while (this.#skip(','))
    this.expect(' ')
    return { measurement, tags, fields, time: BigInt(this.#match(/-?\d+/y, 'a time')) }
  }

  expect(character: string): void {
    if (!this.#skip(character)) this.#fail(`no ${JSON.stringify(character)}`)
  }

  get #next(): string | undefined {
    return this.#text[this.#at]
  }

  #skip(character: string): boolean {
    if (this.#next !== character) return false
    this.#at++
    return true
  }

  /** @param special what ends a name, unless a backslash is before it */
  #name(special: string): string {
    let name = ''
    for (;;) {
      const character = this.#next
      if (character === undefined || special.includes(character)) break
      this.#at++
      const follower = this.#next ?? ''
      if (character < ' ' || character === '\x7f') this.#fail('a control character in a name')
      if (character === '\\' && follower !== '' && special.includes(follower)) {
        name += follower
        this.#at++
      } else if (character === '\\' && ['\\', '', ',', '=', ' '].includes(follower))
        this.#fail('a stray backslash')
      else name += character
    }
    if (name === '') this.#fail('an empty name')
    return name
  }

  #field(): FieldValue {
    if (this.#next === '"') {
      const text = this.#match(/"(?:[^"\\]|\\["\\])*"/y, 'a string').slice(1, -1)
      return { type: 'string', value: text.replace(/\\(["\\])/g, '$1') }
    }
    const word = this.#match(/[^, \n]+/y, 'a value')
    if (word === 'true' || word === 'false') return { type: 'boolean', value: word === 'true' }
    if (/^-?\d{1,19}i$/.test(word)) return { type: 'integer', value: Number(word.slice(0, -1)) }
    if (/^-?\d+(\.\d+)?(e[-+]?\d+)?$/.test(word)) return { type: 'float', value: Number(word) }
    return this.#fail(`the value ${word}`)
  }

  #match(pattern: RegExp, what: string): string {
    pattern.lastIndex = this.#at
    const [found] = pattern.exec(this.#text) ?? this.#fail(`no ${what}`)
    this.#at += found.length
    return found
  }

  #fail(problem: string): never {
    throw new Error(`unable to parse: ${problem} at ${this.#at} of ${this.#text.slice(0, 200)}`)
  }
}
