import { createServer } from 'node:http'
import { createServer as createHttp2Server } from 'node:http2'
import { PassThrough, Readable } from 'node:stream'
import { Ajv } from 'ajv'
import { type Deedbox, tracked } from 'deedbox'
import { health, observe } from 'deedbox/koa'
import type Koa from 'koa'
import { gate } from './gate.ts'
import type { FrameworkAnswers, FrameworkHarness, Stage } from './harness.ts'
import { listening } from './listening.ts'

/** One major of Koa with one of its router. */
export interface KoaPackages {
  readonly name: string
  /** Whether it cuts off a response whose body stream failed; else the service has to, or it hangs. */
  readonly cutsBrokenStreams: boolean
  createApp(): Koa
  createRouter(): KoaRouter
  bodyParser(): Koa.Middleware
}

/** Of both majors. */
const answers: FrameworkAnswers = {
  methodNotAllowed: 405,
  options: 200,
  invalidUrl: 200,
  malformedJson: { status: 400, hasError: true },
  invalidBody: 400,
}

/** What the harness uses of a router. */
export interface KoaRouter {
  get(path: string, ...middleware: Koa.Middleware[]): unknown
  post(path: string, ...middleware: Koa.Middleware[]): unknown
  put(path: string, ...middleware: Koa.Middleware[]): unknown
  use(path: string, middleware: Koa.Middleware): unknown
  routes(): Koa.Middleware
  allowedMethods(): Koa.Middleware
}

/** The same service on any major. */
export function koaHarness(packages: KoaPackages): FrameworkHarness {
  return {
    name: packages.name,
    knowsRoutes: true,
    http2: true,
    answers,
    trackedForms: ['before', 'around'],
    async start(box, stage, options) {
      const app = packages.createApp()
      // Koa's own way to keep what it prints about errors to itself; where we answer, we see to it.
      app.silent = !options.answers
      const endpoints = options.health && health(box, options.health.options)
      if (endpoints && options.health?.first) app.use(endpoints)
      if (options.attach !== 'late') {
        const watch = observe(box, {
          user: (ctx: Koa.Context) => ctx.get('x-user'),
          ...(options.answers ? { unhandled: 'answer', validation: 'answer' } : {}),
        })
        app.use(watch)
        if (options.attach === 'twice') app.use(observe(box))
      }
      if (endpoints) {
        if (!options.health?.first) app.use(endpoints)
        app.use((ctx, next) => {
          const answer = gate(ctx.headers)
          if (answer === undefined) return next()
          ctx.set({ ...answer.headers })
          ctx.status = answer.status
          return undefined
        })
      }
      const router = packages.createRouter()
      addAnswers(router, box, stage)
      addFailures(router, stage)
      addStreams(router, packages, stage)
      addBodies(router, packages, box, stage)
      addTracked(router, box, stage)
      const items = packages.createRouter()
      items.get('/:item', ok)
      const orgs = packages.createRouter()
      orgs.use('/:org/items', items.routes())
      router.use('/orgs', orgs.routes())
      app.use(router.routes())
      app.use(router.allowedMethods())
      const server = options.http2 ? createHttp2Server(app.callback()) : createServer(app.callback())
      return listening(server, box, options)
    },
  }
}

const ok: Koa.Middleware = ctx => {
  ctx.body = { ok: true }
}

function addAnswers(router: KoaRouter, box: Deedbox, stage: Stage): void {
  router.get('/ok', ok)
  router.get('/health', ok)
  router.get('/empty', ctx => {
    ctx.status = 204
  })
  router.get('/redirect', ctx => ctx.redirect('/ok'))
  router.get('/hang', () => {
    stage.arrived('/hang')
    return new Promise(() => undefined)
  })
  router.get('/slow', async ctx => {
    stage.arrived('/slow')
    await stage.mayAnswer
    ctx.body = { ok: true }
  })
  router.get('/named/:n', async ctx => {
    const n = Number(ctx.params.n)
    box.event(`named.${n}`)
    box.set({ n })
    await new Promise(setImmediate)
    box.log.info(`in ${n}`)
    ctx.body = { n: box.get('n') }
  })
  router.get('/wander/:n', async ctx => {
    await stage.wander(Number(ctx.params.n))
    ctx.body = { ok: true }
  })
}

function addTracked(router: KoaRouter, box: Deedbox, stage: Stage): void {
  for (const [name, { input, work }] of stage.tracked) {
    const handler: Koa.Middleware = async ctx => {
      ctx.body = await work()
    }
    for (const method of ['get', 'post', 'put'] as const) {
      router[method](`/tracked/${name}/before`, tracked(input), handler)
      router[method](`/tracked/${name}/around`, box.tracked(input, handler))
    }
  }
}

function addFailures(router: KoaRouter, stage: Stage): void {
  router.get('/throw', () => {
    throw new Error('sync failure')
  })
  router.get('/reject', async () => {
    await new Promise(setImmediate)
    throw new Error('async failure')
  })
  router.get('/throw-text', () => {
    throw 'not an Error'
  })
  router.get('/healthz', () => {
    throw new Error('sick')
  })
  router.get('/hostile', () => {
    throw stage.hostileError()
  })
  router.get(
    '/before',
    () => {
      throw new Error('failure before')
    },
    ok,
  )
  router.get(
    '/after',
    async (_ctx, next) => {
      await next()
      throw new Error('failure after')
    },
    ok,
  )
  router.get('/late', async ctx => {
    ctx.respond = false
    ctx.res.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":true}')
    await stage.mayFailLate
    throw new Error('late failure')
  })
}

function addStreams(router: KoaRouter, packages: KoaPackages, stage: Stage): void {
  router.get('/stream', ctx => {
    const body = new PassThrough()
    body.write('first')
    ctx.type = 'text/plain'
    ctx.body = body
    stage.arrived('/stream')
  })
  router.get('/broken-stream', ctx => {
    const body = Readable.from(brokenStream())
    ctx.type = 'text/plain'
    ctx.body = body
    if (!packages.cutsBrokenStreams) body.once('error', () => ctx.res.destroy())
  })
  router.get('/piped', ctx => {
    ctx.body = Readable.from(Array.from({ length: 16 }, () => Buffer.alloc(65_536, 'x')))
  })
  router.get('/sse', ctx => {
    ctx.type = 'text/event-stream'
    ctx.body = Readable.from(serverSentEvents())
  })
}

async function* brokenStream(): AsyncGenerator<string> {
  yield 'first'
  await new Promise(setImmediate)
  throw new Error('stream failure')
}

async function* serverSentEvents(): AsyncGenerator<string> {
  for (const n of [1, 2, 3]) {
    await new Promise(setImmediate)
    yield `data: ${n}\n\n`
  }
}

function addBodies(router: KoaRouter, packages: KoaPackages, box: Deedbox, stage: Stage): void {
  router.post('/json', packages.bodyParser(), ctx => {
    ctx.body = ctx.request.body
  })
  const validate = new Ajv().compile({
    type: 'object',
    properties: { a: { type: 'integer' } },
    required: ['a'],
  })
  router.post('/validated', packages.bodyParser(), ctx => {
    if (!validate(ctx.request.body))
      throw Object.assign(new Ajv.ValidationError(validate.errors ?? []), { status: 400 })
    ctx.body = { ok: true }
  })
  router.post('/listen', async ctx => {
    await new Promise<void>(done => {
      ctx.req.on('data', () => undefined)
      ctx.req.on('end', () => {
        stage.inEndListener()
        box.log.info('body read')
        done()
      })
    })
    ctx.body = { ok: true }
  })
  router.post('/upload', async ctx => {
    stage.arrived('/upload')
    ctx.body = { length: await stage.receive(ctx.req) }
  })
  router.post('/unread', ok)
}
