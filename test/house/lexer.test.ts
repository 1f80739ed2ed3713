import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { lex } from '../../scripts/check/lexer.js'
import { repository } from './run-script.ts'
import { filesBelow } from './sources.ts'

/** Kind and text of each token, one a line. */
function kindsOf(text: string): string[] {
  return lex(text).map(token => `${token.kind} ${token.text}`)
}

test('comments and whitespace are no tokens, and lines are counted through them', () => {
  const [a, b, c] = lex('a // "x\n/* `y\n*/ b\n\n"\\\nc" c')
  assert.deepEqual([a?.text, a?.line, b?.text, b?.line], ['a', 1, 'b', 3])
  assert.equal(c?.line, 5)
})

test('a slash is a regular expression or a division by what stands before it', () => {
  assert.deepEqual(kindsOf('x = /["/]/g'), ['word x', 'mark =', 'regex /["/]/g'])
  assert.deepEqual(kindsOf("a / b / 'c'").at(-1), "string 'c'")
  assert.deepEqual(kindsOf("(a) / b[0] / 'c' / 2").at(-3), "string 'c'")
  assert.deepEqual(kindsOf("if (a) /'/.test(b)").includes("regex /'/"), true)
  assert.deepEqual(kindsOf("return /'/"), ['word return', "regex /'/"])
})

test('a template is one token, and what it substitutes is read as code', () => {
  const template = `\`a \${ { b: \`c \${d}\` } } \\\` e\``
  const tokens = lex(`t(${template}) + f`)
  assert.deepEqual(
    tokens.filter(token => token.kind === 'template').map(token => token.value),
    [`a \${} \` e`, `c \${}`],
  )
  assert.equal(tokens[2]?.text, template)
  assert.deepEqual(
    tokens.filter(token => token.inTemplate).map(token => token.text),
    ['{', 'b', ':', `\`c \${d}\``, 'd', '}'],
  )
  assert.equal(tokens.at(-1)?.text, 'f')
})

test('strings give their content with the escapes resolved', () => {
  assert.equal(lex(String.raw`'it\'s \u0041\u{1F600}\n'`)[0]?.value, "it's A😀\n")
})

test('a doc comment belongs to the token behind it, an ordinary comment to none', () => {
  const [a, b, c] = lex('/** one */ a /* two */ b /** three */\n// four\nc')
  assert.deepEqual([a?.doc, b?.doc, c?.doc], ['/** one */', undefined, '/** three */'])
})

test('prose is read without an exception', () => {
  assert.equal(
    lex("<p>Don't</p>\n<b>x</b> `open").some(token => token.text === 'x'),
    true,
  )
})

test('the tokens of every source of this repository cover its text, but for whitespace and comments', () => {
  const files = ['packages', 'scripts', 'test'].flatMap(folder => filesBelow(repository, folder))
  const sources = files.filter(path => /\.[jt]s$/.test(path))
  assert.ok(sources.length > 20)
  for (const path of sources) {
    const text = readFileSync(join(repository, path), 'utf8')
    let end = 0
    for (const token of lex(text)) {
      if (token.inTemplate) continue
      const gap = text.slice(end, token.at)
      assert.match(gap, /^(?:\s|\/\/.*|\/\*[\s\S]*?\*\/)*$/, `${path}:${token.line}`)
      assert.equal(text.slice(token.at, token.at + token.text.length), token.text, `${path}:${token.line}`)
      end = token.at + token.text.length
      assert.ok(
        token.kind !== 'mark' || !/['"`]/.test(token.text),
        `${path}:${token.line}: a quote without its end`,
      )
    }
  }
})
