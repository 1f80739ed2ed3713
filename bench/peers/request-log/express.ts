import { createServer, type Server } from 'node:http'
import express, { type RequestHandler } from 'express'
import { answer, box, requestFields, startEvlog, startLogtape, winstonLogger } from './loggers.ts'

/** Express 5 with a route that answers; `use` stands before it. */
function server(use?: (app: express.Express) => unknown): Server {
  const app = express()
  use?.(app)
  app.get('/things/:id', (_request, response) => void response.json(answer))
  return createServer(app)
}

/** The trivial handler on Express 5, by who logs. */
export const servers: Record<string, () => Promise<Server>> = {
  bare: async () => server(),
  deedbox: async () => {
    const { observe } = await import('deedbox/express')
    return server(app => app.use(observe(box())))
  },
  'pino-http': async () => {
    const { pinoHttp } = await import('pino-http')
    return server(app => app.use(pinoHttp()))
  },
  morgan: async () => {
    const { default: morgan } = await import('morgan')
    return server(app => app.use(morgan('combined')))
  },
  winston: async () => {
    const logger = await winstonLogger()
    return server(app =>
      app.use((request, response, next) => {
        const started = performance.now()
        response.on('finish', () =>
          logger.info('request', requestFields(request, response.statusCode, performance.now() - started)),
        )
        next()
      }),
    )
  },
  evlog: async () => {
    await startEvlog()
    // A specifier that the compiler does not follow: the types of evlog and those of pino-http both give the request
    // a `log`, and no program can hold the two.
    const entry: string = 'evlog/express'
    const { evlog } = (await import(entry)) as { evlog(): RequestHandler }
    return server(app => app.use(evlog()))
  },
  logtape: async () => {
    await startLogtape('express')
    const { expressLogger } = await import('@logtape/express')
    return server(app => app.use(expressLogger()))
  },
}
