import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { observe } from 'deedbox/express'
import express from 'express'
import type { FrameworkHarness } from './harness.ts'

/** Express 5, without error handlers of the service's own. */
export const express5: FrameworkHarness = harness('Express 5', () => undefined)

/** Express 5 with an error handler of its own: the real error is on the line all the same. */
export const express5WithErrorHandler: FrameworkHarness = harness('Express 5 with an error handler', app => {
  const onError: express.ErrorRequestHandler = (error, _request, response, next) => {
    if (response.headersSent) return next(error)
    response.status(error.status ?? 500).json({ error: 'the service answers itself' })
  }
  app.use(onError)
})

function harness(name: string, finish: (app: express.Express) => void): FrameworkHarness {
  return {
    name,
    knowsRoutes: true,
    http2: false,
    answers: {
      methodNotAllowed: 404,
      options: 200,
      invalidUrl: 400,
      malformedJson: { status: 400, hasError: true },
      invalidBody: 400,
    },
    async start(box, stage, { attach }) {
      const app = express()
      // Express prints errors that nobody handles to the console unless it is under test.
      app.set('env', 'test')
      app.use(observe(box))
      if (attach === 'twice') app.use(observe(box))
      app.post('/json', express.json(), (request, response) => void response.json(request.body))
      app.post('/unread', (_request, response) => void response.json({ ok: true }))
      app.post('/listen', (request, response) => {
        request.on('data', () => undefined)
        request.on('end', () => {
          stage.inEndListener()
          box.log.info('body read')
          response.json({ ok: true })
        })
      })
      app.get(['/ok', '/health'], (_request, response) => void response.json({ ok: true }))
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
      app.get('/hang', () => stage.arrived('/hang'))
      app.get('/stream', (_request, response) => {
        response.type('text/plain').write('first')
        stage.arrived('/stream')
      })
      app.get('/broken-stream', (_request, response) => {
        response.type('text/plain').write('first')
        throw new Error('stream failure')
      })
      app.get('/late', async (_request, response) => {
        response.json({ ok: true })
        await stage.mayFailLate
        throw new Error('late failure')
      })
      app.get('/redirect', (_request, response) => response.redirect('/ok'))
      const items = express.Router({ mergeParams: true })
      items.get('/:item', (_request, response) => void response.json({ ok: true }))
      const orgs = express.Router()
      orgs.use('/:org/items', items)
      app.use('/orgs', orgs)
      app.get('/named/:n', async (request, response) => {
        const n = Number(request.params.n)
        box.event(`named.${n}`)
        box.set({ n })
        await new Promise(setImmediate)
        box.log.info(`in ${n}`)
        response.json({ n: box.get('n') })
      })
      finish(app)
      const server = app.listen(0, '127.0.0.1')
      await once(server, 'listening')
      return {
        port: (server.address() as AddressInfo).port,
        async stop() {
          server.closeAllConnections()
          server.close()
          await once(server, 'close')
        },
      }
    },
  }
}
