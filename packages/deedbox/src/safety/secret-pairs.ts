/** Names longer than this are judged by their end. */
const longestName = 64

/** What joins a name and its value in a sentence, as joi's: `"password" with value "hunter2" fails to match`. */
const phrase = / (?:with value|is|was) (?=\\{0,31}["'`])/g

/** What follows the joint before the value begins: `=>`, `:=`, `==`, white space, one line break. */
const lead = /[=>]{0,2}[ \t\u00a0]*(?:\r?\n)?[ \t]*/y

/** Quotation marks as HTML and JSON escape them. */
const escapedQuote = /(?:&quot;|&#3[49];|\\u002[27])$/

/** The values of these headers contain spaces and semicolons, so they go to the end of the line. */
const wholeLineName = /(?:authorization|cookies?|cookie2)$/i

const quoted = [
  /"[^"\\]*(?:\\.[^"\\]*)*"?/sy,
  /'[^'\\]*(?:\\.[^'\\]*)*'?/sy,
  /`[^`\\]*(?:\\.[^`\\]*)*`?/sy,
  /(\\{1,31}["'`]|&quot;|&#3[49];|\\u002[27])(?:(?!\1)[^\r\n])*(?:\1)?/y,
] as const
/** How `util.inspect` goes on with a text of several lines. */
const goesOn = /(?:\s|\\{1,7}[nrt]){0,64}\+(?:\s|\\{1,7}[nrt]){0,64}(?=["'`])/y
const line = /[^\r\n]+/y
/** A word, in which what may end a value only does so where the text goes on like text. */
const word =
  /(?:[^\s&,;})\]"'`<]|<(?!\/)|[,;})\]"'`](?![\s,;&})\]"'`<{[]|$|\\{0,31}["'`]?[\w.-]{1,64}\\{0,31}["'`]?\s?[:=]))+/y

/**
 * Builds the function that blanks the values of secret names in running text: `name=value`, `name: value` and the
 * like, in forms, headers, logs, JSON (escaped too), inspected objects and XML. Only the value of a secret name is
 * skipped: that of another (`url=…?token=…`) may hold the next pair.
 */
export function pairRedactor(
  replacement: string,
  isSecretName: (name: string) => boolean,
): (text: string, hasPhrases: boolean) => string {
  /** Where the value ends that begins behind a joint, if its name is secret; else where the joint ends. */
  const endBehind = (text: string, start: number, end: number, copied: number): readonly [number, number] => {
    const name = nameBefore(text, start, copied)
    if (name.length < 2 || !isSecretName(name)) return [end, end]
    const at = sticky(lead, text, end)
    // What is blanked already stays as it is, so that redacting twice is redacting once.
    if (replacement !== '' && text.startsWith(replacement, at)) return [at, at + replacement.length]
    return [at, behindReplacement(text, at, endOfValue(text, at, name))]
  }

  /** A value may hold a token that is blanked already, and the brackets of `[redacted]` are no end of a word. */
  const behindReplacement = (text: string, at: number, end: number): number => {
    const around = text.slice(Math.max(at, end - replacement.length + 1), end + replacement.length - 1)
    const found = around.indexOf(replacement)
    return found < 0 || replacement === ''
      ? end
      : Math.max(at, end - replacement.length + 1) + found + replacement.length
  }

  const redactPairs = (text: string): string => {
    let redacted = ''
    let copied = 0
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i)
      if (code !== 58 && code !== 61) continue
      const [at, end] = endBehind(text, i, i + 1, copied)
      if (end === at) continue
      redacted += text.slice(copied, at) + replacement
      copied = end
      i = end - 1
    }
    return copied === 0 ? text : redacted + text.slice(copied)
  }

  const redactPhrases = (text: string): string => {
    let redacted = ''
    let copied = 0
    phrase.lastIndex = 0
    for (let found = phrase.exec(text); found !== null; found = phrase.exec(text)) {
      const [at, end] = endBehind(text, found.index, phrase.lastIndex, copied)
      if (end === at) continue
      redacted += text.slice(copied, at) + replacement
      copied = end
      phrase.lastIndex = end
    }
    return copied === 0 ? text : redacted + text.slice(copied)
  }

  return (text, hasPhrases) => (hasPhrases ? redactPhrases(redactPairs(text)) : redactPairs(text))
}

const element = /(<([\w:.-]{2,64})(?:\s[^<>]{0,256})?>(?:<!\[CDATA\[)?)([^<>]+)(?=<\/|]]>)/g

/** Blanks the text of XML elements with secret names. */
export function blankElements(
  text: string,
  replacement: string,
  isSecretName: (name: string) => boolean,
): string {
  return text.replace(element, (whole, tag: string, name: string) =>
    isSecretName(name) ? tag + replacement : whole,
  )
}

/** An option of a command line and its value, unless that is a word of a sentence: `--token to use`. */
const option = /(--([\w-]{2,64})[ \t]{1,3}(["']?))(?=\S{0,64}[^\sa-z.,;:!?"'-])[^\s"'-][^\s"']*/g

/** Blanks the values of options with secret names, as in `Command failed: psql --password hunter2`. */
export function blankOptions(
  text: string,
  replacement: string,
  isSecretName: (name: string) => boolean,
): string {
  return text.replace(option, (whole, start: string, name: string) =>
    isSecretName(name) ? start + replacement : whole,
  )
}

/** The name that ends before a joint, without what quotes it; empty if there is none. */
function nameBefore(text: string, joint: number, least: number): string {
  let end = joint
  while (end > least && isSpace(text.charCodeAt(end - 1))) end--
  const last = end > least ? text.charCodeAt(end - 1) : 0
  if (isQuote(last)) {
    end--
    while (end > least && text.charCodeAt(end - 1) === 92) end--
  } else if (last === 59 || text.charCodeAt(end - 6) === 92) {
    end -= escapedQuote.exec(text.slice(Math.max(least, end - 6), end))?.[0].length ?? 0
  }
  let start = end
  const first = Math.max(least, end - longestName)
  while (start > first && isOfName(text.charCodeAt(start - 1))) start--
  // `[auth]: ready` names a part of the program; in `user[pin]=1` something stands before the bracket.
  return text.charCodeAt(start) === 91 ? '' : text.slice(start, end)
}

function endOfValue(text: string, at: number, name: string): number {
  for (const form of quoted) {
    let end = sticky(form, text, at)
    if (end === at) continue
    for (let next = sticky(goesOn, text, end); next > end; next = sticky(goesOn, text, end))
      end = quoted.reduce((furthest, each) => Math.max(furthest, sticky(each, text, next)), next)
    return end
  }
  const opening = text.charCodeAt(at)
  if (opening === 91 || opening === 123) return endOfBrackets(text, at)
  return sticky(wholeLineName.test(name) ? line : word, text, at)
}

const bracketOrQuote =
  /[[\]{}]|\\.|"[^"\\]*(?:\\.[^"\\]*)*"?|'[^'\\]*(?:\\.[^'\\]*)*'?|`[^`\\]*(?:\\.[^`\\]*)*`?/gs

/** Where the list or object ends that begins here; the end of the text if it does not. */
function endOfBrackets(text: string, at: number): number {
  let depth = 0
  bracketOrQuote.lastIndex = at
  for (let found = bracketOrQuote.exec(text); found !== null; found = bracketOrQuote.exec(text)) {
    if (found[0] === '[' || found[0] === '{') depth++
    else if (found[0] === ']' || found[0] === '}') depth--
    if (depth === 0) return bracketOrQuote.lastIndex
  }
  return text.length
}

/** Where the match ends that begins here; the beginning itself if there is none. */
function sticky(shape: RegExp, text: string, at: number): number {
  shape.lastIndex = at
  return shape.test(text) ? shape.lastIndex : at
}

function isSpace(code: number): boolean {
  return code === 32 || (code >= 9 && code <= 13) || code === 160
}

function isQuote(code: number): boolean {
  return code === 34 || code === 39 || code === 96
}

/** Letters of alphabets, digits, and `- _ $ % [ ]`. Not the full stop: in `auth.ts:12` the name would be `auth`. */
function isOfName(code: number): boolean {
  return (
    (code >= 97 && code <= 122) ||
    (code >= 65 && code <= 93 && code !== 92) ||
    (code >= 48 && code <= 57) ||
    code === 95 ||
    code === 45 ||
    code === 36 ||
    code === 37 ||
    (code > 191 && code < 8192)
  )
}
