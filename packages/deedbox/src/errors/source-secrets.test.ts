import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRedactor } from '../safety/index.ts'
import { harmlessTexts, writtenSecrets } from '../testing/secrets.ts'
import { formatError } from './index.ts'
import { redactSource } from './source-secrets.ts'

const redactor = createRedactor()
const secret = 'Hunter-2-and-3'

/** Source that holds the secret, by how it comes to be one. */
const sources: readonly string[] = [
  `password = '${secret}'`,
  `const apiKey = "${secret}"`,
  `const password: string = '${secret}'`,
  `let token: string | undefined = \`${secret}\``,
  `private readonly clientSecret: string = "${secret}"`,
  `const config = { apiKey: "${secret}", port: 1 }`,
  `const config = { 'api-key': '${secret}' }`,
  `const config = { ['api-key']: '${secret}' }`,
  `headers.set('authorization', '${secret}')`,
  `headers = [['cookie', '${secret}']]`,
  `const key = process.env.API_KEY ?? '${secret}'`,
  `const { password = '${secret}' } = options`,
  `function login(user: string, password: string = '${secret}') {`,
  `setPassword('${secret}')`,
  `new Secret("${secret}")`,
  `if (token === '${secret}') return`,
  `if (!safeEqual(token, '${secret}')) return`,
  `const password = isTest ? 'x' : '${secret}'`,
  `const password =\n    '${secret}'`,
  `const password = 'a' +\n  '${secret}'`,
  `const secrets = {\n  one: '${secret}',\n  two: 1,\n}`,
  `const password = \`first\n${secret}\nlast\``,
  `const password = \`\${user}:${secret}\``,
  `const dbPassword = String("${secret}")`,
  `this.#password = '${secret}'`,
  `const pattern = /['"\`]/; const password: string = '${secret}'`,
  `// password: ${secret}`,
  `// const password: string =\n//   '${secret}'`,
  `  /* don't\n   * const password: string = '${secret}' */`,
  `const url = 'postgres://app:${secret}@db/x'`,
]

test('FA-40 literals in listed source: none of these is shown', () => {
  for (const source of sources) {
    const lines = source.split('\n')
    const shown = redactSource(lines, redactor)
    assert.ok(!shown.join('\n').includes(secret), shown.join('\n'))
    assert.equal(shown.length, lines.length, source)
  }
})

test('FA-40 secrets of known shapes are blanked in source, in literals, templates and comments', () => {
  for (const { what, text, secret: hidden } of writtenSecrets) {
    for (const line of [
      `const x = ${JSON.stringify(text)}`,
      `const x = \`${text}\``,
      `// ${text.replaceAll('\n', '\n// ')}`,
    ]) {
      const shown = redactSource(line.split('\n'), redactor).join('\n')
      assert.ok(!shown.includes(hidden), `${what}: ${shown}`)
    }
  }
})

test('FA-40 source without secrets stays as it is', () => {
  const harmless = [
    `import { token } from './token.ts'`,
    `if (!token) throw new Error('There is no token here')`,
    `class PasswordRules {`,
    `  static readonly least = 'eight characters'`,
    `}`,
    `function checkPassword(value) {`,
    `  log.info('checking', { rule: 'length' })`,
    `  return /['"]/.test(value) ? 'weak' : 'strong'`,
    `}`,
    'const said = `$' + '{token.length} of $' + '{items.length}`',
    'const greeting = `hello $' + '{name}, $' + '{items.map(item => `$' + '{item}!`).join()}`',
  ]
  assert.deepEqual(redactSource(harmless, redactor), harmless)
  for (const text of harmlessTexts) {
    if (/[\n'"`\\]/.test(text)) continue
    const line = `const x = '${text}'`
    assert.deepEqual(redactSource([line], redactor), [redactor.text(line)])
  }
})

test('FA-40 FA-37 a line of source is a line of the trace, whatever stands in it', () => {
  const lines = ['const token = "', 'const password =', "  'x'", 'f()']
  const thrown = new Error('x')
  thrown.stack = 'Error: x\n    at f (/srv/a.js:4:1)'
  const shown = formatError(thrown, { readSource: () => lines.join('\n') })
  assert.equal(shown.split('\n').length, 1 + lines.length + 2, shown)
  assert.equal(redactor.text(shown), shown, 'a sink that redacts it again changes nothing')
})

test('FA-40 the whole trace goes through the redactor: names, messages, paths, own patterns', () => {
  const own = createRedactor({ keys: ['iban'], patterns: [/DE\d{20}/], allow: ['token'] })
  const thrown = Object.assign(new Error(`password=${secret} DE12345678901234567890`), {
    name: `Failure of ${writtenSecrets[4]?.secret}`,
  })
  thrown.stack = `Error: x\n    at f (/srv/${'ghp_16C7e42F292c6912E7710c838347Ae178B4a'}/a.js:1:1)`
  const readSource = (): string =>
    `const iban: string = '${secret}', token: string = 'readable' // DE12345678901234567890`
  const shown = formatError(thrown, { redactor: own, readSource })
  assert.ok(!shown.includes(secret) && !shown.includes('DE123') && !shown.includes('16C7e42F'), shown)
  assert.ok(shown.includes("token: string = 'readable'"), shown)
})
