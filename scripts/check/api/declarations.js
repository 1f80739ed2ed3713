// Reads one `.d.ts` file as the TypeScript compiler writes it: which names it declares, imports and exports.
// What it does not know it refuses, with the line, so that no part of an API is silently left out.
import { lex } from '../lexer.js'

/** @typedef {import('../lexer.js').Token} Token */
/** @typedef {{ from: string, name: string }} Elsewhere a name of another module; `*` is the module itself */
/** @typedef {{ pieces: Token[][], documented: boolean, line: number }} Declaration overloads are several pieces */
/**
 * @typedef {object} Declarations
 * @property {Map<string, Declaration>} declared by local name
 * @property {Map<string, Elsewhere>} imported by local name
 * @property {Map<string, Elsewhere | { local: string }>} exported by exported name
 * @property {string[]} stars the modules of `export * from`
 * @property {string[]} bare the modules imported for their effect alone, which may add to other modules
 * @property {{ of: string, pieces: Token[][] }[]} augmented `module 'x'` or `global`, which the file adds to
 */

const withBody = new Set(['class', 'interface', 'module', 'namespace', 'global', 'enum'])
const opening = new Set(['(', '[', '{', '<'])
const closing = new Set([')', ']', '}', '>'])

/**
 * @param {string} text
 * @returns {Declarations}
 * @throws {Error} for a statement it cannot read; the message starts with its line
 */
export function readDeclarations(text) {
  /** @type {Declarations} */
  const found = {
    declared: new Map(),
    imported: new Map(),
    exported: new Map(),
    stars: [],
    bare: [],
    augmented: [],
  }
  for (const statement of statementsOf(lex(text))) readStatement(statement, found)
  return found
}

/** @param {Token[]} tokens @returns {Token[][]} each without its closing semicolon */
function statementsOf(tokens) {
  const statements = []
  let from = 0
  let depth = 0
  let hasBody
  for (const [at, token] of tokens.entries()) {
    if (depth === 0) hasBody ??= withBody.has(keywordOf(tokens.slice(from, from + 5)))
    if (token.kind !== 'mark' || token.inTemplate) continue
    if (opening.has(token.text)) depth += 1
    if (closing.has(token.text)) depth -= 1
    const bodyEnds = hasBody && token.text === '}' && depth === 0
    if (!bodyEnds && !(token.text === ';' && depth === 0)) continue
    const statement = tokens.slice(from, bodyEnds ? at + 1 : at)
    if (statement.length > 0) statements.push(statement)
    from = at + 1
    hasBody = undefined
  }
  if (from < tokens.length) statements.push(tokens.slice(from))
  return statements
}

const modifiers = new Set(['export', 'declare', 'default', 'abstract', 'async'])

/** @param {Token[]} statement */
function keywordOf(statement) {
  return statement.find(token => !modifiers.has(token.text))?.text ?? ''
}

/** @param {Token[]} statement @param {Declarations} found */
function readStatement(statement, found) {
  const [first, second, third] = statement.map(token => token.text)
  if (first === 'import') return readImport(statement, found)
  if (first !== 'export') return void declare(statement, found)
  if (second === '{' || (second === 'type' && third === '{')) return readExportList(statement, found)
  if (second === '*' || (second === 'type' && third === '*')) return readStar(statement, found)
  if (second === 'default' && third !== undefined && statement.length === 3) {
    found.exported.set('default', { local: third })
    return
  }
  for (const local of declare(statement, found)) {
    found.exported.set(second === 'default' ? 'default' : local, { local })
  }
}

/** @param {Token[]} statement @param {Declarations} found */
function readImport(statement, found) {
  const from = moduleOf(statement)
  if (from === undefined) throw unreadable(statement)
  if (statement.length === 2) found.bare.push(from)
  const names = statement.slice(1, -2).filter(token => token.text !== 'type')
  const brace = names.findIndex(token => token.text === '{')
  for (const { name, as } of listIn(names)) found.imported.set(as, { from, name })
  for (const [at, token] of names.entries()) {
    if (brace !== -1 && at >= brace) break
    if (token.text === '*') found.imported.set(names[at + 2]?.text ?? '', { from, name: '*' })
    else if (at === 0 && token.kind === 'word') found.imported.set(token.text, { from, name: 'default' })
  }
}

/** @param {Token[]} statement @param {Declarations} found */
function readExportList(statement, found) {
  const from = moduleOf(statement)
  if (from === undefined && statement.at(-1)?.text !== '}') throw unreadable(statement)
  for (const { name, as } of listIn(statement)) {
    found.exported.set(as, from === undefined ? { local: name } : { from, name })
  }
}

/** @param {Token[]} statement @param {Declarations} found */
function readStar(statement, found) {
  const from = moduleOf(statement)
  if (from === undefined) throw unreadable(statement)
  const as = statement.findIndex(token => token.text === 'as')
  if (as === -1) found.stars.push(from)
  else found.exported.set(statement[as + 1]?.value ?? '', { from, name: '*' })
}

/** @param {Token[]} statement @returns {string | undefined} the module it names last, after `from` or bare */
function moduleOf(statement) {
  const [before, last] = statement.slice(-2)
  if (last?.kind !== 'string') return undefined
  return before?.text === 'from' || before?.text === 'import' ? last.value : undefined
}

/** @param {Token[]} tokens @returns {{ name: string, as: string }[]} the entries between the braces */
function listIn(tokens) {
  const open = tokens.findIndex(token => token.text === '{')
  const close = tokens.findIndex(token => token.text === '}')
  if (open === -1) return []
  return splitAtCommas(tokens.slice(open + 1, close)).map(entry => {
    const words = entry.filter(token => token.text !== 'as').map(token => token.value)
    // `type` is a marker, unless it is all there is: then it is a name.
    const [name = '', as = name] = words.length > 1 && words[0] === 'type' ? words.slice(1) : words
    return { name, as }
  })
}

/** @param {Token[]} tokens @returns {Token[][]} split at the commas outside all brackets, without empty parts */
function splitAtCommas(tokens) {
  /** @type {Token[][]} */
  const parts = [[]]
  let depth = 0
  for (const token of tokens) {
    const isMark = token.kind === 'mark' && !token.inTemplate
    if (isMark && opening.has(token.text)) depth += 1
    if (isMark && closing.has(token.text)) depth -= 1
    if (isMark && token.text === ',' && depth === 0) parts.push([])
    else parts.at(-1)?.push(token)
  }
  return parts.filter(part => part.length > 0)
}

/** @param {Token[]} statement @param {Declarations} found @returns {string[]} the names it declares */
function declare(statement, found) {
  const start = statement.findIndex(token => !modifiers.has(token.text) || token.text === 'abstract')
  const text = statement.slice(start)
  const at = text.findIndex(token => token.text !== 'abstract')
  const keyword = text[at]?.text ?? ''
  const name = text[at + 1]
  const doc = statement[0]?.doc
  switch (keyword) {
    case 'module':
      found.augmented.push({ of: `module '${name?.value}'`, pieces: [text] })
      return []
    case 'global':
      found.augmented.push({ of: 'global', pieces: [text] })
      return []
    case 'const':
    case 'let':
    case 'var': {
      const kind = text.slice(0, 1)
      const variables = splitAtCommas(text.slice(1))
      return variables.map(variable => addPiece([...kind, ...variable], variable[0], doc, found))
    }
    case 'function':
    case 'class':
    case 'interface':
    case 'type':
      return [addPiece(text, name?.kind === 'word' ? name : undefined, doc, found)]
    default:
      throw unreadable(statement)
  }
}

/** @param {Token[]} piece @param {Token | undefined} name @param {string | undefined} doc @param {Declarations} found */
function addPiece(piece, name, doc, found) {
  // Only a default export may lack a name of its own.
  const local = name?.text ?? 'default'
  const line = piece[0]?.line ?? 0
  const declaration = found.declared.get(local) ?? { pieces: [], documented: false, line }
  declaration.pieces.push(piece)
  declaration.documented ||= doc !== undefined
  found.declared.set(local, declaration)
  return local
}

/** @param {Token[]} statement */
function unreadable(statement) {
  const start = statement
    .slice(0, 8)
    .map(token => token.text)
    .join(' ')
  return new Error(
    `line ${statement[0]?.line}: this declaration is of a form the API check does not know: ${start} …`,
  )
}
