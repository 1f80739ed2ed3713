import { createServer } from 'node:http'
import express from 'express'
import { clientLeaves, failure, serve } from '../service.ts'

/** Serves on Express 5; `before` adds what stands ahead of the routes, `after` what stands behind them. */
export async function serveExpress(
  before: (app: express.Express) => void,
  after: (app: express.Express) => void = () => undefined,
  end?: () => Promise<unknown>,
): Promise<void> {
  const app = express()
  before(app)
  app.use(express.json())
  app.get('/ok', (_request, response) => void response.json({ ok: true }))
  app.get('/throw', () => {
    throw new Error(failure)
  })
  app.get('/leave', async (_request, response) => {
    await clientLeaves(response)
    response.json({ ok: true })
  })
  app.post('/json', (request, response) => void response.json(request.body))
  app.get('/stream', async (_request, response) => {
    response.type('text/plain').write('first')
    await clientLeaves(response)
    response.end('last')
  })
  after(app)
  await serve(createServer(app), end)
}
