import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createAdaptorServer } from '@hono/node-server'
import { Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { type Deedbox, deedbox, type ListenApp, listen } from 'deedbox'
import { observe as observeExpress } from 'deedbox/express'
import { observe as observeFastify } from 'deedbox/fastify'
import { observe as observeHono } from 'deedbox/hono'
import { observe as observeHttp } from 'deedbox/http'
import { observe as observeKoa } from 'deedbox/koa'
import { type StaticMiddleware, staticFiles } from 'deedbox/static'
import express from 'express'
import { Hono } from 'hono'
import { fastify4App } from './fastify-4/harness.ts'
import { fastify5App } from './fastify-5/harness.ts'
import { koa2Packages } from './koa-2/harness.ts'
import { koa3Packages } from './koa-3/harness.ts'

/** An application that serves files ahead of one route, and is observed. */
type Make = (box: Deedbox, files: StaticMiddleware) => ListenApp | Promise<ListenApp>

const withFastify =
  (create: typeof fastify5App): Make =>
  async (box, files) => {
    const app = create()
    await app.register(observeFastify(box))
    app.addHook('onRequest', files)
    app.get('/orders', async () => 'orders')
    return app
  }

const withKoa =
  ({ createApp }: typeof koa3Packages): Make =>
  (box, files) => {
    const app = createApp()
    app.use(observeKoa(box))
    app.use(files)
    app.use(async ctx => {
      ctx.body = 'orders'
    })
    return app
  }

const ways: Record<string, Make> = {
  'Express 5': (box, files) => {
    const app = express()
    app.use(observeExpress(box))
    app.use(files)
    app.get('/orders', (_request, response) => void response.send('orders'))
    return app
  },
  'Koa 2': withKoa(koa2Packages),
  'Koa 3': withKoa(koa3Packages),
  'Fastify 4': withFastify(fastify4App),
  'Fastify 5': withFastify(fastify5App),
  'Nest 12': async (_box, files) => {
    class Root {}
    Module({})(Root)
    const app = await NestFactory.create(Root, { logger: false })
    app.use(files)
    app.use((_request: unknown, response: { end(text: string): void }) => response.end('orders'))
    return app
  },
  'Hono 4': (box, files) => {
    const app = new Hono()
    app.use(observeHono(box))
    app.use(files)
    app.get('/orders', c => c.text('orders'))
    return createAdaptorServer(app) as ListenApp
  },
  'node:http': (box, files) =>
    createServer(
      observeHttp(box)((request, response) => files(request, response, () => response.end('orders'))),
    ),
}

for (const [name, make] of Object.entries(ways)) {
  test(`DF-56 ${name} serves a file, 304 and what comes behind, and each request has its line`, async t => {
    const folder = mkdtempSync(join(tmpdir(), 'static-'))
    t.after(() => rmSync(folder, { recursive: true }))
    mkdirSync(join(folder, 'assets'))
    writeFileSync(join(folder, 'assets', 'index-BkX3v9Qd.js'), 'shop()')
    writeFileSync(join(folder, 'index.html'), '<h1>shop</h1>')
    const statuses: number[] = []
    const box = deedbox({ ledger: null, audit: { requests: false }, log: { sink: 'stdout' } })
    t.after(() => box.close())
    box.onRecord(({ status }) => statuses.push(status))
    const app = await make(box, staticFiles(folder))
    const { url, close } = await listen(app, { port: 0, host: '127.0.0.1' })
    t.after(close)
    const script = await fetch(`${url}/assets/index-BkX3v9Qd.js`)
    assert.deepEqual([script.status, await script.text()], [200, 'shop()'])
    assert.equal(script.headers.get('cache-control'), 'public, max-age=31536000, immutable')
    const page = await fetch(`${url}/`)
    assert.deepEqual([page.status, await page.text()], [200, '<h1>shop</h1>'])
    const etag = page.headers.get('etag') ?? ''
    const same = await fetch(`${url}/`, { headers: { 'if-none-match': etag, 'cache-control': 'max-age=0' } })
    assert.deepEqual([same.status, await same.text()], [304, ''])
    const head = await fetch(`${url}/`, { method: 'HEAD' })
    assert.deepEqual([head.status, head.headers.get('content-length')], [200, '13'])
    const behind = await fetch(`${url}/orders`)
    assert.deepEqual([behind.status, await behind.text()], [200, 'orders'])
    await close()
    if (name !== 'Nest 12') assert.deepEqual(statuses, [200, 200, 304, 200, 200])
  })
}

const mounted: Record<string, (files: StaticMiddleware) => ListenApp> = {
  'Express 5': files => express().use('/static', files),
  'Koa 3': files => {
    const app = koa3Packages.createApp()
    // As koa-mount does it.
    app.use((ctx, next) => {
      ctx.path = ctx.path.slice('/static'.length) || '/'
      return next()
    })
    app.use(files)
    return app
  },
}

for (const [name, make] of Object.entries(mounted)) {
  test(`DF-56 ${name} mounted at a path: links in its first page lead below it`, async t => {
    const folder = mkdtempSync(join(tmpdir(), 'static-'))
    t.after(() => rmSync(folder, { recursive: true }))
    mkdirSync(join(folder, 'docs'))
    for (const page of ['index.html', 'docs/index.html']) writeFileSync(join(folder, page), page)
    const { url, close } = await listen(make(staticFiles(folder)), { port: 0, host: '127.0.0.1' })
    t.after(close)
    for (const [path, page] of [
      ['/static', 'index.html'],
      ['/static/docs', 'docs/index.html'],
    ]) {
      const first = await fetch(url + path)
      assert.deepEqual([first.redirected, first.url, await first.text()], [true, `${url}${path}/`, page])
      const second = await fetch(`${url}${path}/?a=1`)
      assert.deepEqual([second.redirected, await second.text()], [false, page])
    }
  })
}
