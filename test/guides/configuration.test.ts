import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type Run, root, run } from '../end-to-end/ledger-process.ts'
import { everyBlockIsTested, Page } from './page.ts'
import { cleanEnv } from './service-process.ts'
import { assertShown } from './shown-lines.ts'
import { snippetFolder } from './snippet-folder.ts'

const page = new Page('docs/guide/configuration.md')
const files = {
  'config.ts': page.fence('// config.ts'),
  'one.ts': page.fence('// one.ts'),
  'profiles.ts': page.fence('// profiles.ts'),
  'main.ts': page.fence('// main.ts'),
}
const list = page.fence('4 things in the environment')
const file = page.fence('# .env')
const lines = page.shown('config vars')

test('FA-28 FA-31 FA-32 DF-54 samples 79 to 84, guide, configuration: what the page shows runs and prints what it says', async t => {
  const folder = await snippetFolder(t, 'express-5', files)
  const start = (name: string, variables: Readonly<Record<string, string>>): Promise<Run> =>
    run(process.execPath, [folder.runnable(name)], { env: cleanEnv(variables), cwd: folder.path })

  const wrong = { ACME_PORT: '80x', ACME_DATABASE_URL: 'db/shop', ACME_TIMEOUT: '5', ACME_LIMITS: 'many' }
  page.says('here in development, the process ends with code 1')
  assert.deepEqual(await start('config.ts', { ...wrong, ENV: 'development' }), {
    code: 1,
    stdout: '',
    stderr: list,
  })
  page.says('the same list is one line of JSON')
  const { code, stderr } = await start('config.ts', wrong)
  assert.deepEqual([code, JSON.parse(stderr).problems.length], [1, 5])

  assert.equal((await start('one.ts', { DEBUG: 'On' })).stdout, 'x true\n')
  assert.equal((await start('profiles.ts', { ENV: 'development' })).stdout, 'development true 4\n')
  assert.equal((await start('profiles.ts', { APP_CONFIG: 'Staging' })).stdout, 'staging false 2\n')

  writeFileSync(join(folder.path, '.env'), file)
  const main = await start('main.ts', {})
  const log = main.stderr
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as Record<string, unknown>)
    .filter(({ message }) => !String(message).startsWith('No ledger is configured'))
  assert.equal(main.code, 0)
  assertShown(log, lines, ['timestamp', 'source'])

  writeFileSync(join(folder.path, '.env'), 'ENV=testing\n\nACME_PORT\n')
  const bad = await start('main.ts', {})
  assert.equal(bad.code, 1)
  assert.match(bad.stderr, / \.env:3 is no variable\. Write it as NAME=value, or begin the line with #\.$/m)
  page.says('`.env:3 is no variable. Write it as NAME=value, or begin the line with #.`')
  rmSync(join(folder.path, '.env'))
})

test('FA-31 FA-56 guide, configuration: the table has every variable that the settings read', () => {
  const own = ['health/health-options.ts', 'serving/listen-options.ts']
  const files = ['settings.ts', 'log-settings.ts', 'log/pretty/choice.ts', ...own]
  const settings = files.map(file => readFileSync(join(root, 'packages/deedbox/src', file), 'utf8')).join('')
  const read = new Set([...settings.matchAll(/'([A-Z]+(?:_[A-Z]+)+|ENV)'/g)].map(([, name]) => name))
  assert(read.size > 10)
  for (const name of read) page.says(`\`${name}\``)
})

everyBlockIsTested(page)
