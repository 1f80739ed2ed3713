import assert from 'node:assert/strict'
import { test } from 'node:test'
import { beginDraining, endDraining } from '../draining.ts'
import { healthService } from '../testing/health-service.ts'
import { createHealth, type HealthOptions } from './index.ts'

const methods = ['GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'DELETE', 'PATCH']

test('DF-10 the service itself says who is authorised, also later; true alone authorises', async t => {
  const never = new Promise<boolean>(() => undefined)
  for (const [authorise, isSeen] of [
    [() => true, true],
    [async () => true, true],
    [() => false, false],
    [async () => false, false],
    [() => 'yes' as never, false],
    [async () => 1 as never, false],
    [() => undefined as never, false],
    [() => never, false],
    [() => Promise.reject(new Error('the store of keys is down')), false],
    [
      () => {
        throw new Error('the store of keys is down')
      },
      false,
    ],
  ] as readonly [NonNullable<HealthOptions['authorise']>, boolean][]) {
    const { ask } = await healthService(t, {
      details: 'authorised',
      error: 'authorised',
      authorise,
      timeout: 50,
    })
    const answer = await ask('/__heartbeat__')
    assert.equal(answer.status, 200)
    assert.equal('details' in ((await answer.json()) as object), isSeen, String(authorise))
    assert.equal((await ask('/__error__')).status, isSeen ? 500 : 404, String(authorise))
  }
})

test('DF-11 gap 13 who may not call __error__ finds nothing there by any method, and uses up nobody’s time', async t => {
  const token = 'a-token-of-16-ch'
  const { ask } = await healthService(t, { error: 'authorised', token })
  for (const method of methods) {
    const answer = await ask('/__error__', { method })
    assert.deepEqual([answer.status, answer.headers.get('allow')], [404, null], method)
    assert.equal(await answer.text(), method === 'HEAD' ? '' : 'Not Found')
  }
  const authorization = `Bearer ${token}`
  const statuses: number[] = []
  for (const method of ['OPTIONS', 'POST', 'GET', 'GET'])
    statuses.push((await ask('/__error__', { method, headers: { authorization } })).status)
  assert.deepEqual(statuses, [200, 405, 500, 429])
})

test('gap 13 metrics are for whom the source says true to, now or later', async t => {
  for (const [allows, status] of [
    [undefined, 200],
    [() => true, 200],
    [async () => true, 200],
    [() => false, 401],
    [async () => false, 401],
    [() => undefined as never, 401],
    [() => 'yes' as never, 401],
    [() => Promise.reject(new Error('no keys')), 500],
  ] as const) {
    const metrics = { contentType: 'text/plain', render: async () => 'up 1\n', ...(allows && { allows }) }
    const { ask } = await healthService(t, { metrics })
    assert.equal((await ask('/metrics')).status, status, String(allows))
  }
})

test('gap 13 DF-29 metrics with a type that is no header, and modules without a name, are told at the start', async t => {
  const { box } = await healthService(t)
  const metrics = { contentType: 'text/plain\nX-A: 1', render: async () => '' }
  assert.throws(() => createHealth(box, { metrics }), /^ConfigurationError: metrics: /)
  for (const checkModules of [[' '], ['./a.js', '']])
    assert.throws(() => createHealth(box, { checkModules }), /^ConfigurationError: checkModules: .*not blank/)
})

test('X-18 ruling 28 a check named draining keeps what it found', async t => {
  t.after(endDraining)
  const found = [{ message: 'three jobs', level: 'warning', id: 'acme.W1' }] as const
  const { heartbeat } = await healthService(t, { checks: [{ name: 'draining', run: () => found }] })
  beginDraining('the node is emptied')
  const { checks, details } = await heartbeat()
  assert.deepEqual(checks, { draining: 'error' })
  assert.deepEqual(details.draining, {
    status: 'error',
    level: 40,
    messages: {
      'acme.W1': 'three jobs',
      'deedbox.health.E105': 'This process is about to end: the node is emptied',
    },
  })
  endDraining()
  assert.deepEqual((await heartbeat()).checks, { draining: 'warning' })
})
