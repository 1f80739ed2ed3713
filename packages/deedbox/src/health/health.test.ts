import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { type Deedbox, deedbox } from 'deedbox'
import { health } from 'deedbox/express'
import { check, error, type HealthOptions, warning } from 'deedbox/health'
import express from 'express'

/** A service with nothing but health endpoints, and how to ask it. */
async function service(t: TestContext, options: HealthOptions, prepare: (box: Deedbox) => void = () => {}) {
  const lines: string[] = []
  const box = deedbox({
    service: 'shop',
    ledger: null,
    log: { sink: line => void lines.push(line), level: 'DEBUG' },
  })
  prepare(box)
  const app = express()
  app.use(health(box, options))
  const server = createServer(app).listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  t.after(async () => {
    server.close()
    await box.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return { box, lines, ask: (path: string, init: RequestInit = {}) => fetch(url + path, init) }
}

test('DF-07 DF-08 a warning answers 200 and stands in the body as the original writes it', async t => {
  const { ask } = await service(t, {
    details: 'always',
    ownChecks: false,
    checks: [
      check('check_debug', () => []),
      check('check_sts_preload', () => [warning('You have not set it.', { id: 'security.W021' })]),
    ],
  })
  const answer = await ask('/__heartbeat__')
  assert.equal(answer.status, 200)
  assert.deepEqual(await answer.json(), {
    status: 'warning',
    checks: { check_debug: 'ok', check_sts_preload: 'warning' },
    details: {
      check_sts_preload: {
        status: 'warning',
        level: 30,
        messages: { 'security.W021': 'You have not set it.' },
      },
    },
  })
})

test('X-18 what does not affect readiness fails the heartbeat alone', async t => {
  const { ask } = await service(t, {
    details: 'always',
    ownChecks: false,
    checks: [check('mail', () => [error('gone', { id: 'acme.E1' })], { readiness: false })],
  })
  assert.equal((await ask('/__heartbeat__')).status, 500)
  assert.equal((await ask('/__readiness__')).status, 200)
  assert.equal((await ask('/__lbheartbeat__')).status, 200)
})

test('DF-30 DF-32 signals tell the result of a round, whatever a listener throws', async t => {
  const told: string[] = []
  const { ask } = await service(
    t,
    { ownChecks: false, cache: 0, checks: [check('mail', () => [error('gone')])] },
    box => {
      box.on('heartbeatFailed', () => {
        throw new Error('listener')
      })
      box.on('heartbeatFailed', ({ status, level }) => void told.push(`${status} ${level}`))
      box.on('heartbeatPassed', () => void told.push('passed'))
    },
  )
  assert.equal((await ask('/__heartbeat__')).status, 500)
  assert.deepEqual(told, ['error 40'])
})
