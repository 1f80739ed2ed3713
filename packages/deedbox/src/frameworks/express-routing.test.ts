import assert from 'node:assert/strict'
import { test } from 'node:test'
import express from 'express'
import { captureLog } from '../testing/captured-log.ts'
import { observedExpress } from '../testing/observed-express.ts'
import { observe } from './express.ts'

const answer: express.RequestHandler = (_request, response) => void response.json(1)

test('IF-16 X-15 the route is the template of everything on the way to the handler', async t => {
  const ask = await observedExpress(t, app => {
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
  const ask = await observedExpress(t, app => {
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
  const ask = await observedExpress(t, app => {
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
  const ask = await observedExpress(t, app => {
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
  const ask = await observedExpress(t, app => {
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
  const ask = await observedExpress(t, app => {
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
  const ask = await observedExpress(t, app => {
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

test('IF-04 ruling 4: the instance is found at app.locals.deedbox, and one attached late works from then on', async t => {
  const late = captureLog()
  let seen: unknown
  const ask = await observedExpress(t, (app, log) => {
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
