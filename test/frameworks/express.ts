import { createServer } from 'node:http'
import { Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { type Deedbox, tracked } from 'deedbox'
import { health, observe } from 'deedbox/express'
import type express from 'express'
import { z } from 'zod'
import { gate } from './gate.ts'
import type { FrameworkAnswers, FrameworkHarness, Stage } from './harness.ts'
import { listening } from './listening.ts'

type Express = typeof express

/** What differs between the services of the suite that are built with Express. */
export interface ExpressService {
  readonly name: string
  readonly answers?: Partial<FrameworkAnswers>
  /** Express 4 leaves a rejected handler to the process, so a service of it passes the error on. */
  readonly passesRejections: boolean
  /** Adds what stands behind all routes: error handlers. */
  readonly finish?: (app: express.Express) => void
}

/** The suite's service, built with the given Express. */
export function expressHarness(make: Express, service: ExpressService): FrameworkHarness {
  return {
    name: service.name,
    knowsRoutes: true,
    http2: false,
    answers: {
      methodNotAllowed: 404,
      options: 200,
      invalidUrl: 400,
      malformedJson: { status: 400, hasError: true },
      invalidBody: 400,
      ...service.answers,
    },
    trackedForms: ['before', 'around'],
    async start(box, stage, options) {
      const app = make()
      // Express prints errors that nobody handles to the console unless it is under test.
      app.set('env', 'test')
      const endpoints = options.health && health(box, options.health.options)
      if (endpoints && options.health?.first) app.use(endpoints)
      if (options.attach !== 'late') {
        const watch = observe<express.Request>(box, {
          user: request => request.get('x-user'),
          ...(options.answers ? { unhandled: 'answer', validation: 'answer' } : {}),
        })
        app.use(watch)
        if (options.attach === 'twice') app.use(observe(box))
      }
      if (endpoints) {
        if (!options.health?.first) app.use(endpoints)
        app.use((request, response, next) => {
          const answer = gate(request.headers)
          if (answer === undefined) next()
          else response.writeHead(answer.status, answer.headers).end()
        })
      }
      const safely = (handler: express.RequestHandler): express.RequestHandler =>
        service.passesRejections && !options.answers
          ? (request, response, next) => {
              Promise.resolve(handler(request, response, next)).catch(next)
            }
          : handler
      outcomes(make, app, stage, safely)
      streams(app, stage, safely)
      bodies(make, app, stage, safely)
      trackedRoutes(app, box, stage, safely)
      app.get(
        '/named/:n',
        safely(async (request, response) => {
          const n = Number(request.params.n)
          box.event(`named.${n}`)
          box.set({ n })
          await turn()
          box.log.info(`in ${n}`)
          response.json({ n: box.get('n') })
        }),
      )
      app.post('/listen', (request, response) => {
        request.on('data', () => undefined)
        request.on('end', () => {
          stage.inEndListener()
          box.log.info('body read')
          response.json({ ok: true })
        })
      })
      service.finish?.(app)
      return listening(createServer(app), box, options)
    },
  }
}

type Safely = (handler: express.RequestHandler) => express.RequestHandler

function outcomes(make: Express, app: express.Express, stage: Stage, safely: Safely): void {
  app.get(['/ok', '/health'], (_request, response) => void response.json({ ok: true }))
  app.get('/empty', (_request, response) => void response.status(204).end())
  app.get('/redirect', (_request, response) => response.redirect('/ok'))
  app.get('/throw', () => {
    throw new Error('sync failure')
  })
  app.get('/healthz', () => {
    throw new Error('sick')
  })
  app.get('/throw-text', () => {
    throw 'not an Error'
  })
  app.get('/hostile', () => {
    throw stage.hostileError()
  })
  app.get(
    '/reject',
    safely(async () => {
      await turn()
      throw new Error('async failure')
    }),
  )
  app.use('/before', () => {
    throw new Error('failure before')
  })
  app.get('/before', (_request, response) => void response.json({ ok: true }))
  app.get(
    '/after',
    (_request, _response, next) => next(),
    () => {
      throw new Error('failure after')
    },
  )
  app.get('/hang', () => stage.arrived('/hang'))
  app.get(
    '/slow',
    safely(async (_request, response) => {
      stage.arrived('/slow')
      await stage.mayAnswer
      response.json({ ok: true })
    }),
  )
  app.get(
    '/late',
    safely(async (_request, response) => {
      response.json({ ok: true })
      await stage.mayFailLate
      throw new Error('late failure')
    }),
  )
  const items = make.Router({ mergeParams: true })
  items.get('/:item', (_request, response) => void response.json({ ok: true }))
  const orgs = make.Router()
  orgs.use('/:org/items', items)
  app.use('/orgs', orgs)
  app.get(
    '/wander/:n',
    safely(async (request, response) => {
      await stage.wander(Number(request.params.n))
      response.json({ ok: true })
    }),
  )
}

function trackedRoutes(app: express.Express, box: Deedbox, stage: Stage, safely: Safely): void {
  for (const [name, { input, work }] of stage.tracked) {
    const handler = safely(async (_request, response) => void response.json(await work()))
    app.all(`/tracked/${name}/before`, tracked(input), handler)
    app.all(
      `/tracked/${name}/around`,
      safely(box.tracked(input, async (_request, response) => void response.json(await work()))),
    )
  }
}

function streams(app: express.Express, stage: Stage, safely: Safely): void {
  app.get('/stream', (_request, response) => {
    response.type('text/plain').write('first')
    stage.arrived('/stream')
  })
  app.get('/broken-stream', (_request, response) => {
    response.type('text/plain').write('first')
    throw new Error('stream failure')
  })
  app.get('/piped', (_request, response) => {
    Readable.from(Array.from({ length: 16 }, () => Buffer.alloc(65_536, 'x'))).pipe(response)
  })
  app.get(
    '/sse',
    safely(async (_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      for (const n of [1, 2, 3]) {
        response.write(`data: ${n}\n\n`)
        await turn()
      }
      response.end()
    }),
  )
}

function bodies(make: Express, app: express.Express, stage: Stage, safely: Safely): void {
  const schema = z.object({ a: z.int() })
  app.post('/json', make.json(), (request, response) => void response.json(request.body))
  app.post('/unread', (_request, response) => void response.json({ ok: true }))
  app.post('/validated', make.json(), (request, response) => {
    try {
      response.json(schema.parse(request.body))
    } catch (error) {
      // What a service does that answers 400: zod's error says nothing of a status.
      throw Object.assign(error as Error, { status: 400 })
    }
  })
  app.post(
    '/upload',
    safely(async (request, response) => {
      stage.arrived('/upload')
      response.json({ length: await stage.receive(request) })
    }),
  )
}
