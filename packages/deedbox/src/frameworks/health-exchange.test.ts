import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { SkipPath } from 'deedbox'
import { health, observe } from 'deedbox/express'
import express from 'express'
import { memoryLedger } from '../capture/index.ts'
import { internalsOf } from '../internals.ts'
import { defaultSkipPaths } from '../request/index.ts'
import { captureLog } from '../testing/captured-log.ts'
import { healthService } from '../testing/health-service.ts'
import { serve } from '../testing/served.ts'

test('X-11 an answer that cannot be sent is a 500 and one notice, whenever it is made, and ends no process', async t => {
  let contentType = 'text/plain'
  const metrics = {
    get contentType() {
      return contentType
    },
    render: async () => 'up 1\n',
  }
  const { ask, lines, recorded } = await healthService(t, { metrics })
  assert.equal((await ask('/metrics')).status, 200)
  contentType = 'text/plain\r\nX-Secret: 1'
  for (let n = 0; n < 2; n++) {
    const answer = await ask('/metrics')
    assert.deepEqual([answer.status, await answer.text(), answer.headers.get('x-secret')], [500, '', null])
  }
  contentType = 'text/plain'
  assert.equal((await ask('/metrics')).status, 200)
  const failed = (await recorded(2)).filter(({ error }) => error !== null)
  assert.deepEqual(
    failed.map(({ status, outcome }) => [status, outcome]),
    [
      [500, 'completed'],
      [500, 'completed'],
    ],
  )
  assert.equal((await lines()).filter(({ notice }) => notice === 'health_unanswered').length, 1)
})

for (const [title, skipPaths, isSkipped] of [
  ['the default list', undefined, true],
  ['a list that has all of it', ['/ping', ...defaultSkipPaths], true],
  ['a list of the service’s own', ['/healthz'], false],
] as readonly [string, readonly SkipPath[] | undefined, boolean][])
  test(`X-10 IF-07 with ${title} health endpoints below a path are skipped: ${isSkipped}; a business route never is`, async t => {
    const ledger = memoryLedger()
    const log = captureLog({ skipPaths, ledger, audit: { requests: true } })
    const { box } = log
    t.after(() => box.close(100))
    const app = express()
    app.use(observe(box))
    const metrics = { contentType: 'text/plain', render: async () => 'up 1\n' }
    app.use('/ops', health(box, { metrics, ownChecks: false, error: 'always' }))
    app.get('/metrics', (_request, response) => void response.send('our figures'))
    app.get('/last', (_request, response) => void response.send(String(internalsOf(box).lifecycle.inFlight)))
    const { url } = await serve(t, app)
    const paths = ['/ops/__lbheartbeat__', '/ops/__heartbeat__/', '/ops/metrics?a=1']
    for (const path of paths) assert.equal((await fetch(url + path)).status, 200, path)
    const shown = ['/metrics', '/ops/__error__', '/last']
    let inFlight = ''
    for (const path of shown) inFlight = await (await fetch(url + path)).text()
    assert.equal(inFlight, '1')
    const records = await log.recorded(isSkipped ? shown.length : paths.length + shown.length)
    const expected = [
      ...(isSkipped ? [] : ['/ops/__lbheartbeat__', '/ops/__heartbeat__/', '/ops/metrics']),
      ...shown,
    ]
    assert.deepEqual(
      records.map(({ path }) => path),
      expected,
    )
    await box.flush()
    const names = ledger.events.map(({ meta }) => meta.event_name)
    assert.equal(names.length, expected.length, names.join())
  })

test('X-10 IF-08 a health endpoint below a path leaves a line where it fails, and no event', async t => {
  const log = captureLog()
  t.after(() => log.box.close(100))
  const app = express()
  app.use(
    '/ops',
    health(log.box, {
      ownChecks: false,
      checks: [{ name: 'a', run: () => [{ message: 'gone', level: 'error' }] }],
    }),
  )
  const { url } = await serve(t, app)
  assert.equal((await fetch(`${url}/ops/__heartbeat__`)).status, 500)
  const [record] = await log.recorded(1)
  assert.deepEqual([record?.skipped, record?.status, record?.route], [true, 500, '/ops/__heartbeat__'])
})
