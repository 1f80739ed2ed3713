// The titles of the tests in a repository, read from the text of the test files without running them.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { lex } from '../check/lexer.js'

/** @typedef {import('../check/lexer.js').Token} Token */
/** @typedef {{ file: string, line: number, title: string }} Title `file` is relative to the repository, with `/` */

const tests = /^(test|it|describe|suite)([A-Z]\w*)?$/
const variants = new Set(['only', 'skip', 'todo'])

/**
 * Titles in packages/<package>/src, test and examples. In the first and the last only `.test.ts` files count; in
 * test/ every `.ts` file does, for that is where conformance suites live.
 * @param {string} root
 * @returns {Title[]}
 */
export function titlesOf(root) {
  const packages = join(root, 'packages')
  const sources = existsSync(packages) ? readdirSync(packages).map(name => join(packages, name, 'src')) : []
  const files = [
    ...sources.flatMap(folder => filesIn(folder, '.test.ts')),
    ...filesIn(join(root, 'test'), '.ts'),
    ...filesIn(join(root, 'examples'), '.test.ts'),
  ]
  return files.sort().flatMap(path => {
    const file = relative(root, path).replaceAll('\\', '/')
    return titlesIn(readFileSync(path, 'utf8')).map(({ line, title }) => ({ file, line, title }))
  })
}

/** @param {string} folder @param {string} ending @returns {string[]} */
function filesIn(folder, ending) {
  if (!existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true }).flatMap(entry => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return ['node_modules', 'dist'].includes(entry.name) ? [] : filesIn(path, ending)
    return entry.name.endsWith(ending) ? [path] : []
  })
}

/**
 * What stands as a literal in `test('…'`, `it('…'`, `describe('…'` or `suite('…'`, also behind a dot (`t.test`) and in
 * calls named after them (`testWithBoth('…'`), and
 * in `title: '…'`, which is how a suite keeps its tests in a table. A substitution in a template gives `${}`.
 * Tests that never run (`.skip`, `.todo`) prove nothing and are left out.
 * @param {string} text
 * @returns {{ line: number, title: string }[]}
 */
export function titlesIn(text) {
  const tokens = lex(text)
  return tokens.flatMap((token, at) => {
    if (token.kind !== 'string' && token.kind !== 'template') return []
    return isTitle(tokens, at) ? [{ line: token.line, title: token.value }] : []
  })
}

/** @param {Token[]} tokens @param {number} at */
function isTitle(tokens, at) {
  const before = tokens[at - 1]?.text
  if (before === ':') return tokens[at - 2]?.text === 'title' && isMemberStart(tokens[at - 3])
  if (before !== '(') return false
  const word = tokens[at - 2]?.text ?? ''
  if (!variants.has(word) || tokens[at - 3]?.text !== '.') return tests.test(word)
  return word === 'only' && tests.test(tokens[at - 4]?.text ?? '')
}

/** @param {Token | undefined} token */
function isMemberStart(token) {
  return token?.text === '{' || token?.text === ','
}
