import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { deedbox } from 'deedbox'
import { check, createHealth, type HealthAnswer, type HealthOptions, warning } from 'deedbox/health'
import { command, root, run, tempFolder } from '../end-to-end/ledger-process.ts'
import { everyBlockIsTested, Page, replaceOnce } from './page.ts'
import { cleanEnv, type RunningService, startService } from './service-process.ts'
import { snippetFolder } from './snippet-folder.ts'

const page = new Page('docs/guide/health.md')
const service = page.fence('// server.ts\n')
const picture = page.fence('restart it?')
const matrix = page.fence('after SIGTERM')
const kubernetes = page.fence('livenessProbe:')
const compose = page.fence('# compose')
const curl = page.fence('curl -H')
const sample = page.fence('check_sts_preload')
const versionCommand = page.fence('npx deedbox version-json')
const object = page.fence('"commit":')
const version = page.fence('// version.ts')

const paths = ['/__lbheartbeat__', '/__readiness__', '/__heartbeat__']

/** Asks until the answer has the status: a signal takes its time. */
async function statuses(running: RunningService, expected: readonly number[]): Promise<number[]> {
  for (let tries = 0; ; tries++) {
    const found = await Promise.all(paths.map(async path => (await running.call('GET', path)).status))
    if (tries === 200 || found.join() === expected.join()) return found
  }
}

test('samples 77 and 94, DF-01 DF-06 X-18 ruling 28, guide, health: three views in each situation, and probes', async t => {
  let mailStatus = 200
  const mail = createServer((_request, response) => {
    response.statusCode = mailStatus
    response.end()
  }).listen(0, '127.0.0.1')
  t.after(() => mail.close())
  await new Promise(resolve => mail.once('listening', resolve))
  const uncached = replaceOnce(service, 'checks: [uploads, mail] }', 'checks: [uploads, mail], cache: 0 }')
  const folder = await snippetFolder(t, 'express-5', { 'server.ts': uncached })
  const token = 'a-token-of-16-ch'
  const running = await startService(t, folder.runnable('server.ts'), {
    cwd: folder.path,
    env: {
      PORT: '0',
      // Longer than the test takes: the situation after the signal is looked at.
      DEEDBOX_DRAIN_DELAY: '600s',
      MAIL_URL: `http://127.0.0.1:${(mail.address() as AddressInfo).port}/`,
      DEEDBOX_HEALTH_TOKEN: token,
    },
  })
  for (const path of paths) assert(picture.split(/\s+/).includes(path), path)
  const [situations = '', ...rows] = matrix.trimEnd().split('\n')
  const columns = situations.trim().split(/ {2,}/)
  const shown = rows.map(row => row.trim().split(/ +/))
  assert.deepEqual(
    shown.map(([path]) => path),
    paths,
  )
  const situation: Readonly<Record<string, () => unknown>> = {
    'all is well': () => undefined,
    'mail is down': () => {
      mailStatus = 503
    },
    'uploads are gone': () => {
      mailStatus = 200
      rmdirSync(join(folder.path, 'uploads'))
    },
    'after SIGTERM': () => {
      mkdirSync(join(folder.path, 'uploads'))
      process.kill(running.pid, 'SIGTERM')
    },
  }
  assert.deepEqual(columns, Object.keys(situation))
  const probed = [...kubernetes.matchAll(/path: (\S+),/g)].map(([, path]) => path)
  assert.deepEqual(probed, ['/__lbheartbeat__', '/__readiness__'])
  const [, line = ''] = /test: (\[.*\])/.exec(compose) ?? []
  const [, program = '', ...args] = JSON.parse(line.replace('8000', String(running.port))) as string[]
  for (const [i, name] of columns.entries()) {
    situation[name]?.()
    const expected = shown.map(row => Number(row[i + 1]))
    assert.deepEqual(await statuses(running, expected), expected, name)
    if (name === 'mail is down') {
      const words = replaceOnce(curl, '8000', String(running.port)).trim()
      const env = { ...process.env, DEEDBOX_HEALTH_TOKEN: token }
      const { stdout } = await run('sh', ['-c', `${words} -s`], { env })
      assert.equal(JSON.parse(stdout).details.mail.messages['shop.health.E001'], 'Mail answers 503.')
      const anonymous = await running.call('GET', '/__heartbeat__')
      assert.deepEqual(Object.keys(JSON.parse(anonymous.body)), ['status', 'checks'])
    }
    assert.equal(program, 'node')
    assert.equal((await run(process.execPath, args)).code, 0, `the probe of compose, ${name}`)
  }
})

test('samples 77 and 94, DF-01, guide, health: the service of the page is well as it stands there', async t => {
  const folder = await snippetFolder(t, 'express-5', { 'server.ts': service })
  const env = { PORT: '0', DEEDBOX_HEALTH_TOKEN: 'a-token-of-16-ch' }
  const running = await startService(t, folder.runnable('server.ts'), { env })
  page.says('it answers `curl localhost:8000/__heartbeat__` with 200.')
  const { status, body } = await running.call('GET', '/__heartbeat__')
  assert.deepEqual([status, JSON.parse(body).checks], [200, { uploads: 'ok', mail: 'info', check_log: 'ok' }])
  assert.equal(await running.stop(), 'SIGTERM')
})

async function answerOf(options: HealthOptions, path: string): Promise<HealthAnswer> {
  const box = deedbox({ ledger: null, log: { sink: () => undefined } })
  const endpoints = createHealth(box, { ownChecks: false, details: 'always', ...options })
  const answer = await endpoints.answer({ method: 'GET', url: path, authorization: undefined })
  await box.close()
  return answer
}

test('sample 93, DF-07 DF-08 X-09 ruling 27, guide, health: the body of the original with both statuses', async () => {
  const { details } = JSON.parse(sample)
  const [[id, text]] = Object.entries(details.check_sts_preload.messages) as [[string, string]]
  const options: HealthOptions = {
    checks: [check('check_debug', () => []), check('check_sts_preload', () => [warning(text, { id })])],
  }
  page.says('This is 200: a warning fails nothing')
  const { status, body, headers } = await answerOf(options, '/__heartbeat__')
  assert.deepEqual([status, JSON.parse(body)], [200, JSON.parse(sample)])
  assert.deepEqual([headers['Content-Type'], headers.Vary], ['application/json', 'Accept-Encoding'])
  page.says("`failLevel: 'warning'` is that")
  assert.equal((await answerOf({ ...options, failLevel: 'warning' }, '/__heartbeat__')).status, 500)
})

test('samples 78, 88, 89 and 90, DF-02 DF-04 DF-05, guide, health: a version by the command, and by a function', async t => {
  const folder = tempFolder(t)
  const [npx, name, ...args] = versionCommand.trim().split(' ')
  assert.deepEqual([npx, name], ['npx', 'deedbox'])
  const { source, version: tag, commit, build } = JSON.parse(object)
  const env = cleanEnv({
    GITHUB_ACTIONS: 'true',
    GITHUB_SERVER_URL: 'https://github.com',
    GITHUB_REPOSITORY: source.replace('https://github.com/', ''),
    GITHUB_SHA: commit,
    GITHUB_REF_TYPE: 'tag',
    GITHUB_REF_NAME: tag,
    GITHUB_RUN_ID: build.split('/').at(-1),
  })
  const { code, stderr } = await run(process.execPath, [command, ...args], { cwd: folder, env })
  assert.equal(code, 0, stderr)
  assert.equal(readFileSync(join(folder, 'version.json'), 'utf8'), object)
  const served = await answerOf({ versionPath: folder }, '/__version__')
  assert.deepEqual([served.status, served.body], [200, object])
  assert.equal(served.headers['Content-Type'], 'application/json')

  const snippets = await snippetFolder(t, 'express-5', {
    'version.ts': version,
    'main.ts': `import { version } from './version.ts'\nconsole.log(JSON.stringify(await version('.')))\n`,
  })
  writeFileSync(join(snippets.path, 'acme_version.json'), '{"version":"7"}')
  const ran = await run(process.execPath, [snippets.runnable('main.ts')], {
    cwd: snippets.path,
    env: cleanEnv(),
  })
  assert.equal(ran.stdout, '{"version":"7"}\n', ran.stderr)
})

test('gap 12, guide, health: the table of own parts has the ids of the code', () => {
  const read = (file: string): string => readFileSync(join(root, 'packages/deedbox/src', file), 'utf8')
  const code = read('health/own-checks.ts') + read('chests/export-stats.ts')
  const rows = page.text.split('\n').filter(line => /^\| `check_/.test(line))
  const told = rows.flatMap(row => {
    const part = /check_([a-z]+)/.exec(row)?.[1]
    return [...row.matchAll(/`([WE]\d{3})`/g)].map(([, id]) => `deedbox.${part}.${id}`)
  })
  const expected = [...code.matchAll(/deedbox\.(?:(\w+)|\$\{part\})\.([WE]\d{3})/g)].flatMap(([, part, id]) =>
    (part === undefined ? ['outbox', 'chest'] : [part]).map(each => `deedbox.${each}.${id}`),
  )
  assert.deepEqual([...new Set(told)].sort(), [...new Set(expected)].sort())
})

test('guide, health: the table of options has each of them', () => {
  const file = readFileSync(join(root, 'packages/deedbox/src/health/health-options.ts'), 'utf8')
  const [, shape = ''] = /export interface HealthOptions \{(.*?)\n\}/s.exec(file) ?? []
  const names = [...shape.matchAll(/readonly (\w+)\?:/g)].map(([, name]) => name)
  assert(names.length > 10)
  const table = page.text.split('\n').filter(line => /^\| `/.test(line))
  for (const name of names)
    assert(
      table.some(line => (line.split('|')[1] ?? '').includes(`\`${name}\``)),
      name,
    )
})

everyBlockIsTested(page)
