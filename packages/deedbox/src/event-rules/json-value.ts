/**
 * The value of a JSON text, whatever was parsed before it.
 *
 * V8 up to that of Node 26 may read a member name that ends in an escape, such as `"cl\u00e9"`, as another one,
 * `cl\`, once an object with that other name has been parsed anywhere in the process
 * (https://github.com/nodejs/node/issues/63785). So one writer could change what the ledger understands, and commits
 * to, of the event of another. Texts with an escape in a name are therefore read here; all others natively.
 *
 * @throws SyntaxError as `JSON.parse` does, when the text is no JSON
 */
export function jsonValue(text: string): unknown {
  const value: unknown = JSON.parse(text)
  return hasEscapedName(text) ? read(text) : value
}

const quote = 0x22
const colon = 0x3a
const backslash = 0x5c

/** The position of the quote that ends the string which begins at `start`; the text is valid JSON. */
export function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); ; end = text.indexOf('"', end + 1)) {
    let escapes = 0
    while (text.charCodeAt(end - 1 - escapes) === backslash) escapes++
    if (escapes % 2 === 0) return end
  }
}

/** Whether a member name of a valid JSON text is spelled with an escape. */
function hasEscapedName(text: string): boolean {
  // From one string with an escape to the next: most texts have none, and of the others most only in values.
  for (let at = text.indexOf('\\'); at !== -1; ) {
    const end = endOfString(text, text.lastIndexOf('"', at - 1))
    if (text.charCodeAt(skipBlanks(text, end + 1)) === colon) return true
    at = text.indexOf('\\', end)
  }
  return false
}

function skipBlanks(text: string, from: number): number {
  let at = from
  while (text.charCodeAt(at) <= 0x20) at++
  return at
}

/** A plain reader of a valid text. It keeps its own stack, for a text may be nested deeper than ours is. */
function read(text: string): unknown {
  const open: object[] = []
  let name: string | undefined
  let whole: unknown
  const put = (value: unknown) => {
    const holder = open.at(-1)
    if (holder === undefined) whole = value
    else if (Array.isArray(holder)) holder.push(value)
    else {
      // Not an assignment: a member may be called __proto__.
      const member = { value, enumerable: true, configurable: true, writable: true }
      Object.defineProperty(holder, name ?? '', member)
      name = undefined
    }
  }
  for (let i = 0; i < text.length; i++) {
    const c = text[i]!
    if (c === '}' || c === ']') open.pop()
    else if (c === '{' || c === '[') {
      const holder = c === '{' ? {} : []
      put(holder)
      open.push(holder)
    } else if (text.charCodeAt(i) === quote) {
      const end = endOfString(text, i)
      const string: string = JSON.parse(text.slice(i, end + 1))
      i = end
      if (name === undefined && isObject(open.at(-1))) name = string
      else put(string)
    } else if (!/[\s,:]/.test(c)) {
      const start = i
      while (/[^\s,\]}]/.test(text[i + 1] ?? ',')) i++
      put(JSON.parse(text.slice(start, i + 1)))
    }
  }
  return whole
}

function isObject(value: object | undefined): boolean {
  return value !== undefined && !Array.isArray(value)
}
