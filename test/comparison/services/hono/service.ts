import type { Server } from 'node:http'
import { createAdaptorServer, type HttpBindings } from '@hono/node-server'
import { Hono } from 'hono'
import { streamText } from 'hono/streaming'
import { clientLeaves, failure, serve } from '../service.ts'

/** Serves on Hono 4 with its server for Node; `before` adds what stands ahead of the routes. */
export async function serveHono(
  before: (app: Hono<{ Bindings: HttpBindings }>) => void,
  end?: () => Promise<unknown>,
): Promise<void> {
  const app = new Hono<{ Bindings: HttpBindings }>()
  before(app)
  app.get('/ok', c => c.json({ ok: true }))
  app.get('/throw', () => {
    throw new Error(failure)
  })
  app.get('/leave', async c => {
    await clientLeaves(c.env.outgoing)
    return c.json({ ok: true })
  })
  app.post('/json', async c => c.json(await c.req.json()))
  app.get('/stream', c =>
    streamText(c, async stream => {
      await stream.write('first')
      await clientLeaves(c.env.outgoing)
      await stream.write('last')
    }),
  )
  await serve(createAdaptorServer(app) as Server, end)
}
