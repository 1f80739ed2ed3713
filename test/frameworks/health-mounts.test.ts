import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createAdaptorServer, type HttpBindings } from '@hono/node-server'
import { health as healthOnExpress, observe as observeExpress } from 'deedbox/express'
import { health as healthOnFastify, observe as observeFastify } from 'deedbox/fastify'
import type { HealthOptions } from 'deedbox/health'
import { health as healthOnHono, observe as observeHono, onError } from 'deedbox/hono'
import { health as healthOnKoa } from 'deedbox/koa'
import express5 from 'express'
import { Hono } from 'hono'
import { type CapturedLog, captureLog } from '../../packages/deedbox/src/testing/captured-log.ts'
import express4 from './express-4/express.ts'
import { fastify4App } from './fastify-4/harness.ts'
import { fastify5App } from './fastify-5/harness.ts'
import { koa2Packages } from './koa-2/harness.ts'
import { koa3Packages } from './koa-3/harness.ts'

const options: HealthOptions = {
  ownChecks: false,
  details: 'always',
  error: 'always',
  version: () => ({ version: '1' }),
  metrics: { contentType: 'text/plain', render: async () => 'up 1\n' },
}
const well = '{"status":"ok","checks":{},"details":{}}'
const raised = 'The __error__ endpoint was called'

/** Serves a listener; `ask` resolves to the status and the body. */
async function serve(
  t: TestContext,
  listener: RequestListener,
): Promise<(path: string, init?: RequestInit) => Promise<[number, string]>> {
  const server = createServer(listener).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return async (path, init) => {
    const answer = await fetch(url + path, init)
    return [answer.status, await answer.text()]
  }
}

/** The error of the first request that raised one. */
async function raisedIn({ recorded, records }: CapturedLog): Promise<unknown> {
  await recorded(1)
  return (records.find(({ error }) => error !== null)?.error?.thrown as Error | undefined)?.message
}

for (const [name, make] of [
  ['Express 5', express5],
  ['Express 4', express4 as unknown as typeof express5],
] as const) {
  test(`DF-01 DF-11 ${name}: below a path, in a router, and an error that the error handlers hear`, async t => {
    const log = captureLog({ skipPaths: [] })
    const app = make()
    app.use(observeExpress(log.box))
    app.use('/ops', healthOnExpress(log.box, options))
    const router = make.Router()
    router.use(healthOnExpress(log.box, { ...options, error: 'never' }))
    app.use('/tenants/:tenant', router)
    const heard: unknown[] = []
    app.use(((error: Error, _request, response, _next) => {
      heard.push(error.message)
      response.status(503).end('handled')
    }) as express5.ErrorRequestHandler)
    const ask = await serve(t, app)
    assert.deepEqual(await ask('/ops/__heartbeat__/?a=1'), [200, well])
    assert.deepEqual(await ask('/tenants/7/__lbheartbeat__'), [200, ''])
    assert.equal((await ask('/__heartbeat__'))[0], 404)
    assert.deepEqual(await ask('/ops/__error__'), [503, 'handled'])
    assert.deepEqual([heard, await raisedIn(log)], [[raised], raised])
    const records = await log.recorded(4)
    assert.equal(records[0]?.route, '/ops/__heartbeat__')
    assert.equal(records[3]?.route, '/ops/__error__')
  })
}

for (const [name, make] of [
  ['Fastify 5', fastify5App],
  ['Fastify 4', fastify4App],
] as const) {
  test(`DF-01 DF-11 ${name}: by inject, with a prefix, in an inner instance, and an error that the error handler hears`, async t => {
    const log = captureLog({ skipPaths: [] })
    const app = make()
    t.after(() => app.close())
    await app.register(observeFastify(log.box))
    await app.register(healthOnFastify(log.box, { ...options, error: 'never' }))
    await app.register(healthOnFastify(log.box, options), { prefix: '/ops' })
    await app.register(
      async inner => {
        await inner.register(healthOnFastify(log.box, options))
        inner.get('/__own__', async () => 'own')
      },
      { prefix: '/inner' },
    )
    app.addHook('onRequest', async (_request, reply) => reply.code(401).send('who is it'))
    const heard: unknown[] = []
    app.setErrorHandler((error: Error, _request, reply) => {
      heard.push(error.message)
      reply.code(503).send('handled')
    })
    const ask = async (url: string, method: 'GET' | 'POST' | 'HEAD' = 'GET'): Promise<[number, string]> => {
      const { statusCode, body } = await app.inject({ method, url })
      return [statusCode, body]
    }
    for (const at of ['', '/ops', '/inner']) {
      assert.deepEqual(await ask(`${at}/__heartbeat__`), [200, well], at)
      assert.deepEqual(await ask(`${at}/__lbheartbeat__/?a=1`), [200, ''], at)
      assert.deepEqual(await ask(`${at}/metrics`), [200, 'up 1\n'], at)
      assert.deepEqual(await ask(`${at}/__version__`, 'POST'), [405, 'Method Not Allowed'], at)
    }
    for (const path of ['/', '/__error__', '/inner/__own__', '/inner/__nothing__', '/opsy/__heartbeat__'])
      assert.deepEqual([path, ...(await ask(path))], [path, 401, 'who is it'])
    assert.deepEqual(await ask('/ops/__error__'), [503, 'handled'])
    assert.deepEqual([heard, await raisedIn(log)], [[raised], raised])
    assert.equal(log.records.find(({ error }) => error !== null)?.route, '/ops/__error__')
  })

  test(`DF-01 ${name}: in an inner instance whose prefix has parameters`, async t => {
    const { box } = captureLog()
    const app = make()
    t.after(() => app.close())
    await app.register(async inner => void inner.register(healthOnFastify(box, options)), {
      prefix: '/tenants/:tenant',
    })
    const answers = ['__heartbeat__', '__error__', '__nothing__', 'metrics', 'metrics/'].map(path =>
      app.inject({ url: `/tenants/7/${path}` }),
    )
    const statuses = (await Promise.all(answers)).map(({ statusCode }) => statusCode)
    assert.deepEqual(statuses, [200, 500, 404, 200, 200])
  })
}

for (const { name, createApp } of [koa3Packages, koa2Packages]) {
  test(`DF-11 ${name}: an error that the application's listeners hear`, async t => {
    const log = captureLog()
    const app = createApp()
    app.use(healthOnKoa(log.box, options))
    const heard: unknown[] = []
    app.on('error', (error: Error) => heard.push(error.message))
    const ask = await serve(t, app.callback() as RequestListener)
    assert.deepEqual(await ask('/__error__'), [500, 'Internal Server Error'])
    assert.deepEqual([heard, await raisedIn(log)], [[raised], raised])
  })
}

test('DF-01 DF-11 Hono 4: below a path, without node:http, and an error that onError hears', async t => {
  const log = captureLog({ skipPaths: [] })
  const app = new Hono<{ Bindings: HttpBindings }>()
  app.use(observeHono(log.box))
  app.use('/ops/*', healthOnHono(log.box, options))
  const heard: unknown[] = []
  app.onError((error, c) => {
    heard.push(error.message)
    return onError(log.box)(error, c)
  })
  // Takes everything, as that of a page that routes by itself.
  app.get('*', c => c.text('the page of an app', 404))
  const requested = await app.request('/ops/__heartbeat__')
  assert.deepEqual([requested.status, await requested.text(), log.records.length], [200, well, 0])
  const server = createAdaptorServer({ fetch: app.fetch, createServer })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const statuses: number[] = []
  for (const path of [
    '/ops/__heartbeat__/',
    '/ops/metrics',
    '/metrics',
    '/__heartbeat__',
    '/ops/__error__',
  ]) {
    const answer = await fetch(url + path, { headers: { connection: 'close' } })
    await answer.text()
    statuses.push(answer.status)
  }
  assert.deepEqual(statuses, [200, 200, 404, 404, 500])
  assert.deepEqual([heard, await raisedIn(log)], [[raised], raised])
  assert.equal(log.records[0]?.route, '/ops/__heartbeat__')
})
