// Prints declarations in one layout, whatever the layout of the file they come from.

/** @typedef {import('../lexer.js').Token} Token */

/** @param {Token[][]} pieces @returns {string} one line for each member of each body, indented by two spaces */
export function printDeclaration(pieces) {
  return pieces.map(printPiece).join('\n')
}

/** @param {Token[]} piece */
function printPiece(piece) {
  const tokens = piece.filter(token => !token.inTemplate)
  let text = ''
  let depth = 0
  /** @type {Token | undefined} */
  let last
  for (const [at, token] of tokens.entries()) {
    const next = tokens[at + 1]
    if (token.text === ',' && isClosing(next)) continue
    if (isMark(token, '}') && !isMark(last, '{')) {
      depth -= 1
      text += `\n${'  '.repeat(depth)}}`
    } else {
      if (breaksAfter(last, token)) text += `\n${'  '.repeat(depth)}`
      else if (last !== undefined && isSpaced(last, token)) text += ' '
      text += token.text
      if (isMark(token, '{') && !isMark(next, '}')) depth += 1
    }
    last = token
  }
  return text
}

/** @param {Token | undefined} last @param {Token} token */
function breaksAfter(last, token) {
  if (isMark(last, '{')) return !isMark(token, '}')
  if (isMark(last, ';')) return true
  return isMark(last, '}') && token.kind === 'word' && token.line > (last?.line ?? 0)
}

/** @param {Token} last @param {Token} token */
function isSpaced(last, token) {
  if (!token.spaced) return false
  return (
    !/^[([<]$/.test(last.text) && !/^[)\]>,;]$/.test(token.text) && !(last.text === '{' && token.text === '}')
  )
}

/** @param {Token | undefined} token @param {string} text */
function isMark(token, text) {
  return token?.kind === 'mark' && token.text === text
}

/** @param {Token | undefined} token */
function isClosing(token) {
  return token?.kind === 'mark' && /^[)\]}>]$/.test(token.text)
}

/**
 * Whether the type `any` stands in the declaration; a member, parameter or method of that name is none.
 * @param {Token[][]} pieces
 */
export function usesAny(pieces) {
  return pieces.some(piece =>
    piece.some((token, at) => token.kind === 'word' && token.text === 'any' && !isName(piece, at)),
  )
}

/** @param {Token[]} piece @param {number} at */
function isName(piece, at) {
  const before = piece[at - 1]?.text ?? ''
  const [next, second] = [piece[at + 1]?.text ?? '', piece[at + 2]?.text ?? '']
  if (before === '.' || next === '(' || next === '<') return true
  const startsName = ['{', ';', ',', '(', '[', 'readonly', 'static', 'get', 'set', '...'].includes(before)
  return (
    startsName && (next === ':' || (next === '?' && (second === ':' || second === ']' || second === '(')))
  )
}
