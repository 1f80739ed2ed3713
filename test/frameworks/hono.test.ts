import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { createAdaptorServer, type HttpBindings } from '@hono/node-server'
import type { RequestRecord } from 'deedbox'
import { type DeedboxVariables, observe, onError } from 'deedbox/hono'
import { type Context, Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { stream } from 'hono/streaming'
import { z } from 'zod'
import { type CapturedLog, captureLog } from '../../packages/deedbox/src/testing/captured-log.ts'
import { frameworkConformance } from './conformance.ts'
import { hono4 } from './hono-4/harness.ts'

frameworkConformance(hono4)

interface Env {
  Bindings: HttpBindings
  Variables: DeedboxVariables
}

/** Serves an application; `ask` resolves to the answer and the record of the request that it makes. */
async function serve(
  t: TestContext,
  app: Hono<Env>,
  log: CapturedLog,
): Promise<(path: string, init?: RequestInit) => Promise<{ answer: Response; record: RequestRecord }>> {
  const server = createAdaptorServer({ fetch: app.fetch, createServer })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  let asked = 0
  return async (path, init) => {
    const answer = await fetch(`${url}${path}`, {
      ...init,
      headers: { connection: 'close', ...init?.headers },
    })
    const body = await answer.arrayBuffer().catch(() => null)
    const record = (await log.recorded(++asked))[asked - 1]!
    return { answer: new Response(answer.status === 204 ? null : body, answer), record }
  }
}

test('IF-06 IF-16 Hono 4: the template is the whole one of the route, whichever middleware answered', async t => {
  const log = captureLog()
  const items = new Hono<Env>()
    .use('*', async (_c, next) => next())
    .get('/:item', c => c.text('ok'))
    .all('/any/:thing', c => c.text('ok'))
  const orgs = new Hono<Env>().onError((_error, c) => c.text('own', 500)).route('/:org/items', items)
  const app = new Hono<Env>()
    .use(observe(log.box))
    .use('/closed/*', async (c, next) => (c.req.header('key') === '7' ? next() : c.text('no', 401)))
    .get('/closed/:id', c => c.text('ok'))
    .get('/users/me', c => c.text('ok'))
    .get('/users/:id', c => c.text('ok'))
    .get('/passed/:id', async (_c, next) => next())
    .get('/passed/:other', c => c.text('ok'))
    .route('/orgs', orgs)
  const ask = await serve(t, app, log)
  const expected: [string, string | null, number][] = [
    ['/users/me', '/users/me', 200],
    ['/users/7', '/users/:id', 200],
    ['/passed/7', '/passed/:other', 200],
    ['/closed/7', '/closed/:id', 401],
    ['/orgs/acme/items/17?x=1', '/orgs/:org/items/:item', 200],
    ['/orgs/acme/items/any/17', '/orgs/:org/items/any/:thing', 200],
    ['/orgs/acme/nothing', null, 404],
    ['/nowhere', null, 404],
  ]
  for (const [path, route, status] of expected) {
    const { record } = await ask(path)
    assert.deepEqual([record.route, record.status], [route, status], path)
  }
  const head = await ask('/users/7', { method: 'HEAD' })
  assert.deepEqual([head.record.status, head.record.eventName], [200, 'http.HEAD./users/:id'])
})

test('IF-16 Hono 4: a client that leaves while the handler works leaves the route', async t => {
  const log = captureLog()
  const leaving = new AbortController()
  const app = new Hono<Env>().use(observe(log.box)).get('/hang/:id', () => {
    leaving.abort()
    return new Promise<Response>(() => undefined)
  })
  const ask = await serve(t, app, log)
  await assert.rejects(ask('/hang/1', { signal: leaving.signal }))
  const [record] = await log.recorded(1)
  assert.deepEqual([record?.route, record?.outcome], ['/hang/:id', 'aborted'])
})

test('IF-29 Hono 4: the error handler of the service wins, and the real error is known all the same', async t => {
  const printed = t.mock.method(console, 'error', () => undefined)
  const log = captureLog()
  const failure = new Error('deep')
  const app = new Hono<Env>()
    .use(observe(log.box, { unhandled: 'answer', validation: 'answer' }))
    .get('/', () => {
      throw failure
    })
  app.onError((_error, c) => c.text('handled', 503))
  const { answer, record } = await (await serve(t, app, log))('/')
  assert.deepEqual([answer.status, await answer.text()], [503, 'handled'])
  assert.deepEqual([record.status, record.error?.thrown], [503, failure])
  assert.equal(printed.mock.callCount(), 0)
})

test('FA-24 FA-25 X-12 Hono 4: onError answers what nobody handled, and nothing is printed', async t => {
  const printed = t.mock.method(console, 'error', () => undefined)
  const log = captureLog()
  const app = new Hono<Env>().use(observe(log.box, { unhandled: 'answer', validation: 'answer' }))
  app.onError(onError(log.box, { validation: 'answer' }))
  const body = z.object({ a: z.int() })
  app.get('/error', () => {
    throw Object.assign(new Error('failure'), { status: 400 })
  })
  app.get('/text', () => {
    throw 'text'
  })
  app.get('/nothing', () => {
    throw undefined
  })
  app.get('/teapot', () => {
    throw new HTTPException(418, { message: 'teapot' })
  })
  app.get('/parsed', c => c.json(body.parse({ a: 'x' })))
  app.get('/checked', () => {
    throw body.safeParse({ a: 'x' }).error
  })
  app.get('/caused', () => {
    throw new HTTPException(400, { cause: body.safeParse({ a: 'x' }).error })
  })
  const ask = await serve(t, app, log)
  for (const path of ['/error', '/text', '/nothing']) {
    const { answer, record } = await ask(path)
    assert.deepEqual([answer.status, await answer.text()], [500, 'Internal Server Error'], path)
    assert.equal(answer.headers.get('content-type'), 'text/plain; charset=utf-8')
    assert.notEqual(record.error, null)
  }
  const { answer: teapot } = await ask('/teapot')
  assert.deepEqual([teapot.status, await teapot.text()], [418, 'teapot'])
  for (const path of ['/parsed', '/checked', '/caused']) {
    const { answer } = await ask(path)
    assert.equal(answer.status, 422, path)
    const { detail } = (await answer.json()) as { detail: { path: string[] }[] }
    assert.deepEqual(detail[0]?.path, ['a'])
  }
  assert.equal(printed.mock.callCount(), 0)
})

test('FA-25 Hono 4: without options Hono prints and answers as ever, and an error handler that fails is the error', async t => {
  const printed = t.mock.method(console, 'error', () => undefined)
  const log = captureLog()
  const app = new Hono<Env>().use(observe(log.box))
  app.get('/zod', c => c.json(z.int().parse('x')))
  const ask = await serve(t, app, log)
  const { answer, record } = await ask('/zod')
  assert.deepEqual([answer.status, await answer.text()], [500, 'Internal Server Error'])
  assert(record.error?.thrown instanceof z.ZodError)
  assert.equal(printed.mock.callCount(), 1)
  app.onError(() => {
    throw new Error('the handler fails')
  })
  const failed = await ask('/zod')
  assert.equal(failed.answer.status, 500)
  assert.match(String(failed.record.error?.thrown), /the handler fails/)
})

test('FA-14 Hono 4: c.get has the instance, the user is asked for, and streams stay in the request', async t => {
  const log = captureLog()
  const { box } = log
  const ids: (string | undefined)[] = []
  const app = new Hono<Env>().use(observe(box, { user: (c: Context<Env>) => c.req.query('user') }))
  app.get('/', c => {
    assert.equal(c.get('deedbox'), box)
    return stream(c, async out => {
      await out.write('a')
      await new Promise(setImmediate)
      ids.push(box.requestId)
      await out.write('b')
    })
  })
  const { answer, record } = await (await serve(t, app, log))('/?user=u_1', {
    headers: { 'x-request-id': 'mine' },
  })
  assert.equal(await answer.text(), 'ab')
  assert.deepEqual([ids, record.user], [['mine'], 'u_1'])
})

test('Hono 4: without a request of node:http, as in app.request(), the service answers, and it is said once', async () => {
  const { box, lines, records } = captureLog()
  const app = new Hono<Env>().use(observe(box)).get('/', c => c.text('ok'))
  for (let n = 0; n < 2; n++) assert.equal(await (await app.request('/')).text(), 'ok')
  assert.deepEqual(records, [])
  const said = (await lines()).filter(line => line.notice === 'not_on_node')
  assert.equal(said.length, 1)
  assert.match(String(said[0]?.message), /serve the application with @hono\/node-server/)
  await box.close()
})
