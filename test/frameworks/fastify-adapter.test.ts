import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { test } from 'node:test'
import { deedbox, type RequestRecord, tracked } from 'deedbox'
import { observe } from 'deedbox/fastify'
import { recordingChest } from '../../packages/deedbox/src/testing/recording-chest.ts'
import { type FastifyApp, scenery } from './fastify.ts'
import { fastify4, fastify4App } from './fastify-4/harness.ts'
import { fastify5, fastify5App } from './fastify-5/harness.ts'
import { call, open, requestText, type Scene } from './stage.ts'

for (const [harness, create] of [
  [fastify4, fastify4App],
  [fastify5, fastify5App],
] as const) {
  const { name } = harness

  test(`IF-04 ${name}: registered behind the routes, it covers them, those of inner plugins too`, async t => {
    const scene = await scenery(t, harness, async box => {
      const app = create()
      app.get('/a/:id', async () => ({ id: box.requestId }))
      app.register(async inner => void inner.get('/b', async () => Promise.reject(new Error('b'))), {
        prefix: '/inner/:id',
      })
      await app.after()
      await app.register(observe(box))
      assert.equal((app as FastifyApp & { deedbox: unknown }).deedbox, box)
      return app
    })
    const first = await call(scene, 'GET', '/a/1')
    assert.deepEqual(JSON.parse(first.body), { id: first.id })
    assert.equal((await scene.record(first.id)).route, '/a/:id')
    const second = await call(scene, 'GET', '/inner/2/b')
    const { route, error } = await scene.record(second.id)
    assert.deepEqual([route, String(error?.thrown)], ['/inner/:id/b', 'Error: b'])
  })

  test(`IF-06 ${name}: registered in an inner plugin, it covers that one only`, async t => {
    const inner = deedbox({ service: 'inner', log: { sink: { write: () => undefined } } })
    t.after(() => inner.close())
    const paths: string[] = []
    inner.onRecord(record => paths.push(record.path))
    const ids = () => [inner.requestId !== undefined]
    const scene = await scenery(t, harness, async box => {
      const app = create()
      await app.register(observe(box))
      await app.register(async scope => {
        await scope.register(observe(inner))
        scope.get('/inside', async () => [...ids(), box.requestId !== undefined])
      })
      app.get('/outside', async () => [...ids(), box.requestId !== undefined])
      return app
    })
    assert.equal((await call(scene, 'GET', '/inside')).body, '[true,true]')
    assert.equal((await call(scene, 'GET', '/outside')).body, '[false,true]')
    assert.deepEqual(paths, ['/inside'])
    assert.equal(scene.records.length, 2)
  })

  test(`FA-14 ${name}: the context holds in every hook, also in asynchronous ones, and in inject()`, async t => {
    const heard: string[] = []
    let app: FastifyApp = create()
    const scene = await scenery(t, harness, async box => {
      app = create()
      const hear = (hook: string) => void heard.push(`${hook} ${box.requestId}`)
      const wait = () => new Promise(setImmediate)
      await app.register(observe(box))
      app.addHook('onRequest', async () => wait().then(() => hear('onRequest')))
      app.addHook('preParsing', async (_request, _reply, payload) => {
        await wait()
        hear('preParsing')
        return payload
      })
      app.addHook('preValidation', (_request, _reply, done) => void setTimeout(done, 1))
      app.addHook('preHandler', async () => hear('preHandler'))
      app.addHook('onSend', async () => hear('onSend'))
      app.addHook('onResponse', async () => hear('onResponse'))
      app.post('/hooked', async () => ({ ok: true }))
      return app
    })
    const hooks = ['onRequest', 'preParsing', 'preHandler', 'onSend', 'onResponse']
    const { id } = await call(scene, 'POST', '/hooked', { body: '{"a":1}' })
    await scene.record(id)
    assert.deepEqual(
      heard.splice(0),
      hooks.map(hook => `${hook} ${id}`),
    )
    const answer = await app.inject({
      method: 'POST',
      url: '/hooked',
      headers: { 'x-request-id': 'injected' },
      payload: { a: 1 },
    })
    assert.equal(answer.headers['x-request-id'], 'injected')
    const { status, route, body } = await scene.record('injected')
    assert.deepEqual([status, route, body?.state, body?.length], [200, '/hooked', 'read', 7])
    assert.deepEqual(
      heard,
      hooks.map(hook => `${hook} injected`),
    )
  })

  test(`IF-10 ${name}: a hook ahead of ours that answers or throws`, async t => {
    let app: FastifyApp = create()
    const scene = await scenery(t, harness, async box => {
      app = create()
      app.addHook('onRequest', async (request, reply) => {
        if (request.url === '/throws') throw new Error('early failure')
        return reply.code(401).send({ ok: false })
      })
      await app.register(observe(box, { user: request => String(request.headers['x-user']) }))
      app.get('/refused', async () => ({ ok: true }))
      app.get('/throws', async () => ({ ok: true }))
      return app
    })
    const refused = await call(scene, 'GET', '/refused', { headers: ['x-user: u_1'] })
    assert.equal(refused.headers['x-request-id'], refused.id)
    const injected = await app.inject({ url: '/refused', headers: { 'x-user': 'u_1' } })
    for (const id of [refused.id, String(injected.headers['x-request-id'])]) {
      const { status, route, user } = await scene.record(id)
      assert.deepEqual([status, route, user], [401, '/refused', 'u_1'])
    }
    const thrown = await call(scene, 'GET', '/throws')
    assert.match(String((await scene.record(thrown.id)).error?.thrown), /early failure/)
  })

  test(`FA-25 ${name}: what fails behind the headers or behind Fastify's back`, async t => {
    const failing = (): ReadableStream => {
      let first = true
      return new ReadableStream({
        async pull(controller) {
          if (!first) throw new Error('web failure')
          first = false
          controller.enqueue(Buffer.from('first'))
          await new Promise(resolve => setTimeout(resolve, 5))
        },
      })
    }
    const scene = await scenery(t, harness, async box => {
      const app = create()
      await app.register(observe(box))
      app.get('/web', (_request, reply) => void reply.send(failing()))
      app.get('/response', (_request, reply) => void reply.send(new Response(failing())))
      app.get('/unreadable', (_request, reply) => {
        reply.send(
          new Readable({
            read() {
              this.destroy(new Error('unreadable failure'))
            },
          }),
        )
      })
      app.get('/hijacked', async (_request, reply) => {
        reply.hijack()
        reply.raw.write('first')
        setImmediate(() => reply.raw.destroy())
        throw new Error('hijacked failure')
      })
      return app
    })
    for (const [path, error, outcome, sent] of [
      ['/web', 'web failure', 'errored', 200],
      ['/response', 'web failure', 'errored', 200],
      ['/unreadable', 'unreadable failure', 'completed', 500],
      ['/hijacked', 'hijacked failure', 'errored', 200],
    ] as const) {
      const { id } = await call(scene, 'GET', path)
      const record = await scene.record(id)
      assert.deepEqual([record.outcome, record.status, record.statusSent], [outcome, 500, sent], path)
      assert.equal(String(record.error?.thrown), `Error: ${error}`)
    }
  })

  test(`IF-17 ${name}: what comes on an open connection while the application closes`, async t => {
    let app: FastifyApp = create()
    const scene = await scenery(t, harness, async box => {
      app = create()
      await app.register(observe(box))
      const held = Promise.withResolvers<void>()
      app.addHook('preClose', async () => void setImmediate(held.resolve))
      app.get('/held', async () => held.promise.then(() => ({ ok: true })))
      return app
    })
    const socket = await open(scene)
    const [first, second] = [randomUUID(), randomUUID()]
    socket.write(requestText('GET', '/held', first))
    await new Promise(resolve => app.server.once('request', resolve))
    const closed = app.close()
    socket.write(requestText('GET', '/held', second))
    const statuses = [(await scene.record(first)).status, (await scene.record(second)).status]
    assert.deepEqual(statuses, [200, 503])
    socket.destroy()
    await closed
  })

  test(`${name}: the application's own logger works on, and can take over the request's id`, async t => {
    const logged: Record<string, unknown>[] = []
    const scene = await scenery(t, harness, async box => {
      const app = create({
        logger: { stream: { write: line => logged.push(JSON.parse(line)) } },
        genReqId: () => box.requestId ?? randomUUID(),
      })
      await app.register(observe(box))
      app.get('/logs', async request => {
        request.log.info('by the service')
        return { id: request.id }
      })
      return app
    })
    const { id, body } = await call(scene, 'GET', '/logs')
    await scene.record(id)
    assert.deepEqual(JSON.parse(body), { id })
    assert.deepEqual(
      logged.filter(line => line.reqId === id).map(line => line.msg),
      ['incoming request', 'by the service', 'request completed'],
    )
  })

  test(`FC-11 FC-14 ${name}: tracked() is a hook of a plugin, and around a handler that knows its types`, async t => {
    const chest = recordingChest('chest', entries => {
      if (entries.some(({ value }) => value === 'bad')) throw new Error('the disk is full')
    })
    const rule = { chests: [chest], raise: true }
    const scene = await scenery(t, harness, async box => {
      const app = create()
      await app.register(observe(box))
      await app.register(async scope => {
        scope.addHook('preHandler', tracked(rule))
        scope.get<{ Params: { id: string } }>('/hooked/:id', request => {
          box.set({ id: request.params.id })
          return Promise.resolve({ ok: true })
        })
      })
      app.get<{ Params: { id: string } }>(
        '/around/:id',
        tracked(rule, async (request, reply) => {
          box.set({ id: request.params.id })
          return reply.send({ ok: true })
        }),
      )
      return app
    })
    for (const path of ['/hooked/good', '/around/good']) {
      const { id, status } = await call(scene, 'GET', path)
      assert.deepEqual([status, chest.of(id)], [200, [['id', 'good', id]]])
    }
    for (const path of ['/hooked/bad', '/around/bad']) {
      const { id, status, body } = await call(scene, 'GET', path)
      assert.deepEqual([status, JSON.parse(body).reason], [500, 'tracking_failed'])
      assert.match(String((await scene.record(id)).error?.thrown), /the disk is full/)
    }
    await scene.box.close(0)
  })

  test(`${name}: two applications in one process keep apart`, async t => {
    const records: RequestRecord[][] = []
    const scenes: Scene[] = []
    for (const n of [0, 1]) {
      const scene = await scenery(t, harness, async box => {
        const app = create()
        await app.register(observe(box))
        app.get('/which', async () => scenes.map(each => each.box.requestId !== undefined))
        return app
      })
      scenes[n] = scene
      records[n] = scene.records
    }
    assert.equal((await call(scenes[0]!, 'GET', '/which')).body, '[true,false]')
    assert.equal((await call(scenes[1]!, 'GET', '/which')).body, '[false,true]')
    assert.deepEqual(
      records.map(each => each.length),
      [1, 1],
    )
  })
}
