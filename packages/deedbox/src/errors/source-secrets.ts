import type { Redactor } from '../safety/index.ts'

/** What a name that says "secret" covers: the literals behind it, as far as its statement goes. */
interface Cover {
  /** How many brackets are open around it; it ends where they close. */
  readonly depth: number
  /** It is a key or is assigned to, so a comma ends it too. */
  readonly endsAtComma: boolean
}

/** Behind these the value of a name may follow on the next line. */
const goesOnBehind = new Set('=:(,?|&+.[{<>'.split(''))
/** Before these the line before goes on. */
const goesOnBefore = new Set('?:.|&+)]},'.split(''))
/** Behind these a brace opens an object, and not the body of a function or class. */
const objectBehind = new Set('=:(,[?|&'.split(''))
/** Behind these a slash begins a pattern. */
const patternBehind = new Set('(,=:[!&|?{};+-*%<>~^'.split(''))

const name = /[\p{L}_$#][\p{L}\p{N}_$-]*/uy
const number = /\d[\w.]*/y
const pattern = /\/(?![*/])(?:[^\\/[\n]|\\.|\[(?:[^\\\]\n]|\\.)*])+\/[a-z]*/y
/** Several in a row are one: code that was commented out. */
const lineComments = /\/\/[^\n]*(?:\n[ \t]*\/\/[^\n]*)*/y
const blockComment = /\/\*[\s\S]*?(?:\*\/|$)/y
const shortNumber = 3
const mostNested = 3

/** A key in PEM over several lines, however it is quoted, concatenated or commented out. */
const beginOfKey = /-{4,5} ?BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY/
const endOfKey = /-{4,5} ?END /

/**
 * Source lines with their secrets blanked: literals that are assigned to, compared with or handed to what has a secret
 * name, and whatever the redactor finds in the text of a literal or a line. (FA-40) A line stays a line.
 *
 * The redactor alone reads `password: string = 'x'` as the name and its value `string`; here source is read as source.
 */
export function redactSource(lines: readonly string[], redactor: Redactor): string[] {
  const blanked = new SecretScan(lines.join('\n'), redactor, 0).blanked().split('\n')
  let inKey = false
  return blanked.map((line, i) => {
    const written = lines[i] ?? ''
    const isOfKey = inKey
    inKey = (inKey || beginOfKey.test(written)) && !endOfKey.test(written)
    if (isOfKey) return redactor.replacement
    const redacted = oneLine(redactor.text(line))
    // A name whose value is on the next line would take the number in the margin for it.
    const next = `${redacted}\n1`
    const isOpen = redactor.text(next) !== next
    return isOpen ? `${redacted} ${redactor.replacement}` : redacted
  })
}

function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, ' ')
}

/** One pass over a piece of source. It need not be whole: a text that has no end ends with the piece. */
class SecretScan {
  readonly #text: string
  readonly #redactor: Redactor
  /** In how many comments within comments this is. */
  readonly #nesting: number
  #at = 0
  #copied = 0
  #out = ''
  #depth = 0
  #last = ''
  #cover: Cover | undefined
  /** The depths at which `${` opened, innermost last. */
  readonly #inTemplate: number[] = []

  constructor(text: string, redactor: Redactor, nesting: number) {
    this.#text = text
    this.#redactor = redactor
    this.#nesting = nesting
  }

  blanked(): string {
    const text = this.#text
    while (this.#at < text.length) this.#step(text[this.#at]!)
    return this.#out + text.slice(this.#copied)
  }

  #step(sign: string): void {
    if (sign === '\n') this.#lineBreak()
    else if (sign === ' ' || sign === '\t' || sign === '\r') this.#at++
    else if (sign === "'" || sign === '"') this.#quoted(sign)
    else if (sign === '`') this.#template(this.#at + 1)
    else if (/[\p{L}_$#]/u.test(sign)) this.#name()
    else if (/\d/.test(sign)) this.#number()
    else if (sign !== '/' || !this.#slash()) this.#sign(sign)
  }

  #sign(sign: string): void {
    const before = this.#last
    this.#at++
    this.#last = sign
    if ('([{'.includes(sign)) {
      const isBody = sign === '{' && (!objectBehind.has(before) || this.#endsArrow())
      if (isBody && this.#cover?.depth === this.#depth) this.#cover = undefined
      this.#depth++
    } else if (')]}'.includes(sign)) {
      if (sign === '}' && this.#inTemplate.at(-1) === this.#depth) {
        this.#inTemplate.pop()
        this.#depth--
        if (this.#cover !== undefined && this.#depth < this.#cover.depth) this.#cover = undefined
        this.#template(this.#at)
        return
      }
      this.#depth--
      if (this.#cover !== undefined && this.#depth < this.#cover.depth) this.#cover = undefined
    } else if (sign === ';' || (sign === ',' && this.#cover?.endsAtComma === true)) {
      if (this.#cover?.depth === this.#depth) this.#cover = undefined
    }
  }

  /** Whether the brace that was just read stands behind an arrow. */
  #endsArrow(): boolean {
    return this.#text
      .slice(Math.max(0, this.#at - 8), this.#at - 1)
      .trimEnd()
      .endsWith('=>')
  }

  #lineBreak(): void {
    this.#at++
    if (this.#cover?.depth !== this.#depth || goesOnBehind.has(this.#last)) return
    const next = /\S/.exec(this.#text.slice(this.#at, this.#at + 200))?.[0] ?? ''
    if (!goesOnBefore.has(next)) this.#cover = undefined
  }

  #slash(): boolean {
    const wordBefore = /\b(?:return|typeof|case|in|of)\s*$/.test(
      this.#text.slice(Math.max(0, this.#at - 12), this.#at),
    )
    const forms = [lineComments, blockComment]
    if (wordBefore || this.#last === '' || patternBehind.has(this.#last)) forms.push(pattern)
    for (const form of forms) {
      const found = this.#match(form)
      if (found === undefined) continue
      if (form === pattern) this.#last = '/'
      else this.#comment(found)
      this.#at += found.length
      return true
    }
    return false
  }

  /** What is commented out may be code as well. */
  #comment(text: string): void {
    if (this.#nesting >= mostNested) return
    const inner = text.replaceAll(/^([ \t]*)\/[/*]/gm, '$1  ')
    // First as the running text that most are.
    const readable = inner.split('\n').map(line => oneLine(this.#redactor.text(line)))
    const blanked = new SecretScan(readable.join('\n'), this.#redactor, this.#nesting + 1).blanked()
    if (blanked === inner) return
    const written = text.split('\n')
    const shown = blanked.split('\n').map((line, i) => {
      const mark = /^[ \t]*\/[/*]/.exec(written[i] ?? '')?.[0] ?? ''
      return mark + line.slice(mark.length)
    })
    this.#replace(this.#at, this.#at + text.length, shown)
  }

  #name(): void {
    const found = this.#match(name) ?? this.#text[this.#at]!
    const end = this.#at + found.length
    if (this.#isSecret(found)) this.#coverBehind(end)
    this.#at = end
    this.#last = 'a'
  }

  #number(): void {
    const found = this.#match(number) ?? '0'
    const end = this.#at + found.length
    if (this.#cover !== undefined && found.length > shortNumber) this.#replace(this.#at, end)
    this.#at = end
    this.#last = '0'
  }

  #quoted(quote: string): void {
    const start = this.#at + 1
    let end = start
    while (end < this.#text.length && this.#text[end] !== quote && this.#text[end] !== '\n')
      end += this.#text[end] === '\\' ? 2 : 1
    end = Math.min(end, this.#text.length)
    const content = this.#text.slice(start, end)
    if (/^[\w.:-]{2,64}$/.test(content) && this.#cover === undefined && this.#isSecret(content))
      this.#coverBehind(end + 1)
    else this.#literal(start, end)
    this.#at = end < this.#text.length && this.#text[end] === quote ? end + 1 : end
    this.#last = 'a'
  }

  /** A template, or the rest of one behind a `}`. */
  #template(start: number): void {
    let end = start
    while (end < this.#text.length && this.#text[end] !== '`' && !this.#text.startsWith('${', end))
      end += this.#text[end] === '\\' ? 2 : 1
    end = Math.min(end, this.#text.length)
    this.#literal(start, end)
    this.#last = 'a'
    if (this.#text[end] === '$') {
      this.#depth++
      this.#inTemplate.push(this.#depth)
      this.#at = end + 2
      this.#last = '('
    } else {
      this.#at = Math.min(end + 1, this.#text.length)
    }
  }

  #literal(start: number, end: number): void {
    const content = this.#text.slice(start, end)
    if (content === '') return
    if (this.#cover !== undefined && !this.#isHarmless(start)) {
      this.#replace(start, end)
      return
    }
    const redacted = this.#redactor.text(content)
    if (redacted !== content) this.#replace(start, end, content.includes('\n') ? undefined : redacted)
  }

  /** What an error says, and where a module is, is never the secret itself. */
  #isHarmless(start: number): boolean {
    return /(?:Error\(|\bfrom |\bimport ?\(?|\brequire\()$/.test(
      this.#text.slice(Math.max(0, start - 16), start - 1),
    )
  }

  #coverBehind(end: number): void {
    if (this.#cover !== undefined) return
    const behind = /^[?!]?\s*['"\]]*\s*([:=])(?![=>])/.exec(this.#text.slice(end, end + 40))
    // Of `['api-key']: …` and `form['password'] = …` the value stands outside of the brackets.
    const isInBrackets = behind?.[0].includes(']') === true
    this.#cover = { depth: this.#depth - (isInBrackets ? 1 : 0), endsAtComma: behind !== null }
  }

  #isSecret(found: string): boolean {
    const bare = found.replace(/^[#_$]+/, '')
    return bare.length > 1 && bare.length <= 128 && this.#redactor.key(bare).secret
  }

  /** A line break that is replaced leaves one behind. */
  #replace(start: number, end: number, by: string | readonly string[] = this.#redactor.replacement): void {
    const breaks = this.#text.slice(start, end).split('\n').length - 1
    const shown = typeof by === 'string' ? oneLine(by) + '\n'.repeat(breaks) : by.join('\n')
    this.#out += this.#text.slice(this.#copied, start) + shown
    this.#copied = end
  }

  #match(form: RegExp): string | undefined {
    form.lastIndex = this.#at
    return form.exec(this.#text)?.[0]
  }
}
