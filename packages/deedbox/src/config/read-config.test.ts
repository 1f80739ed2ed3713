import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createRedactor } from '../safety/index.ts'
import {
  type ConfigShape,
  type ConfigurationProblem,
  ConfigurationProblems,
  configWarnings,
  flag,
  integer,
  json,
  profileOf,
  readConfig,
  text,
  url,
} from './index.ts'

/** The problems of a reading, as `variable code`. */
function problemsOf(read: () => unknown): ConfigurationProblem[] {
  try {
    read()
  } catch (error) {
    assert(error instanceof ConfigurationProblems)
    return [...error.problems]
  }
  return assert.fail('it was read')
}

function codes(problems: readonly ConfigurationProblem[]): string[] {
  return problems.map(({ variable, code }) => `${variable} ${code}`)
}

/** A folder with files of variables; gives the path of its `.env`. */
function envFiles(t: TestContext, files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'deedbox-config-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content)
  return join(folder, '.env')
}

test('DF-54 the names of variables come from those of the settings', () => {
  const names = ['port', 'databaseUrl', 'apiURL', 's3Bucket', 'HTTPPort', 'with_blank', 'a1B']
  const shape = Object.fromEntries([
    ...names.map(name => [name, text()]),
    ['other', text({ name: 'PGPASS' })],
  ])
  const problems = problemsOf(() => readConfig(shape, { prefix: 'ACME_', environment: {} }))
  assert.deepEqual(
    problems.map(({ variable }) => variable),
    ['PORT', 'DATABASE_URL', 'API_URL', 'S3_BUCKET', 'HTTP_PORT', 'WITH_BLANK', 'A1_B']
      .map(name => `ACME_${name}`)
      .concat('PGPASS'),
  )
})

test('DF-54 everything that is wrong is told at once, without a secret', () => {
  const shape = {
    port: integer({ min: 1 }),
    databaseUrl: url({ about: 'where orders are kept' }),
    pin: integer(),
    seats: integer({ secret: true }),
    debug: flag({ default: false }),
  }
  const environment = {
    ACME_PORT: '80x',
    ACME_PIN: 'hunter2',
    ACME_SEATS: 'hunter3',
    ACME_DEBUG: '',
    ENV: 'prod',
  }
  const read = (): unknown => readConfig(shape, { prefix: 'ACME_', environment })
  assert.throws(read, {
    name: 'ConfigurationProblems',
    code: 'invalid_configuration',
    message: `5 things in the environment of this service cannot work.
  ENV is "prod". Set it to production, development or testing.
  ACME_PORT is "80x". Set it to a whole number from 1.
  ACME_DATABASE_URL is missing. Set it to a URL such as https://host/path (where orders are kept).
  ACME_PIN does not fit. Set it to a whole number.
  ACME_SEATS does not fit. Set it to a whole number.`,
  })
})

for (const [variables, profile] of [
  [{}, 'production'],
  [{ ENV: 'Development' }, 'development'],
  [{ ENV: 'TESTING', NODE_ENV: 'production' }, 'testing'],
  [{ NODE_ENV: 'test' }, 'testing'],
  [{ ENV: ' ', NODE_ENV: 'development' }, 'development'],
  [{ ACME_ENV: 'testing', ENV: 'development' }, 'testing'],
] as const) {
  test(`FA-28 the profile of ${JSON.stringify(variables)} is ${profile}`, () => {
    const config = readConfig({}, { prefix: 'ACME_', environment: variables, strict: true })
    assert.equal(profileOf(config), profile)
  })
}

test('FA-28 any other profile is an error, unless the service has it', () => {
  const staging = { environment: { ENV: 'Staging' } }
  const [problem] = problemsOf(() => readConfig({}, staging))
  assert.deepEqual(problem, {
    code: 'unknown_profile',
    variable: 'ENV',
    problem: 'is "Staging"',
    remedy: 'Set it to production, development or testing.',
  })
  assert.deepEqual(codes(problemsOf(() => readConfig({}, { environment: { ENV: 'test' } }))), [
    'ENV unknown_profile',
  ])
  const shape = { port: integer({ default: 1 }) }
  const config = readConfig(shape, { ...staging, profiles: { staging: { port: 2 } } })
  assert.deepEqual([profileOf(config), config.port], ['staging', 2])
})

test('DF-54 variables go before the profile, and the profile before defaults; one builds on another', () => {
  const shape = { port: integer({ default: 8000 }), debug: flag({ default: false }), key: text() }
  const development = { debug: true, key: 'none' }
  const profiles = { development, testing: { ...development, port: 0 } }
  const read = (environment: Record<string, string>): unknown => ({
    ...readConfig(shape, { profiles, environment }),
  })
  assert.deepEqual(read({ ENV: 'development' }), { port: 8000, debug: true, key: 'none' })
  assert.deepEqual(read({ ENV: 'testing', DEBUG: 'off' }), { port: 0, debug: false, key: 'none' })
  assert.deepEqual(codes(problemsOf(() => read({}))), ['KEY missing'])
  // Whether the key is needed depends on the profile, which nobody knows.
  assert.deepEqual(codes(problemsOf(() => read({ ENV: 'x' }))), ['ENV unknown_profile'])
  const bad = { profiles: { testing: { port: 1.5 } }, environment: {} }
  assert.throws(() => readConfig({ port: integer() }, bad), { name: 'TypeError' })
  assert.equal(profileOf(readConfig(shape, { env: 'testing', profiles, environment: {} })), 'testing')
})

test('FA-31 a file of variables is read; the environment goes before it, and stays as it is', t => {
  const file = envFiles(t, {
    '.env': 'ENV=testing\nA="from .env"\nB=from .env\nC=from .env\nD=from .env\n',
    '.env.testing': 'B=from .env.testing\nC=from .env.testing\n',
    '.env.production': 'D=never\n',
  })
  const environment = { C: 'from the environment', D: '' }
  const before = { ...process.env }
  const config = readConfig({ a: text(), b: text(), c: text(), d: text() }, { environment, file })
  assert.deepEqual(
    { ...config },
    { a: 'from .env', b: 'from .env.testing', c: 'from the environment', d: 'from .env' },
  )
  assert.equal(profileOf(config), 'testing')
  assert.deepEqual({ ...process.env }, before)
  assert.deepEqual(environment, { C: 'from the environment', D: '' })
})

test('FA-31 the file fills process.env if asked to, where that has nothing', t => {
  const file = envFiles(t, { '.env': 'DEEDBOX_TEST_A=1\nDEEDBOX_TEST_B=1\nPATH=lost\n' })
  process.env.DEEDBOX_TEST_B = 'kept'
  t.after(() => {
    delete process.env.DEEDBOX_TEST_A
    delete process.env.DEEDBOX_TEST_B
  })
  const { PATH } = process.env
  readConfig({}, { file, fillEnvironment: true, env: 'production' })
  const { DEEDBOX_TEST_A, DEEDBOX_TEST_B } = process.env
  assert.deepEqual([DEEDBOX_TEST_A, DEEDBOX_TEST_B, process.env.PATH], ['1', 'kept', PATH])
})

test('FA-31 no file is no problem; a bad value says which file it is in', t => {
  const file = envFiles(t, {})
  assert.equal(readConfig({ a: integer({ default: 1 }) }, { file, environment: {} }).a, 1)
  writeFileSync(file, 'A=x\n')
  const [problem] = problemsOf(() => readConfig({ a: integer() }, { file, environment: {} }))
  assert.equal(problem?.problem, `is "x" in ${file}`)
})

for (const [what, content, problem] of [
  ['a line without a name', '# fine\n\nA=1\nhunter2\n', ':4 is no variable'],
  ['a quotation without an end', "A=1\nB='hunter2\nC=3\n", ':2 opens a quotation that nothing closes'],
  [
    'a quotation that ends in the next one',
    'A="hunter2\nB="hunter3"\n',
    ':2 has text behind the closing " of a value',
  ],
  ['blanks in place of a value', 'A= \nB=hunter2\n', ':1 has blanks in place of a value'],
  ['an encoding that is not ours', new Uint8Array([65, 61, 0xff, 10]), ' is not in UTF-8'],
] as const) {
  test(`FA-31 a file with ${what} is a problem with its place`, t => {
    const file = envFiles(t, { '.env': content })
    const problems = problemsOf(() => readConfig({}, { file, environment: {} }))
    assert.deepEqual(codes(problems), [`${problems[0]?.variable} bad_file`])
    assert.equal(`${problems[0]?.variable} ${problems[0]?.problem}`, file + problem)
    assert(!JSON.stringify(problems).includes('hunter'))
  })
}

test('FA-31 what Node reads is no problem: values over several lines, export, comments, a byte order mark', t => {
  const file = envFiles(t, {
    '.env':
      '\uFEFF# a comment\nexport A=1\n  KEY = "-----BEGIN\nx=y\n-----END" # why\nexport EMPTY=\n #EMPTY=x\nQ=`it\'s "so"`\n',
  })
  const shape = { a: integer(), key: text(), q: text(), empty: text({ default: 'none' }) }
  const config = readConfig(shape, { file, environment: {} })
  assert.deepEqual({ ...config }, { a: 1, key: '-----BEGIN\nx=y\n-----END', q: 'it\'s "so"', empty: 'none' })
})

test('FA-31 what is no file is a problem', t => {
  const file = envFiles(t, {})
  mkdirSync(file)
  const [problem] = problemsOf(() => readConfig({}, { file, environment: {} }))
  assert.equal(problem?.problem, 'cannot be read (EISDIR)')
})

test('DF-54 a slip in the name of a variable is found, and an error if that is wanted', t => {
  const shape = { databaseUrl: url(), port: integer({ default: 1 }) }
  const hostile = { 'ACME_\u001b[2J': 'x' }
  const environment = { ACME_DATABSE_URL: 'x', ACME_OLD: 'x', ACME_ENV: 'testing', PATH: 'x', ...hostile }
  const options = { prefix: 'ACME_', environment }
  const [missing] = problemsOf(() => readConfig(shape, options))
  assert.equal(missing?.problem, 'is missing, but ACME_DATABSE_URL is set')

  const given = { ...options, environment: { ...environment, ACME_DATABASE_URL: 'https://a.example' } }
  assert.deepEqual(
    configWarnings(readConfig(shape, given)).map(({ variable, remedy }) => [variable, remedy]),
    [
      ['ACME_DATABSE_URL', 'Did you mean ACME_DATABASE_URL?'],
      ['ACME_OLD', 'Remove it, or look for its right name.'],
    ],
  )
  assert.deepEqual(codes(problemsOf(() => readConfig(shape, { ...given, strict: true }))), [
    'ACME_DATABSE_URL unknown',
    'ACME_OLD unknown',
  ])
  // Without a prefix only a file is ours alone.
  const file = envFiles(t, { '.env': 'PROT=2\nFOREIGN=1\n' })
  const config = readConfig({ port: integer({ default: 1 }) }, { environment: { POTR: '3' }, file })
  assert.deepEqual(codes(configWarnings(config)), ['PROT unknown'])
})

test('DF-54 a setting may have the name of what every object has, and null may be a default', () => {
  const shape: ConfigShape = { toString: text({ name: 'A' }), raw: json<number | null>({ default: 1 }) }
  const read = (environment: Record<string, string>): unknown =>
    readConfig(shape, { profiles: { production: { raw: null } }, environment }).raw
  assert.deepEqual(codes(problemsOf(() => read({}))), ['A missing'])
  assert.equal(read({ A: 'x' }), null)
})

test('DF-54 the policy against secrets leaves the list of problems whole', () => {
  const shape = { apiKey: text(), token: integer(), password: url({ about: 'of the shop' }) }
  const environment = { ACME_TOKEN: 'x', ACME_API_KYE: 'x' }
  const read = (): unknown => readConfig(shape, { prefix: 'ACME_', environment, strict: true })
  assert.throws(read, (error: Error) => {
    const { message } = error
    return createRedactor().text(message) === message
  })
})

test('what readConfig did not make knows nothing of itself', () => {
  const config = readConfig({}, { environment: {} })
  assert.throws(() => profileOf({ ...config }), { name: 'TypeError' })
})
