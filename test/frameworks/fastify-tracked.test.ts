import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tracked } from 'deedbox'
import { observe } from 'deedbox/fastify'
import { recordingChest } from '../../packages/deedbox/src/testing/recording-chest.ts'
import { scenery } from './fastify.ts'
import { fastify4, fastify4App } from './fastify-4/harness.ts'
import { fastify5, fastify5App } from './fastify-5/harness.ts'
import { call } from './stage.ts'

for (const [harness, create] of [
  [fastify4, fastify4App],
  [fastify5, fastify5App],
] as const) {
  const { name } = harness

  test(`FC-14 ${name}: tracked() is a hook of every kind, those with a payload too`, async t => {
    const chests = [
      'onRequest',
      'preParsing',
      'preValidation',
      'preHandler',
      'preSerialization',
      'onSend',
    ].map(kind => recordingChest(kind))
    const [onRequest, preParsing, preValidation, preHandler, preSerialization, onSend] = chests.map(chest =>
      tracked({ chests: [chest] }),
    ) as [ReturnType<typeof tracked>, ...ReturnType<typeof tracked>[]]
    const scene = await scenery(t, harness, async box => {
      const app = create()
      await app.register(observe(box))
      app.addHook('onRequest', onRequest)
      app.addHook('preParsing', preParsing!)
      app.addHook('preValidation', preValidation!)
      app.addHook('preHandler', preHandler!)
      app.addHook('preSerialization', preSerialization!)
      app.addHook('onSend', onSend!)
      app.post('/echo', async request => {
        box.set({ a: 1 })
        return request.body
      })
      return app
    })
    const { id, body } = await call(scene, 'POST', '/echo', {
      body: '{"b":2}',
      headers: ['content-type: application/json'],
    })
    assert.deepEqual(JSON.parse(body), { b: 2 })
    await scene.record(id)
    assert.equal(await scene.box.flush(), true)
    for (const chest of chests) assert.deepEqual(chest.of(id), [['a', 1, id]], chest.id)
  })

  test(`FC-09 FC-10 ${name}: what waits tells of the answer that leaves, and has what later hooks set`, async t => {
    const chest = recordingChest('chest')
    const scene = await scenery(t, harness, async box => {
      const app = create()
      await app.register(observe(box))
      app.addHook('onSend', async () => box.set({ sent: true }))
      const rule = { chests: [chest], await: true }
      app.get(
        '/circle',
        tracked(rule, async () => {
          box.set({ a: 1 })
          const circle: Record<string, unknown> = {}
          circle.self = circle
          return circle
        }),
      )
      return app
    })
    const { id, status } = await call(scene, 'GET', '/circle')
    assert.deepEqual(chest.of(id), [
      ['a', 1, id],
      ['sent', true, id],
    ])
    const [entry] = chest.entries
    assert.deepEqual([status, entry?.status], [500, 500])
    assert.match(String(entry?.record.error), /circular/i)
  })

  test(`FC-11 ${name}: raise: a handler that gives no promise is left to its reply, whatever it gives`, async t => {
    const dead = recordingChest('dead', () => {
      throw new Error('the disk is full')
    })
    const scene = await scenery(t, harness, async box => {
      const app = create()
      await app.register(observe(box))
      app.get(
        '/timer',
        tracked({ chests: [dead], raise: true }, (_request, reply) => {
          box.set({ a: 1 })
          return setImmediate(() => reply.send({ ok: true }))
        }),
      )
      return app
    })
    const { id, status, body } = await call(scene, 'GET', '/timer')
    assert.deepEqual([status, JSON.parse(body).reason], [500, 'tracking_failed'])
    assert.match(String((await scene.record(id)).error?.thrown), /the disk is full/)
    await scene.box.close(0)
  })
}
