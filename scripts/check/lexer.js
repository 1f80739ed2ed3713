// Cuts TypeScript or JavaScript text into tokens, so that what looks like code inside a string, a template, a
// regular expression or a comment is never mistaken for code. It does not parse; its readers look for short
// token sequences. Text that is not TypeScript (the prose inside JSX) gives odd tokens, never an exception.

/** @typedef {import('./lexer.js').Token} Token */

const wordStart = /[\p{ID_Start}$_#]/u
const wordPart = /[\p{ID_Continue}$\u200c\u200d]/u
const longMarks = ['...', '=>', '?.']
const substitution = '$' + '{'

/** After these words a slash starts a regular expression; after any other word it divides. */
const wordsBeforeRegex = new Set(
  'return typeof case in of instanceof new delete void throw await yield else do'.split(' '),
)
/** A closing parenthesis ends a condition, and a statement may follow, only if it was opened after these. */
const wordsBeforeCondition = new Set(['if', 'while', 'for', 'with'])

/**
 * @param {string} text
 * @returns {Token[]}
 */
export function lex(text) {
  /** @type {Token[]} */
  const tokens = []
  /** The templates whose `${` is open: the token, and how many braces were open before it. */
  /** @type {{ token: Token, braces: number }[]} */
  const templates = []
  /** @type {boolean[]} */
  const conditions = []
  let braces = 0
  let at = 0
  let line = 1
  let spaced = false
  let regexAllowed = true
  /** @type {string | undefined} */
  let doc

  while (at < text.length) {
    const char = charAt(text, at)
    if (char === '\n' || char.trim() === '') {
      if (char === '\n') line += 1
      at += char.length
      spaced = true
    } else if (text.startsWith('//', at)) {
      at = endOfLine(text, at)
      spaced = true
    } else if (text.startsWith('/*', at)) {
      const close = text.indexOf('*/', at + 2)
      const comment = text.slice(at, close === -1 ? text.length : close + 2)
      if (comment.startsWith('/**') && comment !== '/**/') doc = comment
      line += newlines(comment)
      at += comment.length
      spaced = true
    } else {
      at = readToken(char)
    }
  }
  return tokens

  /** @param {string} char @returns {number} where the next token may start */
  function readToken(char) {
    if (char === '`') return readTemplate(add('template', at + 1, ''), at + 1)
    const open = templates.at(-1)
    if (char === '}' && open !== undefined && open.braces === braces) {
      templates.pop()
      return readTemplate(open.token, at + 1)
    }
    if (char === '"' || char === "'") {
      const end = endOfString(text, at)
      if (end !== -1) return finish(add('string', end, resolveEscapes(text.slice(at + 1, end - 1))), false)
    } else if (wordStart.test(char)) {
      const token = add('word', endOfWord(text, at))
      return finish(token, wordsBeforeRegex.has(token.text))
    } else if (/[0-9]/.test(char)) {
      return finish(add('number', endOfNumber(text, at)), false)
    } else if (char === '/' && regexAllowed && !isClosingTag()) {
      const end = endOfRegex(text, at)
      if (end !== -1) return finish(add('regex', end), false)
    }
    return readMark(char)
  }

  /** @param {string} char */
  function readMark(char) {
    const mark = longMarks.find(long => text.startsWith(long, at)) ?? char
    let regexMayFollow = mark !== ']' && mark !== '}'
    if (mark === '(') conditions.push(wordsBeforeCondition.has(tokens.at(-1)?.text ?? ''))
    if (mark === ')') regexMayFollow = conditions.pop() ?? false
    if (mark === '{') braces += 1
    if (mark === '}') braces -= 1
    return finish(add('mark', at + mark.length), regexMayFollow)
  }

  /** Reads literal text up to the template's end or its next `${`, and adds it to the token's value. */
  /** @param {Token} token @param {number} from */
  function readTemplate(token, from) {
    let end = from
    while (end < text.length && text[end] !== '`' && !text.startsWith(substitution, end)) {
      end += text[end] === '\\' ? 2 : 1
    }
    token.value += resolveEscapes(text.slice(from, end))
    line += newlines(text.slice(from, end))
    if (text.startsWith(substitution, end)) {
      token.value += `${substitution}}`
      templates.push({ token, braces })
      regexAllowed = true
      spaced = false
      return end + 2
    }
    token.text = text.slice(token.at, end + 1)
    regexAllowed = false
    return end + 1
  }

  /**
   * @param {Token['kind']} kind
   * @param {number} end
   * @param {string} [value]
   */
  function add(kind, end, value) {
    const content = text.slice(at, end)
    const inTemplate = templates.length > 0
    /** @type {Token} */
    const token = { kind, text: content, value: value ?? content, at, line, spaced, inTemplate, doc }
    tokens.push(token)
    doc = undefined
    spaced = false
    return token
  }

  /** @param {Token} token @param {boolean} regexMayFollow */
  function finish(token, regexMayFollow) {
    regexAllowed = regexMayFollow
    return token.at + token.text.length
  }

  /** A slash right behind `<` closes a JSX element. */
  function isClosingTag() {
    return text[at - 1] === '<'
  }
}

/** @param {string} text @param {number} at */
function charAt(text, at) {
  return String.fromCodePoint(text.codePointAt(at) ?? 0)
}

/** @param {string} text */
function newlines(text) {
  return text.split('\n').length - 1
}

/** @param {string} text @param {number} at */
function endOfLine(text, at) {
  const end = text.indexOf('\n', at)
  return end === -1 ? text.length : end
}

/** @param {string} text @param {number} at */
function endOfWord(text, at) {
  let end = at + charAt(text, at).length
  while (end < text.length && wordPart.test(charAt(text, end))) end += charAt(text, end).length
  return end
}

/** @param {string} text @param {number} at */
function endOfNumber(text, at) {
  const match = /^(?:0[xob][\da-f_]+n?|[\d_]+(?:\.(?!\.)[\d_]*)?(?:e[+-]?\d+)?n?)/i.exec(
    text.slice(at, at + 80),
  )
  return at + (match?.[0].length ?? 1)
}

/** @param {string} text @param {number} at @returns {number} -1 where the line ends before the string does */
function endOfString(text, at) {
  for (let end = at + 1; end < text.length && text[end] !== '\n'; end += 1) {
    if (text[end] === '\\') end += 1
    else if (text[end] === text[at]) return end + 1
  }
  return -1
}

/** @param {string} text @param {number} at @returns {number} -1 where the line ends before the expression does */
function endOfRegex(text, at) {
  let inClass = false
  for (let end = at + 1; end < text.length && text[end] !== '\n'; end += 1) {
    if (text[end] === '\\') end += 1
    else if (text[end] === '[') inClass = true
    else if (text[end] === ']') inClass = false
    else if (text[end] === '/' && !inClass) {
      end += 1
      while (/[a-z]/.test(text[end] ?? '')) end += 1
      return end
    }
  }
  return -1
}

/** The escapes that titles and module names use; others stay as they are written. */
/** @param {string} literal */
function resolveEscapes(literal) {
  return literal.replace(/\\(u\{([\da-f]+)\}|u([\da-f]{4})|\r?\n|.)/gi, (_, written, braced, plain) => {
    const code = braced ?? plain
    if (code !== undefined) return String.fromCodePoint(Number.parseInt(code, 16))
    if (written === 'n') return '\n'
    if (written === 't') return '\t'
    return written.trim()
  })
}
