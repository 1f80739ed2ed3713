import type { Server } from 'node:http'
import fastify, { type FastifyInstance } from 'fastify'
import { answer, box, requestFields, startEvlog, winstonLogger } from './loggers.ts'

/** Adds the route that answers, and listens. */
async function serve(app: FastifyInstance): Promise<Server> {
  app.get('/things/:id', async () => answer)
  await app.listen({ port: 0, host: '127.0.0.1' })
  return app.server
}

/** The trivial handler on Fastify 5, by who logs. What is made for `node:http` takes part by a hook. */
export const servers: Record<string, () => Promise<Server>> = {
  bare: () => serve(fastify()),
  deedbox: async () => {
    const { observe } = await import('deedbox/fastify')
    const app = fastify()
    await app.register(observe(box()))
    return serve(app)
  },
  fastify: () => serve(fastify({ logger: true })),
  'pino-http': async () => {
    const { pinoHttp } = await import('pino-http')
    const log = pinoHttp()
    const app = fastify()
    app.addHook('onRequest', (request, reply, done) => log(request.raw, reply.raw, done))
    return serve(app)
  },
  morgan: async () => {
    const { default: morgan } = await import('morgan')
    const log = morgan('combined')
    const app = fastify()
    app.addHook('onRequest', (request, reply, done) => log(request.raw, reply.raw, () => done()))
    return serve(app)
  },
  winston: async () => {
    const logger = await winstonLogger()
    const app = fastify()
    app.addHook('onResponse', (request, reply, done) => {
      logger.info('request', requestFields(request, reply.statusCode, reply.elapsedTime))
      done()
    })
    return serve(app)
  },
  evlog: async () => {
    await startEvlog()
    const { evlog } = await import('evlog/fastify')
    const app = fastify()
    await app.register(evlog)
    return serve(app)
  },
}
