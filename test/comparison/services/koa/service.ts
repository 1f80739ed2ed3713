import { createServer } from 'node:http'
import { Readable } from 'node:stream'
import Router from '@koa/router'
import Koa from 'koa'
import bodyParser from 'koa-bodyparser'
import { clientLeaves, failure, halfAnAnswer, serve } from '../service.ts'

/** Serves on Koa 3 with its router and its body parser; `before` adds what stands ahead of the routes. */
export async function serveKoa(before: (app: Koa) => void, end?: () => Promise<unknown>): Promise<void> {
  const app = new Koa()
  before(app)
  app.use(bodyParser())
  const router = new Router()
  router.get('/ok', ctx => {
    ctx.body = { ok: true }
  })
  router.get('/throw', () => {
    throw new Error(failure)
  })
  router.get('/leave', async ctx => {
    await clientLeaves(ctx.res)
    ctx.body = { ok: true }
  })
  router.post('/json', ctx => {
    ctx.body = ctx.request.body
  })
  router.get('/stream', ctx => {
    ctx.type = 'text/plain'
    ctx.body = Readable.from(halfAnAnswer(ctx.res))
  })
  app.use(router.routes())
  await serve(createServer(app.callback()), end)
}
