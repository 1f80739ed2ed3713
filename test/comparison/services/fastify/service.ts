import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { clientLeaves, failure, halfAnAnswer, serve } from '../service.ts'

/** Adds the routes to a Fastify 5 instance that is observed already, and serves. */
export async function serveFastify(app: FastifyInstance, end?: () => Promise<unknown>): Promise<void> {
  app.get('/ok', async () => ({ ok: true }))
  app.get('/throw', async () => {
    throw new Error(failure)
  })
  app.get('/leave', async (_request, reply) => {
    await clientLeaves(reply.raw)
    return { ok: true }
  })
  app.post('/json', async request => request.body)
  app.get('/stream', async (_request, reply) =>
    reply.type('text/plain').send(Readable.from(halfAnAnswer(reply.raw))),
  )
  await app.listen({ port: 0, host: '127.0.0.1' })
  await serve(app.server, end)
}
