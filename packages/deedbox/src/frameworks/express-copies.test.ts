import assert from 'node:assert/strict'
import { tracingChannel } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import express from 'express'
import { captureLog } from '../testing/captured-log.ts'
import { until } from '../testing/ledger-stand-in.ts'
import { observedExpress } from '../testing/observed-express.ts'
import { observe } from './express.ts'

const answer: express.RequestHandler = (_request, response) => void response.json(1)

/** Another copy of Express, whose routers inherit from other objects, as packages with an Express of their own have. */
function anotherExpress(): typeof express {
  const load = createRequire(import.meta.url)
  const isPart = (path: string): boolean => /\/node_modules\/(express|router)\//.test(path)
  const parts = Object.entries(load.cache).filter(([path]) => isPart(path))
  for (const [path] of parts) delete load.cache[path]
  try {
    return load('express') as typeof express
  } finally {
    for (const path of Object.keys(load.cache).filter(isPart)) delete load.cache[path]
    for (const [path, part] of parts) load.cache[path] = part
  }
}

/** Routes that answer, fail, and recover from a failure by themselves. */
function serveThings(router: express.IRouter, failure: Error): void {
  router.get('/things/:thing', (_request, response) => void response.end('1'))
  router.get('/fails', () => {
    throw failure
  })
  router.use('/recovers', () => {
    throw failure
  })
  const recover: express.ErrorRequestHandler = (error, request, response, next) => {
    if (request.originalUrl.includes('recovers')) response.end('fine after all')
    else next(error)
  }
  router.use(recover)
}

test('IF-16 IF-29 applications and routers of another copy of Express, mounted or called by hand, from the first request', async t => {
  const other = anotherExpress()
  assert.notEqual(other.Router, express.Router)
  const failure = new Error('theirs')
  const ask = await observedExpress(t, app => {
    for (const path of ['/app/:a', '/again']) {
      const inner = other()
      inner.set('env', 'test')
      serveThings(inner, failure)
      app.use(path, inner)
    }
    const router = other.Router()
    serveThings(router, failure)
    app.use('/router/:r', router)
    const same = express()
    same.set('env', 'test')
    serveThings(same, failure)
    app.use('/same', same)
    const byHand = express()
    byHand.set('env', 'test')
    serveThings(byHand, failure)
    app.use('/hand/:h', (request, response) => byHand(request, response))
    const foreign = other()
    foreign.set('env', 'test')
    serveThings(foreign, failure)
    app.use('/theirs', express(), (request, response, next) => foreign(request, response, next))
  })
  for (const [path, route, status, error] of [
    ['/app/1/things/2', '/app/:a/things/:thing', 200, undefined],
    ['/app/1/recovers', null, 200, failure],
    ['/app/1/fails', '/app/:a/fails', 500, failure],
    ['/again/recovers', null, 200, failure],
    ['/again/things/2', '/again/things/:thing', 200, undefined],
    ['/router/1/recovers', null, 200, failure],
    ['/router/1/things/2', '/router/:r/things/:thing', 200, undefined],
    ['/router/1/fails', '/router/:r/fails', 500, failure],
    ['/same/recovers', null, 200, failure],
    ['/same/things/2', '/same/things/:thing', 200, undefined],
    ['/hand/1/fails', '/hand/:h/fails', 500, failure],
    ['/hand/1/recovers', null, 200, failure],
    ['/theirs/things/1', '/theirs/things/:thing', 200, undefined],
    ['/theirs/recovers', null, 200, failure],
    ['/theirs/fails', '/theirs/fails', 500, failure],
  ] as const) {
    const record = await ask(path)
    assert.deepEqual([record.route, record.status, record.error?.thrown], [route, status, error], path)
  }
  // Listening makes each request of Express dearer: only for as long as not all is known.
  await until(() => !tracingChannel('express.router.request').start.hasSubscribers)
})

test('IF-29 errors of requests that were under way when the first one came to observe() are told', async t => {
  const log = captureLog()
  const failure = new Error('theirs')
  const other = anotherExpress()
  const app = other()
  app.set('env', 'test')
  const { promise: isReady, resolve: goOn } = Promise.withResolvers<void>()
  let waiting = 0
  app.use((_request, _response, next) => {
    if (++waiting === 3) goOn()
    void isReady.then(() => next())
  })
  app.use(other().get('/nothing', answer))
  app.use(observe(log.box))
  app.param('id', (_request, _response, next) => next(failure))
  app.get('/things/:id', answer)
  app.get('/fails', () => {
    throw failure
  })
  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  await Promise.all(['/things/1', '/fails', '/fails'].map(async path => (await fetch(url + path)).text()))
  const records = await log.recorded(3)
  assert.deepEqual(
    records.map(({ status, error }) => [status, error?.thrown]),
    Array.from({ length: 3 }, () => [500, failure]),
  )
})

test('IF-16 a service may put something of its own in the place of request.app', async t => {
  const ask = await observedExpress(t, app => {
    app.use((request, _response, next) => {
      Object.defineProperty(request, 'app', { value: 'mobile' })
      next()
    })
    const inner = express.Router()
    inner.use(observe(captureLog().box))
    inner.get('/things/:id', answer)
    app.use('/inner', inner)
  })
  for (const _ of [1, 2]) {
    const record = await ask('/inner/things/1')
    assert.deepEqual([record.status, record.route], [200, '/inner/things/:id'])
  }
})

test('IF-16 IF-29 a router without an application tells by its channel', async t => {
  const log = captureLog()
  const failure = new Error('lone')
  // Without types of its own.
  const lone = createRequire(createRequire(import.meta.url).resolve('express'))('router')() as express.Router
  lone.use(observe(log.box) as never)
  serveThings(lone, failure)
  const server = createServer((request, response) =>
    lone(request as never, response as never, error => {
      response.statusCode = error === undefined ? 404 : 500
      response.end()
    }),
  ).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  for (const path of ['/things/1', '/fails', '/nothing']) await (await fetch(url + path)).text()
  assert.deepEqual(
    (await log.recorded(3)).map(({ route, status, error }) => [route, status, error?.thrown]),
    [
      ['/things/:thing', 200, undefined],
      ['/fails', 500, failure],
      [null, 404, undefined],
    ],
  )
})
