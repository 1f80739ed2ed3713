import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createAdaptorServer } from '@hono/node-server'
import { Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { type ListenApp, listen } from 'deedbox'
import express from 'express'
import { Hono } from 'hono'
import { startChild } from '../../packages/deedbox/src/testing/ledger-child.ts'
import { fastify4App } from './fastify-4/harness.ts'
import { fastify5App } from './fastify-5/harness.ts'
import { koa2Packages } from './koa-2/harness.ts'
import { koa3Packages } from './koa-3/harness.ts'

type Answer = () => Promise<string>

/** An application with one route, and whether its framework was told of the end. */
interface Made {
  readonly app: ListenApp
  ended?(): boolean
}

function expressApp(answer: Answer): Made {
  const app = express()
  app.get('/', async (_request, response) => void response.send(await answer()))
  return { app }
}

function koaApp({ createApp }: typeof koa3Packages, answer: Answer): Made {
  const app = createApp()
  app.use(async ctx => {
    ctx.body = await answer()
  })
  return { app }
}

function fastifyApp(app: ReturnType<typeof fastify5App>, answer: Answer): Made {
  let isEnded = false
  app.get('/', answer)
  app.addHook('onClose', async () => {
    isEnded = true
  })
  return { app, ended: () => isEnded }
}

async function nestApp(answer: Answer): Promise<Made> {
  let isEnded = false
  class Root {
    onModuleDestroy(): void {
      isEnded = true
    }
  }
  Module({})(Root)
  const app = await NestFactory.create(Root, { logger: false })
  app.use(async (_request: unknown, response: { end(text: string): void }) => response.end(await answer()))
  return { app, ended: () => isEnded }
}

function honoServer(answer: Answer): Made {
  const app = new Hono()
  app.get('/', async c => c.text(await answer()))
  return { app: createAdaptorServer(app) as ListenApp }
}

const ways: Record<string, (answer: Answer) => Made | Promise<Made>> = {
  'Express 5': expressApp,
  'Koa 2': answer => koaApp(koa2Packages, answer),
  'Koa 3': answer => koaApp(koa3Packages, answer),
  'Fastify 4': answer => fastifyApp(fastify4App(), answer),
  'Fastify 5': answer => fastifyApp(fastify5App(), answer),
  'Nest 12': nestApp,
  'Hono 4': honoServer,
}

for (const [name, make] of Object.entries(ways)) {
  test(`DF-55 gap 17 ${name} listens on all interfaces, and closes after the request under way`, async t => {
    let go = (): void => {}
    let isAsked = (): void => {}
    const asked = new Promise<void>(resolve => {
      isAsked = resolve
    })
    const held = new Promise<void>(resolve => {
      go = resolve
    })
    const { app, ended } = await make(async () => {
      isAsked()
      await held
      return 'late'
    })
    let isDrained = false
    const onDrained = (): void => {
      isDrained = true
    }
    const service = await listen(app, { port: 0, onDrained })
    t.after(() => service.close())
    assert.match(service.host, /^(::|0\.0\.0\.0)$/)
    const answer = fetch(`http://127.0.0.1:${service.port}/`)
    await asked
    const closed = service.close()
    await new Promise(setImmediate)
    assert.deepEqual([isDrained, ended?.() ?? false], [false, false])
    go()
    const response = await answer
    assert.deepEqual([response.status, await response.text()], [200, 'late'])
    assert.equal(response.headers.get('connection'), 'close')
    await closed
    assert.deepEqual([isDrained, ended?.() ?? true], [true, true])
    await assert.rejects(fetch(`http://127.0.0.1:${service.port}/`))
  })
}

for (const [name, folder] of [
  ['Nest 11', 'nest-11'],
  ['Nest 12', 'nest-12'],
] as const) {
  const fixture = new URL('nest-listening.ts', import.meta.url).href

  test(`gap 17 ${name} with enableShutdownHooks() drains as all do, and its hooks run behind the last request`, async t => {
    const child = startChild(fixture, { NEST: folder }, { channel: 'ipc' })
    t.after(() => child.process.kill('SIGKILL'))
    await child.said('port ')
    const url = `http://127.0.0.1:${/^port (\d+)$/m.exec(child.output())?.[1]}`
    const held = fetch(`${url}/held`)
    await child.said('holding')
    child.process.kill('SIGTERM')
    await child.said('"draining"')
    assert.equal(await (await fetch(`${url}/`)).text(), 'late')
    child.process.send('delay over')
    while ((await fetch(`${url}/`).catch(() => undefined)) !== undefined);
    assert.doesNotMatch(child.output(), /hook/)
    child.process.send('go on')
    assert.equal(await (await held).text(), 'late')
    assert.deepEqual(await child.ended, { code: null, signal: 'SIGTERM' })
    assert.match(child.output(), /^hook: destroy\nhook: shutdown by SIGTERM$/m)
    assert.doesNotMatch(child.output(), /hold the process up/)
    assert.match(child.output(), /^SIGHUP ([1-9]) \1$/m, 'its listeners to other signals stay')
  })

  test(`gap 17 ${name} with enableShutdownHooks() leaves no listener behind when it is closed`, async () => {
    const child = startChild(fixture, { NEST: folder, HOW: 'close' })
    assert.deepEqual(await child.ended, { code: 0, signal: null })
    assert.match(child.output(), /^closed 0 1$/m, 'that of the log is left')
  })
}
