import assert from 'node:assert/strict'
import { tracingChannel } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import express, { type Express } from 'express'
import type { RequestRecord } from '../index.ts'
import { type CapturedLog, captureLog } from '../testing/captured-log.ts'
import { until } from '../testing/ledger-stand-in.ts'
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

const answer: express.RequestHandler = (_request, response) => void response.json(1)

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
    const either = express.Router().get('/x/:x', (_request, response) => void response.json(1))
    app.use(['/left/:l', '/right/:r/'], either)
    app.use(/^\/by(\d)/, either)
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
    ['/left/1/x/2', '/left/:l/x/:x'],
    ['/right/1/x/2', '/right/:r/x/:x'],
    ['/by1/x/2', '/by1/x/:x'],
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

test('IF-16 a router that passed on leaves no template for another at the same path', async t => {
  const ask = await observed(t, app => {
    app.use('/:tenant', express.Router())
    app.use('/fixed{/:opt}', express.Router().get('/', answer))
    app.use(['/a/:x', '/:y'], express.Router().get('/leaf', answer))
    const strict = express.Router({ caseSensitive: true })
    strict.use(['/S/:x', '/s/:y'], express.Router().get('/leaf', answer))
    app.use('/cs', strict)
  })
  for (const [path, route] of [
    ['/fixed', '/fixed'],
    ['/a/b/leaf', '/a/:x/leaf'],
    ['/cs/s/1/leaf', '/cs/s/:y/leaf'],
  ] as const) {
    assert.equal((await ask(path)).route, route, path)
  }
})

test('IF-16 HEAD has the route of the handler that answers it, not of one for other methods', async t => {
  const ask = await observed(t, app => {
    app.post('/items/:id', answer)
    app.get('/things/:id', answer)
  })
  const head = { method: 'HEAD' }
  assert.deepEqual(
    [(await ask('/items/7', head)).route, (await ask('/things/7', head)).route],
    [null, '/things/:id'],
  )
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
  const malformed = await ask('/p/%c0%ae')
  assert.deepEqual([malformed.status, malformed.error?.thrown instanceof URIError], [400, true])
})

test('IF-29 the error of a parameter is told at the first request of an application, and that of a route added after it', async t => {
  const bad = new Error('bad id')
  const ask = await observed(t, app => {
    app.param('id', (_request, _response, next) => next(bad))
    app.get('/p/:id', (_request, response) => void response.json(1))
    app.get('/add', (request, response) => {
      request.app.get('/late', () => {
        throw bad
      })
      response.json(1)
    })
  })
  for (const [path, status, thrown] of [
    ['/p/1', 500, bad],
    ['/add', 200, undefined],
    ['/late', 500, bad],
  ] as const) {
    const record = await ask(path)
    assert.deepEqual([record.status, record.error?.thrown], [status, thrown], path)
  }
})

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
  const ask = await observed(t, app => {
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
  const ask = await observed(t, app => {
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
