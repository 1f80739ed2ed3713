import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import { beginDraining, drainingReason, endDraining } from '../draining.ts'
import { healthService } from '../testing/health-service.ts'
import { check, critical, error, type HealthOptions, info, warning } from './index.ts'

const paths = ['/__heartbeat__', '/__readiness__', '/__lbheartbeat__', '/__version__']

test('DF-01 DF-12 each path, with and without slash or query, by GET, HEAD and OPTIONS; others are 405', async t => {
  const { ask } = await healthService(t, { version: () => ({ version: '1' }) })
  for (const path of paths) {
    for (const form of [path, `${path}/`, `${path}?a=1`, `${path}/?a=1`]) {
      const answer = await ask(form)
      assert.equal(answer.status, 200, form)
      assert.equal(answer.headers.get('cache-control'), 'no-store')
      assert.equal(answer.headers.get('vary'), 'Accept-Encoding')
    }
    const get = await ask(path)
    const head = await ask(path, { method: 'HEAD' })
    assert.deepEqual([head.status, await head.text()], [200, ''])
    for (const name of ['content-type', 'content-length', 'cache-control'])
      assert.equal(head.headers.get(name), get.headers.get(name), `${name} of ${path}`)
    for (const method of ['OPTIONS', 'POST', 'PUT', 'DELETE', 'PATCH']) {
      const answer = await ask(path, { method })
      assert.equal(answer.status, method === 'OPTIONS' ? 200 : 405)
      assert.equal(answer.headers.get('allow'), 'GET, HEAD, OPTIONS')
      assert.equal(answer.headers.get('cache-control'), 'no-store')
    }
  }
  for (const other of [
    '/__heartbeat__//',
    '/__heartbeat',
    '/a/__heartbeat__',
    '/__HEARTBEAT__',
    '/__error__',
    '/',
  ])
    assert.equal(await (await ask(other)).text(), 'the service', other)
})

test('DF-06 the load balancer’s endpoint is empty text, and runs no check', async t => {
  let calls = 0
  const { ask } = await healthService(t, { checks: [check('a', () => void calls++)] })
  const answer = await ask('/__lbheartbeat__')
  assert.deepEqual([answer.status, await answer.text()], [200, ''])
  assert.equal(answer.headers.get('content-type'), 'text/plain; charset=utf-8')
  assert.equal(calls, 0)
})

test('DF-07 without checks the body is as the original’s', async t => {
  const { ask } = await healthService(t)
  const answer = await ask('/__heartbeat__')
  assert.equal(answer.headers.get('content-type'), 'application/json')
  assert.deepEqual(await answer.json(), { status: 'ok', checks: {}, details: {} })
})

test('DF-08 DF-09 X-09 ruling 27 the status of each level, as ruled and as it once was', async t => {
  const found = { debug: 10, info: 20, warning: 30, error: 40, critical: 50 } as const
  for (const [failLevel, failedStatus, failing] of [
    [undefined, undefined, ['error', 'critical']],
    ['warning', '503', ['warning', 'error', 'critical']],
    ['critical', 599, ['critical']],
  ] as const) {
    let level: number | undefined
    const { ask, box } = await healthService(t, {
      failLevel,
      failedStatus,
      checks: [check('a', () => (level === undefined ? [] : [warning('m', { level })]))],
    })
    const signals: string[] = []
    box.on('heartbeatFailed', ({ status }) => signals.push(status))
    assert.equal((await ask('/__heartbeat__')).status, 200)
    for (const [name, number] of Object.entries(found)) {
      level = number
      const expected = (failing as readonly string[]).includes(name) ? Number(failedStatus ?? 500) : 200
      assert.equal((await ask('/__heartbeat__')).status, expected, `${name}, failing at ${failLevel}`)
    }
    assert.deepEqual(signals, failing)
  }
})

test('DF-10 who sees details: everybody, who has the token, or nobody', async t => {
  const token = 'a-token-of-16-ch'
  const sees = async (options: HealthOptions, authorization?: string): Promise<boolean> => {
    const { ask } = await healthService(t, { checks: [check('a', () => [info('i')])], ...options })
    const answer = await ask(
      '/__heartbeat__',
      authorization === undefined ? {} : { headers: { authorization } },
    )
    assert.equal(answer.status, 200)
    const body = (await answer.json()) as object
    assert.equal('checks' in body, true)
    return 'details' in body
  }
  const right = `Bearer ${token}`
  assert.equal(await sees({ details: undefined }), false)
  assert.equal(await sees({ details: undefined, token }), false)
  assert.equal(await sees({ details: undefined, token }, right), true)
  assert.equal(await sees({ details: 'authorised', token }, `bearer  ${token} `), true)
  for (const wrong of [`${right}x`, 'Bearer', `Basic ${token}`, token, `Bearer ${token.slice(0, -1)}`])
    assert.equal(await sees({ details: 'authorised', token }, wrong), false, wrong)
  assert.equal(await sees({ details: 'authorised' }, right), false)
  assert.equal(await sees({ details: 'never', token }, right), false)
  assert.equal(await sees({ details: 'always', token }), true)
})

test('DF-10 in development everybody sees details', async t => {
  const { ask } = await healthService(t, { details: undefined }, { env: 'development' })
  assert.deepEqual(Object.keys((await (await ask('/__heartbeat__')).json()) as object), [
    'status',
    'checks',
    'details',
  ])
})

test('DF-10 who is to be authorised without a token is told of it once, who asked for nothing is not', async t => {
  for (const [options, count] of [
    [{ details: 'authorised' }, 1],
    [{ error: 'authorised' }, 1],
    [{ details: 'authorised', token: 'long-enough-by-far' }, 0],
    [{ details: undefined }, 0],
  ] as const) {
    const { lines, ask } = await healthService(t, options)
    await ask('/__heartbeat__')
    assert.equal((await lines()).filter(({ notice }) => notice === 'health_token').length, count)
  }
})

test('DF-11 gap 13 __error__ is off, or for who is authorised, and once in ten seconds', async t => {
  const token = 'a-token-of-16-ch'
  const { ask, lines } = await healthService(t, { error: 'authorised', token })
  const authorised = { headers: { authorization: `Bearer ${token}` } }
  for (let i = 0; i < 3; i++) assert.equal((await ask('/__error__')).status, 404)
  const failed = await ask('/__error__', authorised)
  assert.deepEqual([failed.status, await failed.text()], [500, 'Internal Server Error'])
  const again = await ask('/__error__', authorised)
  assert.equal(again.status, 429)
  assert.match(again.headers.get('retry-after') ?? '', /^([1-9]|10)$/)
  assert.equal((await ask('/__error__')).status, 404)
  const said = (await lines()).filter(({ message }) => message === 'The __error__ endpoint was called')
  assert.deepEqual(
    said.map(({ level }) => level),
    ['ERROR'],
  )
  assert.equal(await (await (await healthService(t)).ask('/__error__')).text(), 'the service')
  assert.equal((await (await healthService(t, { error: 'always' })).ask('/__error__')).status, 500)
})

test('DF-13 many who ask at once share one round; later ones the cache, while it is fresh', async t => {
  let calls = 0
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const { ask, box } = await healthService(t, {
    cache: 3_600_000,
    timeout: 60_000,
    deadline: 60_000,
    checks: [
      check('a', () => {
        calls++
        return promise
      }),
    ],
  })
  let rounds = 0
  box.on('heartbeatPassed', () => void rounds++)
  const asked = Array.from({ length: 50 }, (_, i) => ask(paths[i % 2]!))
  // While the check is held, the load balancer has its answer.
  assert.equal((await ask('/__lbheartbeat__')).status, 200)
  resolve(undefined)
  for (const answer of await Promise.all(asked)) assert.equal(answer.status, 200)
  assert.equal((await ask('/__heartbeat__')).status, 200)
  assert.deepEqual([calls, rounds], [1, 1])
})

test('X-18 gap 17 ruling 28 a draining process is not ready and says why, also from the cache; it lives on', async t => {
  t.after(endDraining)
  const { ask } = await healthService(t, { cache: 3_600_000, failedStatus: 503, failLevel: 'critical' })
  assert.equal((await ask('/__heartbeat__')).status, 200)
  beginDraining('the node is emptied')
  beginDraining('a later reason')
  assert.equal(drainingReason(), 'the node is emptied')
  for (const path of ['/__heartbeat__', '/__readiness__']) {
    const answer = await ask(path)
    assert.equal(answer.status, 503)
    assert.deepEqual(await answer.json(), {
      status: 'critical',
      checks: { draining: 'critical' },
      details: {
        draining: {
          status: 'critical',
          level: 50,
          messages: { 'deedbox.health.E105': 'This process is about to end: the node is emptied' },
        },
      },
    })
  }
  assert.equal((await ask('/__lbheartbeat__')).status, 200)
  endDraining()
  assert.equal((await ask('/__readiness__')).status, 200)
})

test('gap 17 ruling 28 SIGTERM begins it, in a process with a handler of its own', async t => {
  t.after(endDraining)
  const { ask } = await healthService(t, {}, { flushOnSignal: false })
  assert.equal((await ask('/__readiness__')).status, 200)
  const signalled = once(process, 'SIGTERM')
  process.kill(process.pid, 'SIGTERM')
  await signalled
  assert.equal((await ask('/__readiness__')).status, 500)
  assert.equal((await ask('/__heartbeat__')).status, 500)
  assert.equal((await ask('/__lbheartbeat__')).status, 200)
})

test('X-18 readiness leaves out what the service can work without; the worst of the rest counts', async t => {
  const { ask } = await healthService(t, {
    checks: [
      check('mail', () => [critical('gone')], { readiness: false }),
      check('search', () => [warning('slow')]),
    ],
  })
  const ready = await ask('/__readiness__')
  assert.equal(ready.status, 200)
  assert.deepEqual(((await ready.json()) as { checks: object }).checks, { search: 'warning' })
  assert.equal((await ask('/__heartbeat__')).status, 500)
})

test('DF-32 what a listener or a log line breaks is no rejection of the heartbeat', async t => {
  const { ask } = await healthService(
    t,
    { checks: [check('a', () => [error('x', { id: 'a.E1' })])] },
    {
      log: {
        sink: () => {
          throw new Error('disk full')
        },
      },
    },
  )
  assert.equal((await ask('/__heartbeat__')).status, 500)
})

test('gap 17 ruling 3 copies of this package drain together', async t => {
  t.after(endDraining)
  const copy = (await import(
    `${new URL('../draining.ts', import.meta.url)}?copy`
  )) as typeof import('../draining.ts')
  assert.notEqual(copy.beginDraining, beginDraining)
  copy.beginDraining('elsewhere')
  assert.equal(drainingReason(), 'elsewhere')
})
