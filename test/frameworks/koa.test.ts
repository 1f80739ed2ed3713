import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { PassThrough, Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import type { RequestRecord } from 'deedbox'
import { observe } from 'deedbox/koa'
import type Koa from 'koa'
import { type CapturedLog, captureLog } from '../../packages/deedbox/src/testing/captured-log.ts'
import { frameworkConformance } from './conformance.ts'
import type { KoaPackages } from './koa.ts'
import { koa2, koa2Packages } from './koa-2/harness.ts'
import { koa3, koa3Packages } from './koa-3/harness.ts'

frameworkConformance(koa2)
frameworkConformance(koa3)
for (const packages of [koa2Packages, koa3Packages]) {
  routes(packages)
  errors(packages)
  answers(packages)
  context(packages)
}

interface Asked {
  readonly status: number
  readonly text: string
  readonly record: RequestRecord
}

/** Serves an application; `ask` resolves to the answer and the record of the request that it makes. */
async function serve(
  t: TestContext,
  app: Koa,
  log: CapturedLog,
): Promise<(path: string, init?: RequestInit) => Promise<Asked>> {
  const server = createServer(app.callback()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  let asked = 0
  return async (path, init) => {
    const answer = await fetch(`${url}${path}`, init)
    const text = await answer.text().catch(error => String(error))
    return { status: answer.status, text, record: (await log.recorded(++asked))[asked - 1]! }
  }
}

const ok: Koa.Middleware = ctx => {
  ctx.body = 'ok'
}

function routes({ name, createApp, createRouter }: KoaPackages): void {
  test(`IF-06 IF-16 ${name}: the template is the whole one of the route, whoever of its middlewares answered`, async t => {
    const log = captureLog()
    const app = createApp()
    app.silent = true
    app.use(observe(log.box))
    const items = createRouter()
    items.use('/closed', ctx => ctx.throw(401))
    items.get('/closed/:id', ok)
    items.get('/', ok)
    items.get('/:item', ok)
    const orgs = createRouter()
    orgs.use('/:org/items', items.routes())
    const router = createRouter()
    router.get('/users/me', ok)
    router.get('/users/:id', ok)
    router.use('/orgs', orgs.routes())
    app.use(router.routes())
    app.use(router.allowedMethods())
    const second = createRouter()
    second.get('/late/:id', ok)
    app.use(second.routes())
    const ask = await serve(t, app, log)
    const expected: [string, string | null, number][] = [
      ['/users/me', '/users/me', 200],
      ['/users/7', '/users/:id', 200],
      ['/orgs/acme/items/17?x=1', '/orgs/:org/items/:item', 200],
      ['/orgs/acme/items/closed/3', '/orgs/:org/items/closed/:id', 401],
      ['/late/1', '/late/:id', 200],
      ['/nowhere', null, 404],
    ]
    for (const [path, route, status] of expected) {
      const { record } = await ask(path)
      assert.deepEqual([record.route, record.status], [route, status], path)
    }
    const put = await ask('/users/me', { method: 'PUT' })
    assert.deepEqual([put.record.route, put.status], [null, 405])
    const head = await ask('/users/7', { method: 'HEAD' })
    assert.deepEqual([head.record.route, head.record.eventName], ['/users/:id', 'http.HEAD./users/:id'])
  })

  test(`IF-16 ${name}: a client that leaves while the handler works leaves the route`, async t => {
    const log = captureLog()
    const app = createApp()
    app.use(observe(log.box))
    const router = createRouter()
    const leaving = new AbortController()
    router.get('/hang/:id', () => {
      leaving.abort()
      return new Promise(() => undefined)
    })
    app.use(router.routes())
    const ask = await serve(t, app, log)
    await assert.rejects(ask('/hang/1', { signal: leaving.signal }))
    const [record] = await log.recorded(1)
    assert.deepEqual([record?.route, record?.outcome], ['/hang/:id', 'aborted'])
  })
}

function errors({ name, createApp, cutsBrokenStreams }: KoaPackages): void {
  test(`IF-29 ${name}: an error that a middleware handles and emits, as is the custom, is the real one`, async t => {
    const log = captureLog()
    const heard: unknown[] = []
    const app = createApp()
    app.on('error', error => heard.push(error))
    app.use(observe(log.box))
    app.use(async (ctx, next) => {
      try {
        await next()
      } catch (error) {
        ctx.status = 503
        ctx.body = 'handled'
        ctx.app.emit('error', error, ctx)
      }
    })
    const failure = new Error('deep')
    app.use(() => {
      throw failure
    })
    const { status, text, record } = await (await serve(t, app, log))('/')
    assert.deepEqual([status, text, record.status], [503, 'handled', 503])
    assert.equal(record.error?.thrown, failure)
    assert.deepEqual(heard, [failure])
    assert.equal(app.listenerCount('error'), 1, 'we add no listener')
  })

  test(`FA-25 ${name}: a body stream that breaks, and a body that cannot be sent, give the real error once`, async t => {
    const log = captureLog()
    const app = createApp()
    app.silent = true
    app.use(observe(log.box))
    const failure = new Error('stream failure')
    app.use(ctx => {
      if (ctx.path === '/circle') {
        const circle: Record<string, unknown> = {}
        circle.self = circle
        ctx.body = circle
        return
      }
      const body = new PassThrough()
      body.write('first')
      ctx.body = body
      if (!cutsBrokenStreams) body.once('error', () => ctx.res.destroy())
      ctx.res.once('pipe', () => setImmediate(() => body.destroy(failure)))
    })
    const ask = await serve(t, app, log)
    const broken = await ask('/broken')
    assert.deepEqual([broken.record.outcome, broken.record.error?.thrown], ['errored', failure])
    const circle = await ask('/circle')
    assert.deepEqual([circle.status, circle.record.status], [500, 500])
    assert.match(String(circle.record.error?.thrown), /circular/)
    assert.equal(log.records.length, 2)
  })
}

function answers({ name, createApp }: KoaPackages): void {
  for (const listened of [false, true]) {
    test(`FA-25 X-12 ${name}: unhandled: 'answer' answers in place of Koa, which prints nothing${listened ? '; listeners hear' : ''}`, async t => {
      const printed = t.mock.method(console, 'error', () => undefined)
      const log = captureLog()
      const heard: [unknown, unknown][] = []
      const app = createApp()
      if (listened) app.on('error', (error, ctx) => heard.push([error, ctx.path]))
      app.use(observe(log.box, { unhandled: 'answer' }))
      app.use(ctx => {
        ctx.status = 201
        ctx.body = 'half done'
        if (ctx.path === '/text') throw 'text'
        if (ctx.path === '/nothing') throw undefined
        if (ctx.path === '/teapot') throw Object.assign(new Error('teapot'), { status: 418 })
        if (ctx.path === '/circle') ctx.body = Object.assign({}, { toJSON: () => BigInt(1) })
        else if (ctx.path === '/busy') throw Object.assign(new Error('busy'), { status: 503 })
        else throw new Error('failure')
      })
      const ask = await serve(t, app, log)
      for (const path of ['/error', '/text', '/nothing', '/circle']) {
        const { status, text, record } = await ask(path)
        assert.deepEqual([status, text], [500, 'Internal Server Error'], path)
        assert.deepEqual([record.status, record.outcome], [500, 'completed'], path)
        assert.doesNotMatch(String(record.error?.thrown), /non-error thrown/, 'the real one')
      }
      assert.equal((await ask('/teapot')).status, 418, 'a status of the error’s own is left to Koa')
      assert.equal((await ask('/busy')).status, 503)
      assert.equal(printed.mock.callCount(), 0)
      if (!listened) return
      const paths = heard.map(([, path]) => path)
      assert.deepEqual(paths, ['/error', '/text', '/nothing', '/circle', '/teapot', '/busy'])
      assert(heard.every(([error]) => error instanceof Error))
    })
  }

  test(`FA-25 ${name}: a broken body stream is cut off where we answer; nothing is printed`, async t => {
    const printed = t.mock.method(console, 'error', () => undefined)
    const log = captureLog()
    const app = createApp()
    app.use(observe(log.box, { unhandled: 'answer' }))
    app.use(ctx => {
      ctx.body = Readable.from(breaking())
    })
    const { record } = await (await serve(t, app, log))('/')
    assert.deepEqual([record.outcome, record.statusSent], ['errored', 200])
    assert.match(String(record.error?.thrown), /stream failure/)
    assert.equal(printed.mock.callCount(), 0)
  })

  test(`FA-25 ${name}: without options Koa prints and answers as ever`, async t => {
    const printed = t.mock.method(console, 'error', () => undefined)
    const log = captureLog()
    const app = createApp()
    app.use(observe(log.box))
    app.use(() => {
      throw Object.assign(new Error('unavailable'), { status: 503 })
    })
    const { status, text } = await (await serve(t, app, log))('/')
    assert.deepEqual([status, text], [503, 'Service Unavailable'])
    assert.equal(printed.mock.callCount(), 1)
  })
}

async function* breaking(): AsyncGenerator<string> {
  yield 'first'
  await new Promise(setImmediate)
  throw new Error('stream failure')
}

function context({ name, createApp }: KoaPackages): void {
  test(`FA-14 ${name}: the context holds in Koa's own response phase, and ctx.deedbox is the instance`, async t => {
    const log = captureLog()
    const { box } = log
    const app = createApp()
    const ids = new Map<string, string | undefined>()
    app.on('error', () => {
      ids.set('error', box.requestId)
    })
    app.use(observe(box, { user: ctx => Reflect.get(ctx, 'path').slice(1) }))
    app.use(ctx => {
      assert.equal(ctx.deedbox, box)
      if (ctx.path === '/error') throw new Error('failure')
      for (const event of ['finish', 'close']) {
        ctx.res.on(event, () => {
          ids.set(event, box.requestId)
        })
      }
      ctx.body = Readable.from(speaking(() => ids.set('body', box.requestId)))
    })
    const ask = await serve(t, app, log)
    const { record } = await ask('/stream', { headers: { 'x-request-id': 'mine' } })
    assert.deepEqual(Object.fromEntries(ids), { body: 'mine', finish: 'mine', close: 'mine' })
    assert.equal(record.user, 'stream')
    await ask('/error', { headers: { 'x-request-id': 'other' } })
    assert.equal(ids.get('error'), 'other')
    assert.equal(Object.hasOwn(app.context, 'deedbox'), true)
  })
}

async function* speaking(speak: () => unknown): AsyncGenerator<string> {
  await new Promise(setImmediate)
  speak()
  yield 'spoken'
}
