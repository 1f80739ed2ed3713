import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { healthService } from '../testing/health-service.ts'
import { readHealth } from './health-options.ts'
import type { VersionFunction } from './index.ts'

const version = {
  source: 'https://example.com/acme/shop',
  version: '2017.11.0',
  commit: '52ce614',
  build: '',
}

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'deedbox-version-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** Sets a variable for the test alone. */
function setVariable(t: TestContext, name: string, value: string): void {
  const before = process.env[name]
  process.env[name] = value
  t.after(() => {
    if (before === undefined) delete process.env[name]
    else process.env[name] = before
  })
}

test('DF-02 DF-59 sample 88 the file as it is, and again when it has changed', async t => {
  const path = folder(t)
  const file = join(path, 'version.json')
  const { ask, lines } = await healthService(t, { versionPath: path })
  const answer = async (): Promise<[number, string]> => {
    const { status, headers, ...response } = await ask('/__version__').then(async got => ({
      status: got.status,
      headers: got.headers,
      text: await got.text(),
    }))
    assert.match(headers.get('content-type') ?? '', status === 404 ? /^text\/plain/ : /^application\/json$/)
    return [status, response.text]
  }
  assert.deepEqual(await answer(), [404, 'version.json not found'])
  const text = `{ "commit": "52ce614",\n  "version": "1" }\n`
  writeFileSync(file, text)
  assert.deepEqual(await answer(), [200, text])
  // Replaced by one of the same length and time.
  writeFileSync(`${file}.new`, text.replace('"1"', '"2"'))
  const time = new Date('2026-01-01')
  utimesSync(file, time, time)
  utimesSync(`${file}.new`, time, time)
  await answer()
  renameSync(`${file}.new`, file)
  assert.deepEqual(await answer(), [200, text.replace('"1"', '"2"')])
  rmSync(file)
  writeFileSync(join(path, 'elsewhere.json'), '{}')
  symlinkSync('elsewhere.json', file)
  assert.deepEqual(await answer(), [200, '{}'])
  rmSync(join(path, 'elsewhere.json'))
  assert.deepEqual(await answer(), [404, 'version.json not found'])
  const missed = (await lines()).filter(({ message }) =>
    String(message).includes(`no version.json in ${path}. Make it`),
  )
  assert.deepEqual(
    missed.map(({ level }) => level),
    ['WARNING'],
    'it is said once',
  )
})

test('DF-02 a file that is none, or holds no object, is a 500 with the reason, and one line', async t => {
  const path = folder(t)
  const file = join(path, 'version.json')
  const { ask, lines } = await healthService(t, { versionPath: path })
  const cases: readonly [() => void, RegExp][] = [
    [() => writeFileSync(file, '{"version": "1'), /^version\.json is no JSON$/],
    [() => writeFileSync(file, '[]'), /^version\.json holds JSON, but no object$/],
    [() => writeFileSync(file, ' '.repeat(10_000_000)), /^version\.json has more than 1048576 bytes$/],
    [() => mkdirSync(file), /^version\.json is no file$/],
    [() => symlinkSync(file, file), /^version\.json cannot be read \(ELOOP\)$/],
  ]
  for (const [make, reason] of cases) {
    rmSync(file, { recursive: true, force: true })
    make()
    for (let i = 0; i < 3; i++) {
      const answer = await ask('/__version__')
      assert.equal(answer.status, 500)
      const body = (await answer.json()) as { error: string }
      assert.match(body.error, reason)
      assert(!JSON.stringify(body).includes(path))
    }
  }
  const said = (await lines()).filter(({ level }) => level === 'ERROR')
  assert.deepEqual(
    said.filter(({ message }) => String(message).startsWith('version.json')).length,
    cases.length,
  )
})

test('DF-02 DF-10 what the parser quotes of a broken file is for the log alone, without its secrets', async t => {
  const path = folder(t)
  writeFileSync(join(path, 'version.json'), '{ "a": password=xyz }')
  const { ask, lines } = await healthService(t, { versionPath: path })
  assert.equal(await (await ask('/__version__')).text(), '{"error":"version.json is no JSON"}')
  const said = (await lines()).filter(({ message }) => message === 'version.json is no JSON')
  assert.match(String(said[0]?.reason), /^Unexpected token 'p', .* is not valid JSON$/)
  assert(!JSON.stringify(said).includes('xyz'))
})

test('DF-03 the option, then APP_DIR, then /app, then where package.json is', t => {
  const read = (versionPath: string | undefined, variables = {}): string =>
    readHealth({ versionPath }, variables, 'production').versionFolder
  assert.equal(read('/srv', { APP_DIR: '/other' }), '/srv')
  assert.equal(read(undefined, { APP_DIR: '/other' }), '/other')
  const inner = join(folder(t), 'inner')
  mkdirSync(inner)
  writeFileSync(join(inner, '..', 'package.json'), '{}')
  const before = process.cwd()
  t.after(() => process.chdir(before))
  process.chdir(inner)
  const root = join(process.cwd(), '..')
  // Where the machine has /app/version.json, that one goes before.
  assert([root, '/app'].includes(read(undefined)))
  assert.equal(read('relative'), join(process.cwd(), 'relative'))
})

test('DOCKERFLOW_VERSION stands in the place of the file’s version, and alone without a file', async t => {
  const path = folder(t)
  setVariable(t, 'DOCKERFLOW_VERSION', 'v9')
  const { ask } = await healthService(t, { versionPath: path })
  const object = async (): Promise<unknown> => (await ask('/__version__')).json()
  assert.deepEqual(await object(), { version: 'v9' })
  writeFileSync(join(path, 'version.json'), JSON.stringify(version))
  assert.deepEqual(await object(), { ...version, version: 'v9' })
  writeFileSync(join(path, 'version.json'), '{')
  assert.equal((await ask('/__version__')).status, 500)
})

test('DF-04 sample 89 a function in place of the file: sync, async, null; it is given the folder', async t => {
  const cases: readonly [VersionFunction, number, unknown][] = [
    [root => ({ root }), 200, { root: '/srv' }],
    [async root => ({ root }), 200, { root: '/srv' }],
    [() => null, 404, undefined],
    [async () => undefined, 404, undefined],
  ]
  for (const [read, status, body] of cases) {
    const { ask } = await healthService(t, { versionPath: '/srv', version: read })
    const answer = await ask('/__version__')
    assert.equal(answer.status, status)
    if (body !== undefined) assert.deepEqual(await answer.json(), body)
  }
})

test('DF-04 a function that throws, hangs, or gives something else is a 500 without its words, and one line', async t => {
  const circular: Record<string, unknown> = {}
  circular.self = circular
  const cases: readonly VersionFunction[] = [
    () => {
      throw new Error('private')
    },
    () => Promise.reject(new Error('private')),
    () => new Promise(() => {}),
    () => 'text' as never,
    async () => ['list'],
    () => circular,
    () => ({ big: 1n }),
    () => (() => ({})) as never,
  ]
  for (const read of cases) {
    const { ask, lines } = await healthService(t, { version: read, timeout: 20 })
    for (let i = 0; i < 2; i++) {
      const answer = await ask('/__version__')
      assert.equal(answer.status, 500, String(read))
      assert(!(await answer.text()).includes('private'))
    }
    const said = (await lines()).filter(({ message }) => /^The version function/.test(String(message)))
    assert.deepEqual(
      said.map(({ level }) => level),
      ['ERROR'],
      String(read),
    )
  }
})
