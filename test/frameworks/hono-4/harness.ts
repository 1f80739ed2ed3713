import { createServer, type Server } from 'node:http'
import { createServer as createHttp2Server, type Http2Server } from 'node:http2'
import { Readable } from 'node:stream'
import { createAdaptorServer, type HttpBindings } from '@hono/node-server'
import { type Deedbox, tracked } from 'deedbox'
import { type DeedboxVariables, health, observe, onError } from 'deedbox/hono'
import { type Context, Hono } from 'hono'
import { HTTPException } from 'hono/http-exception'
import { stream, streamSSE } from 'hono/streaming'
import { validator } from 'hono/validator'
import { z } from 'zod'
import { gate } from '../gate.ts'
import type { FrameworkHarness, Stage } from '../harness.ts'
import { listening } from '../listening.ts'

interface Env {
  Bindings: HttpBindings
  Variables: DeedboxVariables
}

/** Hono 4 on `@hono/node-server` 2. */
export const hono4: FrameworkHarness = {
  name: 'Hono 4',
  knowsRoutes: true,
  http2: true,
  answers: {
    methodNotAllowed: 404,
    options: 404,
    invalidUrl: 200,
    malformedJson: { status: 400, hasError: true },
    invalidBody: 400,
  },
  trackedForms: ['before', 'around'],
  async start(box, stage, options) {
    const app = new Hono<Env>()
    const endpoints = options.health && health(box, options.health.options)
    if (endpoints && options.health?.first) app.use(endpoints)
    if (options.attach !== 'late') {
      const watch = observe(box, {
        user: (c: Context<Env>) => c.req.header('x-user'),
        ...(options.answers ? { unhandled: 'answer', validation: 'answer' } : {}),
      })
      app.use(watch)
      if (options.attach === 'twice') app.use(observe(box))
    }
    if (endpoints) {
      if (!options.health?.first) app.use(endpoints)
      app.use(async (c, next) => {
        const answer = gate({ 'x-gate': c.req.header('x-gate') })
        if (answer === undefined) return next()
        return new Response(null, { status: answer.status, headers: { ...answer.headers } })
      })
    }
    if (options.answers) app.onError(onError(box, { validation: 'answer' }))
    addAnswers(app, box, stage)
    addFailures(app, box, stage)
    addStreams(app, stage)
    addBodies(app, box, stage)
    addTracked(app, box, stage)
    const items = new Hono<Env>().get('/:item', c => c.json({ ok: true }))
    const orgs = new Hono<Env>().route('/:org/items', items)
    app.route('/orgs', orgs)
    const server = options.http2
      ? createAdaptorServer({ fetch: app.fetch, createServer: createHttp2Server })
      : createAdaptorServer({ fetch: app.fetch, createServer })
    return listening(server as Server | Http2Server, box, options)
  },
}

function addAnswers(app: Hono<Env>, box: Deedbox, stage: Stage): void {
  app.get('/ok', c => c.json({ ok: true }))
  app.get('/health', c => c.json({ ok: true }))
  app.get('/empty', c => c.body(null, 204))
  app.get('/redirect', c => c.redirect('/ok'))
  app.get('/hang', () => {
    stage.arrived('/hang')
    return new Promise<Response>(() => undefined)
  })
  app.get('/slow', async c => {
    stage.arrived('/slow')
    await stage.mayAnswer
    return c.json({ ok: true })
  })
  app.get('/named/:n', async c => {
    const n = Number(c.req.param('n'))
    box.event(`named.${n}`)
    box.set({ n })
    await new Promise(setImmediate)
    box.log.info(`in ${n}`)
    return c.json({ n: box.get('n') })
  })
  app.get('/wander/:n', async c => {
    await stage.wander(Number(c.req.param('n')))
    return c.json({ ok: true })
  })
}

function addTracked(app: Hono<Env>, box: Deedbox, stage: Stage): void {
  for (const [name, { input, work }] of stage.tracked) {
    app.all(`/tracked/${name}/before`, tracked(input), async c => c.json(await work(), 201))
    app.all(
      `/tracked/${name}/around`,
      box.tracked(input, async c => c.json(await work(), 201)),
    )
  }
}

function addFailures(app: Hono<Env>, box: Deedbox, stage: Stage): void {
  app.get('/throw', () => {
    throw new Error('sync failure')
  })
  app.get('/reject', async () => {
    await new Promise(setImmediate)
    throw new Error('async failure')
  })
  app.get('/throw-text', () => {
    throw 'not an Error'
  })
  app.get('/healthz', () => {
    throw new Error('sick')
  })
  app.get('/hostile', () => {
    throw stage.hostileError()
  })
  app.use('/before', () => {
    throw new Error('failure before')
  })
  app.get('/before', c => c.json({ ok: true }))
  app.use('/after', async (_c, next) => {
    await next()
    throw new Error('failure after')
  })
  app.get('/after', c => c.json({ ok: true }))
  app.get('/late', c => {
    // Nobody awaits what goes on beside the answer, so the service tells of its failure itself.
    failLate(stage).catch(error => box.current()?.fail(error))
    return c.json({ ok: true })
  })
}

async function failLate(stage: Stage): Promise<void> {
  await stage.mayFailLate
  throw new Error('late failure')
}

function addStreams(app: Hono<Env>, stage: Stage): void {
  app.get('/stream', c =>
    stream(c, async out => {
      await out.write('first')
      stage.arrived('/stream')
      await new Promise(() => undefined)
    }),
  )
  app.get('/broken-stream', c => {
    const body = Readable.from(brokenStream())
    return c.body(Readable.toWeb(body) as ReadableStream)
  })
  app.get('/piped', c => {
    const body = Readable.from(Array.from({ length: 16 }, () => Buffer.alloc(65_536, 'x')))
    return c.body(Readable.toWeb(body) as ReadableStream)
  })
  app.get('/sse', c => {
    const response = streamSSE(c, async out => {
      for (const n of [1, 2, 3]) {
        await new Promise(setImmediate)
        await out.writeSSE({ data: String(n) })
      }
    })
    // Hono sets two headers that HTTP/2 forbids, whereupon the process ends. (hono 4.13, node-server 2.1)
    for (const name of ['connection', 'transfer-encoding']) response.headers.delete(name)
    return response
  })
}

async function* brokenStream(): AsyncGenerator<Buffer> {
  yield Buffer.from('first')
  await new Promise(setImmediate)
  throw new Error('stream failure')
}

function addBodies(app: Hono<Env>, box: Deedbox, stage: Stage): void {
  app.post(
    '/json',
    validator('json', value => value),
    c => c.json(c.req.valid('json')),
  )
  const body = z.object({ a: z.int() })
  app.post(
    '/validated',
    validator('json', value => {
      const { success, error, data } = body.safeParse(value)
      if (!success) throw new HTTPException(400, { message: 'invalid body', cause: error })
      return data
    }),
    c => c.json({ ok: true, a: c.req.valid('json').a }),
  )
  app.post('/listen', async c => {
    const { incoming } = c.env
    await new Promise<void>(done => {
      incoming.on('data', () => undefined)
      incoming.on('end', () => {
        stage.inEndListener()
        box.log.info('body read')
        done()
      })
    })
    return c.json({ ok: true })
  })
  app.post('/upload', async c => {
    stage.arrived('/upload')
    return c.json({ length: await stage.receive(c.env.incoming) })
  })
  app.post('/unread', c => c.json({ ok: true }))
}
