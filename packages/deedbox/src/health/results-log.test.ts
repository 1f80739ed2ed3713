import assert from 'node:assert/strict'
import { test } from 'node:test'
import { healthService } from '../testing/health-service.ts'
import { violations } from '../testing/json-schema.ts'
import { mozlogSchema } from '../testing/mozlog-schema.ts'
import { check, critical, debug, error, info, warning } from './index.ts'

const type = 'dockerflow.checks.registry'

test('DF-21 DF-22 each message is a line at its level, silenced or not; calls are DEBUG lines', async t => {
  const texts: string[] = []
  const { heartbeat } = await healthService(
    t,
    {
      silenced: ['a.E4'],
      checks: [
        check('all', () => [
          debug('one', { id: 'a.D1' }),
          info('two', { id: 'a.I2' }),
          warning('three', { id: 'a.W3' }),
          error('four', { id: 'a.E4', hint: 'Look.' }),
          critical('five'),
        ]),
        check('well', () => []),
      ],
    },
    { log: { format: 'mozlog', level: 'DEBUG', sink: line => void texts.push(line) } },
  )
  const { checks, details } = await heartbeat()
  assert.deepEqual([checks.all, details.all?.silenced, details.well], ['critical', 1, undefined])
  assert.equal(details.all?.messages['a.E4'], undefined)
  const lines = texts.map(text => JSON.parse(text))
  for (const line of lines) assert.deepEqual(violations(line, mozlogSchema), [])
  const said = lines
    .filter(line => line.Type === type)
    .map(({ Severity, Fields: { msg, check, hint } }) =>
      [Severity, msg, check, hint].filter(Boolean).join(' '),
    )
  assert.deepEqual(said, [
    '7 Registered check all',
    '7 Registered check well',
    '7 Calling check all',
    '7 Calling check well',
    '7 a.D1: one all',
    '6 a.I2: two all',
    '4 a.W3: three all',
    '3 a.E4: four all Look.',
    '2 five all',
  ])
})

test('DF-13 DF-22 a round belongs to none of the requests that it answers', async t => {
  const { ask, heartbeat, box, lines } = await healthService(t, {
    checks: [check('scoped', () => [info(`in ${box.requestId ?? 'no request'}`)])],
  })
  await ask('/__heartbeat__', { headers: { 'X-Request-Id': 'first' } })
  const { details } = await heartbeat()
  assert.deepEqual(Object.values(details.scoped?.messages ?? {}), ['in no request'])
  const said = (await lines()).filter(line => line.message === 'in no request')
  assert.equal(said.length, 2)
  for (const line of said) assert.equal(line.request_id, undefined)
})

test('DF-21 silencing by the variable; a silenced error passes', async t => {
  process.env.DEEDBOX_SILENCED_CHECKS = ' a.E1, a.E2 ,'
  t.after(() => delete process.env.DEEDBOX_SILENCED_CHECKS)
  const { ask, heartbeat, box } = await healthService(t, {
    checks: [check('a', () => [error('one', { id: 'a.E1' }), error('two', { id: 'a.E2' })])],
  })
  let passed = 0
  box.on('heartbeatPassed', () => void passed++)
  assert.equal((await ask('/__heartbeat__')).status, 200)
  assert.deepEqual((await heartbeat()).details, {
    a: { status: 'ok', level: 0, messages: {}, silenced: 2 },
  })
  assert.equal(passed, 2)
})

test('DF-23 a check that throws: one ERROR line with its traceback, and secrets in neither line nor body', async t => {
  const { ask, lines } = await healthService(t, {
    checks: [
      check('storage', () => {
        throw new TypeError('postgres://app:hunter2secret@db:5432/shop refused')
      }),
      check('well', () => [info('fine')]),
    ],
  })
  const answer = await ask('/__heartbeat__')
  assert.equal(answer.status, 500)
  const body = await answer.text()
  assert.match(body, /The check storage failed: postgres:/)
  assert.match(body, /"well":"info"/)
  assert(!body.includes('hunter2'))
  const failed = (await lines()).filter(({ message }) => String(message).includes('storage failed'))
  assert.equal(failed.length, 1)
  assert.deepEqual([failed[0]?.level, failed[0]?.check], ['ERROR', 'storage'])
  assert.match(String(failed[0]?.exception), /^TypeError: .*\n {4}at .*results-log\.test\.ts/)
  assert(!JSON.stringify(await lines()).includes('hunter2'))
})

test('DF-23 X-11 whatever is thrown, the heartbeat answers and the lines are lines', async t => {
  const hostile = new Proxy(new Error('x'), {
    get() {
      throw new Error('no')
    },
  })
  const thrown = [hostile, null, undefined, Object.create(null), 5n]
  const { ask, lines, box } = await healthService(t)
  for (const [i, value] of thrown.entries()) {
    box.checks.register(`check_${i}`, () => {
      throw value
    })
  }
  assert.equal((await ask('/__heartbeat__')).status, 500)
  const said = (await lines()).filter(({ message }) => /^deedbox\.health\.E104: /.test(String(message)))
  assert.equal(said.length, thrown.length)
})
