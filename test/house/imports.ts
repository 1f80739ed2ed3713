import { lex, type Token } from '../../scripts/check/lexer.js'

/** One place where a file names another module. */
export interface Import {
  specifier: string
  /** From 1: where the specifier stands. */
  line: number
  /** Whether it is `import('…')`, in an expression or in a type. */
  dynamic: boolean
}

/** The modules that a source text imports or exports from, in order; computed specifiers are not seen. */
export function importsIn(text: string): Import[] {
  const tokens = lex(text)
  return tokens.flatMap((token, at) => {
    if (token.kind !== 'word' || isMemberName(tokens, at)) return []
    if (token.text === 'import') {
      if (tokens[at + 1]?.text === '(') return asImport(tokens[at + 2], true)
      return asImport(tokens[specifierOfImport(tokens, at + 1)], false)
    }
    return token.text === 'export' ? asImport(tokens[specifierOfExport(tokens, at + 1)], false) : []
  })
}

function asImport(token: Token | undefined, dynamic: boolean): Import[] {
  const isLiteral = token?.kind === 'string' || (token?.kind === 'template' && !/\$\{/.test(token.value))
  return token !== undefined && isLiteral ? [{ specifier: token.value, line: token.line, dynamic }] : []
}

/** `x.import`, `{ import: … }` and `import.meta` import nothing. */
function isMemberName(tokens: Token[], at: number): boolean {
  return tokens[at - 1]?.text === '.' || [':', '.'].includes(tokens[at + 1]?.text ?? '')
}

function specifierOfImport(tokens: Token[], at: number): number {
  if (tokens[at]?.kind === 'string') return at
  // Between `import` and `from` stand only names, braces, commas, a star: anything else is not an import.
  let from = at
  while (tokens[from]?.kind === 'word' || ['{', '}', ',', '*'].includes(tokens[from]?.text ?? '')) {
    if (tokens[from]?.text === 'from' && tokens[from + 1]?.kind === 'string') return from + 1
    from += 1
  }
  return -1
}

function specifierOfExport(tokens: Token[], at: number): number {
  const start = tokens[at]?.text === 'type' ? at + 1 : at
  if (tokens[start]?.text !== '{' && tokens[start]?.text !== '*') return -1
  const isList = tokens[start].text === '{'
  const close = isList ? tokens.findIndex((token, n) => n > start && token.text === '}') : start
  const from = tokens[close + 1]?.text === 'as' ? close + 3 : close + 1
  return tokens[from]?.text === 'from' ? from + 1 : -1
}
