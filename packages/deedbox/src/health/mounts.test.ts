import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { captureLog } from '../testing/captured-log.ts'
import { healthService } from '../testing/health-service.ts'
import { check, createHealth, error, type HealthEndpoints, type HealthOptions, warning } from './index.ts'

/** What a path answers of endpoints that were made without a server. */
async function reportOf(endpoints: HealthEndpoints, url = '/__heartbeat__'): Promise<[number, unknown]> {
  const { status, body } = await endpoints.answer({ method: 'GET', url, authorization: undefined })
  return [status, JSON.parse(body)]
}

const open: HealthOptions = { details: 'always', ownChecks: false, cache: 0 }

test('DF-29 two health() of an instance import the modules of the variable once', async t => {
  const folder = mkdtempSync(join(tmpdir(), 'deedbox-mounts-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const module = join(folder, 'checks.mjs')
  writeFileSync(module, 'export default function database() { return [] }')
  const before = process.env.DEEDBOX_CHECKS
  process.env.DEEDBOX_CHECKS = `${module},${module}`
  t.after(() => {
    if (before === undefined) delete process.env.DEEDBOX_CHECKS
    else process.env.DEEDBOX_CHECKS = before
  })
  const { box } = captureLog()
  t.after(() => box.close(100))
  const mounts = [createHealth(box, open), createHealth(box, open)]
  const answers = await Promise.all(mounts.map(each => reportOf(each)))
  const well = [200, { status: 'ok', checks: { database: 'ok' }, details: {} }]
  assert.deepEqual(answers, [well, well])
  for (const each of mounts) assert.deepEqual(await reportOf(each), well)
})

test('DF-13 DF-18 DF-22 DF-30 two health() of an instance share its rounds: one query, one line, one signal', async t => {
  const { box, lines } = captureLog()
  t.after(() => box.close(100))
  const held = Promise.withResolvers<void>()
  let calls = 0
  const database = check('database', async () => {
    calls++
    await held.promise
    return [error('gone', { id: 'acme.E1' })]
  })
  const app = createHealth(box, { ...open, checks: [database], silenced: ['acme.E1'] })
  const admin = createHealth(box, { details: 'always', checks: [database], failLevel: 'critical' })
  let signals = 0
  box.on('heartbeatPassed', () => void signals++)
  const asked = [reportOf(app), reportOf(admin)]
  held.resolve()
  const details = { database: { status: 'error', level: 40, messages: { 'acme.E1': 'gone' } } }
  const silent = { database: { status: 'ok', level: 0, messages: {}, silenced: 1 } }
  assert.deepEqual(await Promise.all(asked), [
    [200, { status: 'ok', checks: { database: 'ok' }, details: silent }],
    [200, { status: 'error', checks: { database: 'error' }, details }],
  ])
  assert.deepEqual([calls, signals], [1, 1])
  const told = (await lines()).filter(({ check: name }) => name === 'database')
  assert.deepEqual(
    told.map(({ message }) => message),
    ['acme.E1: gone'],
  )
  assert.deepEqual(box.checks.names, ['database'])
})

test('DF-13 DF-16 a second health() that runs rounds otherwise, or takes a name, is told at once', async t => {
  const { box } = captureLog()
  t.after(() => box.close(100))
  createHealth(box, { ...open, timeout: 100, checks: [check('a', () => [])] })
  for (const [options, problem] of [
    [
      { timeout: 200 },
      /^timeout: all health\(\) of an instance share its rounds of checks, and the first has 100/,
    ],
    [{ deadline: 1 }, /^deadline: .* has 5000\./],
    [{ cache: 1 }, /^cache: .* has 0\./],
    [{ ownChecks: true }, /^ownChecks: .* has false\./],
    [{ checks: [check('a', () => [warning('another')])] }, /there is a check named "a" already/],
  ] as const)
    assert.throws(() => createHealth(box, options), { name: 'ConfigurationError', message: problem })
  createHealth(box, { timeout: 100, deadline: 5_000, cache: 0, ownChecks: false })
  createHealth(box)
  const other = captureLog()
  t.after(() => other.box.close(100))
  createHealth(other.box, { timeout: 200 })
})

test('X-18 DF-13 readiness does not wait for what the service can work without; it is one round all the same', async t => {
  const held = Promise.withResolvers<void>()
  const calls = { database: 0, mail: 0 }
  const { ask, box } = await healthService(t, {
    timeout: 60_000,
    deadline: 60_000,
    checks: [
      check('database', () => void calls.database++),
      check(
        'mail',
        async () => {
          calls.mail++
          await held.promise
        },
        { readiness: false },
      ),
    ],
  })
  let rounds = 0
  box.on('heartbeatPassed', () => void rounds++)
  const diagnosis = ask('/__heartbeat__')
  for (let n = 0; n < 3; n++) {
    const ready = await ask('/__readiness__')
    assert.deepEqual(
      [ready.status, ((await ready.json()) as { checks: object }).checks],
      [200, { database: 'ok' }],
    )
  }
  assert.deepEqual([calls, rounds], [{ database: 1, mail: 1 }, 0])
  held.resolve()
  assert.deepEqual(((await (await diagnosis).json()) as { checks: object }).checks, {
    database: 'ok',
    mail: 'ok',
  })
  assert.equal(rounds, 1)
  assert.equal((await ask('/__readiness__')).status, 200)
  assert.equal(calls.database, 2)
})

test('X-18 DF-29 what cannot be asked at all is a failing heartbeat, whoever asks, and ends no process', async t => {
  const { ask, box } = await healthService(t)
  Object.defineProperty(box.checks, 'checks', {
    get() {
      throw new Error('no checks')
    },
  })
  for (const path of ['/__readiness__', '/__heartbeat__']) assert.equal((await ask(path)).status, 500)
})
