import type { IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import type { TestContext } from 'node:test'
import { type Deedbox, tracked } from 'deedbox'
import { attachServer } from 'deedbox/http'
import type { FastifyInstance } from 'fastify'
import { gate } from './gate.ts'
import type { FrameworkHarness, Service, ServiceOptions, Stage } from './harness.ts'
import { type Scene, setScene } from './stage.ts'

/** An application, by the types of Fastify 5, on HTTP/1. */
export type FastifyApp = FastifyInstance

/** What the tests tell an application, of either version. */
export interface FastifyOptions {
  logger?: { level?: string; stream: { write(line: string): void } }
  genReqId?: () => string
  /** Of Fastify 5 only; 4 takes no notice. */
  allowErrorHandlerOverride?: boolean
}

/** Who makes a request, as the suite wants it: the header `x-user`. */
export function userOf(request: { readonly headers: IncomingHttpHeaders }): string | undefined {
  return request.headers['x-user']?.toString()
}

/** All that is registered ahead of routes. */
export function inOrder<Observer, Endpoints>(
  observers: readonly Observer[],
  endpoints: Endpoints | undefined,
  { health }: ServiceOptions,
): (Observer | Endpoints)[] {
  if (endpoints === undefined) return [...observers]
  return health?.first ? [endpoints, ...observers] : [...observers, endpoints]
}

/**
 * The service of all Fastify harnesses. A harness makes the application of its major version and observes it; the
 * routes use nothing that differs between them.
 */
export function fastifyHarness(
  name: string,
  open: (box: Deedbox, options: ServiceOptions) => Promise<FastifyApp>,
): FrameworkHarness {
  return {
    name,
    knowsRoutes: true,
    http2: true,
    answers: {
      methodNotAllowed: 404,
      options: 404,
      invalidUrl: 400,
      malformedJson: { status: 400, hasError: true },
      invalidBody: 400,
    },
    trackedForms: ['before', 'around'],
    async start(box, stage, options) {
      const app = await open(box, options)
      if (options.health) addGate(app)
      answers(app, stage)
      failures(app, stage)
      streams(app, stage)
      await app.register(async scope => bodies(scope, box, stage))
      nested(app)
      contexts(app, box, stage)
      trackedRoutes(app, box, stage)
      const service = await serve(app)
      if (options.attach === 'late') attachServer(app.server, box)
      return service
    },
  }
}

/** A scene of a service that is built, observed and all, by the test. */
export function scenery(
  t: TestContext,
  harness: FrameworkHarness,
  build: (box: Deedbox) => Promise<FastifyApp>,
): Promise<Scene> {
  return setScene(t, { ...harness, start: async box => serve(await build(box)) })
}

/** Listens with an application that is ready otherwise. */
export async function serve(app: FastifyApp): Promise<Service> {
  const sessions = new Set<{ destroy(): void }>()
  app.server.on('session', session => sessions.add(session))
  await app.listen({ port: 0, host: '127.0.0.1' })
  return {
    port: (app.server.address() as AddressInfo).port,
    server: app.server,
    async stop() {
      // A server of HTTP/2 has sessions instead.
      app.server.closeAllConnections?.()
      for (const session of sessions) session.destroy()
      await app.close()
    },
  }
}

function addGate(app: FastifyApp): void {
  app.addHook('onRequest', (request, reply, done) => {
    const answer = gate(request.headers)
    if (answer === undefined) done()
    else reply.code(answer.status).headers(answer.headers).send()
  })
}

function answers(app: FastifyApp, stage: Stage): void {
  app.get('/ok', async () => ({ ok: true }))
  app.get('/health', async () => ({ ok: true }))
  app.get('/empty', (_request, reply) => reply.code(204).send())
  app.get('/redirect', (_request, reply) => reply.redirect('/ok'))
  app.get('/hang', () => stage.arrived('/hang'))
  app.get('/slow', async () => {
    stage.arrived('/slow')
    await stage.mayAnswer
    return { ok: true }
  })
  app.post('/json', async request => request.body)
  const body = { type: 'object', properties: { a: { type: 'integer' } }, required: ['a'] }
  app.post('/validated', { schema: { body } }, async () => ({ ok: true }))
}

function failures(app: FastifyApp, stage: Stage): void {
  app.get('/throw', () => {
    throw new Error('sync failure')
  })
  app.get('/healthz', () => {
    throw new Error('sick')
  })
  app.get('/throw-text', () => {
    throw 'not an Error'
  })
  app.get('/reject', async () => {
    await new Promise(setImmediate)
    throw new Error('async failure')
  })
  const preHandler = async () => {
    throw new Error('failure before')
  }
  app.get('/before', { preHandler }, async () => ({ ok: true }))
  const onSend = async () => {
    throw new Error('failure after')
  }
  app.get('/after', { onSend }, async () => ({ ok: true }))
  app.get('/late', async (_request, reply) => {
    reply.send({ ok: true })
    await stage.mayFailLate
    throw new Error('late failure')
  })
  app.get('/hostile', () => {
    throw stage.hostileError()
  })
}

function streams(app: FastifyApp, stage: Stage): void {
  app.get('/stream', (_request, reply) => {
    let asked = false
    const endless = new Readable({
      read() {
        if (asked) return
        asked = true
        this.push('first')
        setImmediate(() => stage.arrived('/stream'))
      },
    })
    reply.type('text/plain').send(endless)
  })
  app.get('/broken-stream', (_request, reply) => {
    async function* broken() {
      yield 'first'
      await new Promise(setImmediate)
      throw new Error('stream failure')
    }
    return reply.type('text/plain').send(Readable.from(broken()))
  })
  app.get('/piped', (_request, reply) => {
    const chunk = Buffer.alloc(65_536, 'x')
    return reply.type('text/plain').send(Readable.from(Array.from({ length: 16 }, () => chunk)))
  })
  app.get('/sse', (_request, reply) => {
    async function* events() {
      for (const n of [1, 2, 3]) {
        yield `data: ${n}\n\n`
        await new Promise(setImmediate)
      }
    }
    return reply.type('text/event-stream').send(Readable.from(events()))
  })
}

/** Routes that read their body themselves: in a scope of their own, whose parser leaves it alone. */
function bodies(scope: FastifyApp, box: Deedbox, stage: Stage): void {
  scope.removeAllContentTypeParsers()
  scope.addContentTypeParser('*', (_request, _payload, done) => done(null))
  scope.post('/unread', async () => ({ ok: true }))
  scope.post('/listen', (request, reply) => {
    request.raw.on('data', () => undefined)
    request.raw.on('end', () => {
      stage.inEndListener()
      box.log.info('body read')
      reply.send({ ok: true })
    })
  })
  scope.post('/upload', async request => {
    stage.arrived('/upload')
    return { length: await stage.receive(request.raw) }
  })
}

function nested(app: FastifyApp): void {
  app.register(
    async orgs => {
      orgs.register(async items => void items.get('/:item', async () => ({ ok: true })), {
        prefix: '/:org/items',
      })
    },
    { prefix: '/orgs' },
  )
}

function trackedRoutes(app: FastifyApp, box: Deedbox, stage: Stage): void {
  const method = ['GET', 'POST', 'PUT']
  for (const [name, { input, work }] of stage.tracked) {
    // One handler answers by `send`, the other by what it returns.
    app.route({
      method,
      url: `/tracked/${name}/before`,
      preHandler: tracked(input),
      handler: async (_request, reply) => reply.send(await work()),
    })
    app.route({ method, url: `/tracked/${name}/around`, handler: box.tracked(input, () => work()) })
  }
}

function contexts(app: FastifyApp, box: Deedbox, stage: Stage): void {
  app.get<{ Params: { n: string } }>('/named/:n', async request => {
    const n = Number(request.params.n)
    box.event(`named.${n}`)
    box.set({ n })
    await new Promise(setImmediate)
    box.log.info(`in ${n}`)
    return { n: box.get('n') }
  })
  app.get<{ Params: { n: string } }>('/wander/:n', async request => {
    await stage.wander(Number(request.params.n))
    return { ok: true }
  })
}
