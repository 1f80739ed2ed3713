import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import express, { type Express } from 'express'
import type { RequestRecord } from '../index.ts'
import { type CapturedLog, captureLog } from '../testing/captured-log.ts'
import { observe } from './express.ts'

/** An application observed by one instance; `ask` resolves to the record of the request it makes. */
async function observed(
  t: TestContext,
  routes: (app: Express, log: CapturedLog) => void,
): Promise<(path: string, init?: RequestInit) => Promise<RequestRecord>> {
  const log = captureLog()
  const app = express()
  app.set('env', 'test')
  app.use(observe(log.box))
  routes(app, log)
  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  let asked = 0
  return async (path, init) => {
    const answer = await fetch(`${url}${path}`, init)
    await answer.text()
    return (await log.recorded(++asked))[asked - 1]!
  }
}

test('IF-16 X-15 the route is the template of everything on the way to the handler', async t => {
  const ask = await observed(t, app => {
    app.use('/a', (_request, _response, next) => next())
    const deep = express.Router({ mergeParams: true })
    deep.get('/', (_request, response) => void response.json(1))
    deep.all('/leaf/:leaf', (_request, response) => void response.json(1))
    const middle = express.Router({ mergeParams: true })
    middle.use('/b/:b', deep)
    app.use('/a/:a', middle)
    const sub = express()
    sub.get('/in/:it', (_request, response) => void response.json(1))
    app.use('/sub', sub)
    app.use(express.Router().get('/flat/:x', (_request, response) => void response.json(1)))
    app.get(['/one/:n', '/other/:n'], (_request, response) => void response.json(1))
    app.get(/^\/pattern\/(\d+)$/, (_request, response) => void response.json(1))
    app.get('/', (_request, response) => void response.json(1))
  })
  const routes: [string, string | null][] = [
    ['/', '/'],
    ['/flat/7', '/flat/:x'],
    ['/a/1/b/2', '/a/:a/b/:b'],
    ['/a/1/b/2/leaf/3?q=1', '/a/:a/b/:b/leaf/:leaf'],
    ['/sub/in/9', '/sub/in/:it'],
    ['/one/1', '/one/:n'],
    ['/other/1', '/other/:n'],
    ['/pattern/12', '/^\\/pattern\\/(\\d+)$/'],
    ['/a/1/nothing', null],
  ]
  for (const [path, route] of routes) {
    const record = await ask(path)
    assert.equal(record.route, route, path)
    assert.equal(record.eventName, `http.GET.${route ?? path}`)
    assert.equal(record.path, path.split('?')[0])
  }
})

test('IF-16 a router that matched and passed on leaves no trace in the route', async t => {
  const ask = await observed(t, app => {
    app.use(
      '/:tenant',
      express.Router().get('/nothing', (_request, response) => void response.json(1)),
    )
    app.use(
      '/fixed',
      express.Router().get('/:id', (_request, response) => void response.json(1)),
    )
  })
  assert.equal((await ask('/fixed/7')).route, '/fixed/:id')
})

test('IF-29 the error of a failed request is the last one reported, and one that is recovered is no failure', async t => {
  const first = new Error('first')
  const second = new Error('second')
  const ask = await observed(t, app => {
    app.get('/translated', () => {
      throw first
    })
    app.get('/recovered', () => {
      throw first
    })
    const onError: express.ErrorRequestHandler = (_error, request, response, next) => {
      if (request.path === '/translated') next(second)
      else response.status(200).json('fine after all')
    }
    app.use(onError)
  })
  const translated = await ask('/translated')
  assert.deepEqual([translated.status, translated.error?.thrown], [500, second])
  const recovered = await ask('/recovered')
  assert.deepEqual([recovered.status, recovered.outcome, recovered.error?.thrown], [200, 'completed', first])
})

test('IF-29 next(route) is no error, and errors of parameters and of malformed URLs are the real ones', async t => {
  const ask = await observed(t, app => {
    app.param('id', (_request, _response, next, id) => next(id === 'bad' ? new Error('bad id') : undefined))
    app.get('/p/:id', (_request, _response, next) => next('route'))
    app.get('/p/:id', (_request, response) => void response.json(1))
  })
  assert.deepEqual([(await ask('/p/good')).error, (await ask('/p/good')).status], [null, 200])
  assert.match(String((await ask('/p/bad')).error?.thrown), /bad id/)
  assert.equal((await ask('/p/%c0%ae')).status, 400)
})

test('IF-04 ruling 4: the instance is found at app.locals.deedbox, and one attached late works from then on', async t => {
  const late = captureLog()
  let seen: unknown
  const ask = await observed(t, (app, log) => {
    app.get('/attach', (request, response) => {
      seen = request.app.locals.deedbox === log.box
      request.app.use(observe(late.box))
      request.app.get('/after', (_request, response) => void response.json(1))
      response.json(1)
    })
  })
  await ask('/attach')
  assert.equal(seen, true)
  assert.equal(late.records.length, 0)
  await ask('/after')
  const [record] = await late.recorded(1)
  assert.deepEqual([record?.route, record?.status], ['/after', 200])
})

test('observe() refuses what deedbox() did not make', () => {
  assert.throws(() => observe({} as never), /takes what deedbox\(\) returned/)
})
