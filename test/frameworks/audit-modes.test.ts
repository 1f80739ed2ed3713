import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import type { AuditMode } from 'deedbox'
import { observe } from 'deedbox/express'
import { observe as observeFastify } from 'deedbox/fastify'
import express from 'express'
import { fastify } from 'fastify'
import { impatient, withoutChance } from '../../packages/deedbox/src/testing/held-responses.ts'
import { aBox, aLedger } from '../../packages/deedbox/src/testing/ledger-events.ts'
import {
  keepAll,
  type LedgerStandIn,
  type Script,
  until,
} from '../../packages/deedbox/src/testing/ledger-stand-in.ts'
import { express5 } from './express-5/harness.ts'
import { fastify5 } from './fastify-5/harness.ts'
import type { FrameworkHarness } from './harness.ts'
import { hono4 } from './hono-4/harness.ts'
import { http2Call } from './http2-call.ts'
import { koa3 } from './koa-3/harness.ts'
import { nest12Express } from './nest-12/harness.ts'
import { nodeHttp } from './node-http.ts'
import { call, open, requestText, type Scene, setScene, toEnd } from './stage.ts'

for (const harness of [nodeHttp, express5, fastify5, koa3, hono4, nest12Express]) modesOf(harness)

interface HeldScene extends Scene {
  readonly remote: LedgerStandIn
}

/** A service whose events go to a scripted ledger. */
async function heldScene(
  t: TestContext,
  harness: FrameworkHarness,
  script: Script,
  modes: { mode?: AuditMode; modes?: Record<string, AuditMode>; holdTimeout?: number },
  http2 = false,
): Promise<HeldScene> {
  const remote = await aLedger(t, script)
  const scene = await setScene(t, harness, {
    http2,
    box: { ledger: { url: remote.url, apiKey: 'key' }, audit: { ...impatient, ...modes } },
  })
  return Object.assign(scene, { remote })
}

/** Refuses for good the events of requests that went well, and keeps all others. */
const takesNoSuccess: Script = (call, _nth, ledger) =>
  call.items.some(({ meta }) => meta.type !== 'error')
    ? { status: 422, body: { ok: false, reason: 'invalid_payload' } }
    : ledger.keep(call)

const requests: readonly [method: string, path: string, body?: string][] = [
  ['GET', '/ok'],
  ['HEAD', '/ok'],
  ['GET', '/empty'],
  ['GET', '/throw'],
  ['GET', '/reject'],
  ['GET', '/before'],
  ['GET', '/piped'],
  ['GET', '/sse'],
  ['GET', '/redirect'],
  ['GET', '/nowhere'],
  ['OPTIONS', '/ok'],
  ['POST', '/json', '{"a":1}'],
  ['POST', '/json', '{"a":'],
  ['POST', '/unread', 'x'.repeat(10_000)],
  ['GET', '/orgs/a/items/1'],
]

function modesOf(harness: FrameworkHarness): void {
  const { name } = harness
  const named = harness.template?.('/named/:n') ?? '/named/:n'
  const route = harness.knowsRoutes ? named : '/named/1'

  test(`X-11 ${name}: closed changes no byte of an answer that the ledger knows of`, async t => {
    const answers: string[] = []
    for (const mode of ['open', 'closed'] as const) {
      const scene = await heldScene(t, harness, keepAll, { mode })
      let all = ''
      for (const [method, path, body] of requests) {
        const socket = await open(scene)
        socket.write(requestText(method, path, 'r-1', ['connection: close'], body))
        all += `${method} ${path}\n${withoutChance(await toEnd(socket))}\n`
      }
      answers.push(all)
      await until(() => scene.remote.stored.size === requests.length)
    }
    assert.equal(answers[1], answers[0])
  })

  test(`X-11 IF-33 ${name}: a ledger that does not take an event stops the routes that are closed, and no other`, async t => {
    const scene = await heldScene(t, harness, takesNoSuccess, { modes: { [`GET ${route}`]: 'closed' } })
    const withheld = await call(scene, 'GET', '/named/1')
    assert.deepEqual([withheld.status, JSON.parse(withheld.body).reason], [503, 'audit_unavailable'])
    assert.equal(withheld.headers['x-request-id'], withheld.id)
    const record = await scene.record(withheld.id)
    assert.deepEqual([record.status, record.error], [503, null])
    assert.equal(scene.requestLines(withheld.id)[0]?.status_code, 503)
    await until(() => scene.remote.stored.size === 1)
    assert.equal((await call(scene, 'GET', '/ok')).status, 200)
    assert.equal((await call(scene, 'GET', '/throw')).status, 500)
    scene.remote.follow(keepAll)
    const answered = await call(scene, 'GET', '/named/1')
    assert.equal(answered.status, 200)
    // It is there before the answer is.
    const stored = [...scene.remote.stored.values()].filter(({ meta }) => meta.event_name === 'named.1')
    assert.deepEqual(
      stored.map(({ payload }) => JSON.parse(payload).metrics.status_code),
      [503, 200],
    )
    assert.deepEqual(scene.box.stats().held, { waited: 2, refused: 1, unkept: 0 })
  })

  test(`FA-23 ${name}: a stream that is withheld ends for both sides`, async t => {
    const scene = await heldScene(t, harness, () => 'cut', { mode: 'closed', holdTimeout: 50 })
    const stream = await call(scene, 'GET', '/stream')
    assert.deepEqual([stream.status, /first/.test(stream.body)], [503, false])
    assert.equal((await scene.record(stream.id)).status, 503)
    const piped = await call(scene, 'GET', '/piped')
    assert.equal(piped.status, 503)
    assert.equal((await scene.record(piped.id)).error, null)
    assert.equal((await call(scene, 'GET', '/ok')).status, 503)
    scene.remote.follow(keepAll)
  })

  if (!harness.http2) return
  test(`X-11 ${name}: the same over HTTP/2`, async t => {
    const answers: unknown[] = []
    for (const mode of ['open', 'closed'] as const) {
      const scene = await heldScene(t, harness, keepAll, { mode }, true)
      const ask = http2Call(t, scene.service.port)
      for (const path of ['/ok', '/empty', '/throw', '/piped', '/sse', '/nowhere']) {
        const { status, body } = await ask(path, 'r-1')
        answers.push([path, status, body])
      }
      if (mode === 'open') continue
      scene.remote.follow(takesNoSuccess)
      assert.equal((await ask('/ok', 'r-2')).status, 503)
      assert.equal((await ask('/stream', 'r-3')).status, 503)
      assert.equal((await scene.record('r-3')).status, 503)
    }
    assert.deepEqual(answers.slice(answers.length / 2), answers.slice(0, answers.length / 2))
  })
}

test('X-11 Express 5: files and their ranges, an error handler, and a middleware that refuses before the route', async t => {
  const ledger = await aLedger(t, keepAll)
  const { box } = aBox(t, {
    ledger: { url: ledger.url, apiKey: 'key' },
    audit: { ...impatient, modes: { '/files/:name': 'closed' } },
  })
  const app = express()
  app.set('env', 'test')
  app.use(observe(box))
  app.use((request, response, next) => {
    if (request.get('x-user') === 'nobody') response.status(403).json({ reason: 'forbidden' })
    else next()
  })
  app.get('/files/:name', (request, response, next) => {
    if (request.params.name === 'broken') next(new Error('broken'))
    else response.sendFile(import.meta.filename)
  })
  const handler: express.ErrorRequestHandler = (error, _request, response, _next) => {
    response.status(418).json({ reason: (error as Error).message })
  }
  app.use(handler)
  const server = createServer(app).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const ask = async (name: string, headers: Record<string, string> = {}): Promise<[number, string]> => {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/files/${name}`
    const answer = await fetch(url, { headers: { connection: 'close', ...headers } })
    return [answer.status, await answer.text()]
  }
  assert.match((await ask('a'))[1], /files and their ranges/)
  assert.deepEqual(await ask('a', { range: 'bytes=0-5' }), [206, 'import'])
  assert.deepEqual(await ask('broken'), [418, '{"reason":"broken"}'])
  assert.equal((await ask('a', { 'x-user': 'nobody' }))[0], 403)
  assert.equal(box.stats().held.waited, 4)
  ledger.follow(() => ({ status: 422, body: { ok: false, reason: 'invalid_payload' } }))
  assert.equal((await ask('a'))[0], 503)
  assert.equal((await ask('a', { range: 'bytes=0-5' }))[0], 503)
  assert.equal((await ask('a', { 'x-user': 'nobody' }))[0], 503)
})

test('X-11 Fastify 5: inject has no socket, so nothing is held', async t => {
  const { box } = aBox(t, {
    ledger: { url: (await aLedger(t, () => 'never')).url, apiKey: 'key' },
    audit: { ...impatient, mode: 'closed', holdTimeout: 50, timeout: 100 },
  })
  const app = fastify()
  await app.register(observeFastify(box))
  app.get('/a', () => ({ ok: true }))
  const { statusCode, body } = await app.inject('/a')
  assert.deepEqual([statusCode, body], [200, '{"ok":true}'])
  await until(() => box.stats().held.refused === 1)
})
