import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { captureLog } from '../../packages/deedbox/src/testing/captured-log.ts'
import { recordingChest } from '../../packages/deedbox/src/testing/recording-chest.ts'
import { frameworkConformance } from './conformance.ts'
import { compiledNest, requestTour, type TourAnswer } from './nest.ts'
import { nest11Express, nest11Fastify } from './nest-11/harness.ts'
import { nest12Express, nest12Fastify } from './nest-12/harness.ts'
import { call, setScene } from './stage.ts'

const services = [
  { major: 12, platform: 'express', harness: nest12Express },
  { major: 12, platform: 'fastify', harness: nest12Fastify },
  { major: 11, platform: 'express', harness: nest11Express },
  { major: 11, platform: 'fastify', harness: nest11Fastify },
] as const

for (const { major, platform, harness } of services) {
  frameworkConformance(harness)
  const { name } = harness

  test(`FA-25 ${name}: where we answer in Nest's place, what has an answer keeps it`, async t => {
    const scene = await setScene(t, harness, { answers: true })
    assert.equal((await call(scene, 'POST', '/json', { body: '{' })).status, 400)
    assert.equal((await call(scene, 'GET', '/named/x')).status, 400)
    scene.failLate()
    const late = await call(scene, 'GET', '/late')
    assert.deepEqual([late.status, JSON.parse(late.body)], [200, { ok: true }])
    assert.match(String((await scene.record(late.id, 2)).error?.thrown), /late failure/)
  })

  test(`FC-14 ${name}: the decorator stands above those of Nest as well`, async t => {
    const chest = recordingChest('chest')
    const input = { chests: [chest], await: true }
    const scene = await setScene(t, harness, {
      tracked: box => ({
        sample: {
          input,
          async work() {
            box.set({ a: 1 })
            return { b: 2 }
          },
        },
      }),
    })
    const { id, body } = await call(scene, 'GET', '/tracked/sample/above')
    assert.deepEqual([JSON.parse(body), chest.of(id)], [{ b: 2 }, [['a', 1, id]]])
  })

  test(`IF-06 IF-29 ${name}: prefix, version, filters and the context all the way`, async () => {
    const { box, recorded, records, lines } = captureLog()
    const tour = await compiledNest(major, 'tour')
    const user = (request: { readonly user?: { readonly id?: string } }) => request.user?.id
    const seen = await requestTour(tour, platform, box, { user }, false, async (ask, instance) => {
      assert.equal(instance, box)
      let count = 0
      const seen: unknown[] = []
      for (const [method, path, more] of [
        ['GET', '/api/v2/cats/7'],
        ['GET', '/api/v2/cats/refused'],
        ['GET', '/api/v2/cats/conflict'],
        ['GET', '/api/v2/cats/broken'],
        ['GET', '/api/v1/scoped'],
        ['GET', '/api/nowhere'],
        ['GET', '/api/v2/cats/8', { headers: { 'x-stop': '1' } }],
        ['POST', '/api/v2/cats/orders', { body: '{"amount":"x"}' }],
      ] as const) {
        await ask(method, path, more)
        const { status, route, error } = (await recorded(++count))[count - 1]!
        const thrown = error?.thrown
        seen.push([status, route, thrown instanceof Error ? thrown.message : null])
      }
      return seen
    })
    assert.deepEqual(seen, [
      [200, '/api/v2/cats/:id', null],
      [418, '/api/v2/cats/refused', 'refused by a guard'],
      [409, '/api/v2/cats/conflict', 'taken'],
      [500, '/api/v2/cats/broken', 'broken cat'],
      [500, '/api/v1/scoped', 'broken for one request'],
      [404, null, null],
      // Fastify's hooks come after Nest's middleware.
      [500, platform === 'express' ? '/api/v2/cats/:id' : null, 'failure in middleware'],
      [400, '/api/v2/cats/orders', 'Bad Request Exception'],
    ])
    const [first] = records
    assert.equal(first?.user, 'u_7')
    const spoken = (await lines()).filter(line => line.request_id === first?.requestId)
    assert.deepEqual(
      spoken.map(line => line.message),
      [
        'in middleware',
        'in guard',
        'before handler',
        'in pipe',
        'in handler',
        'in stream',
        'after handler',
        'log request',
      ],
    )
    await box.close()
  })

  for (const policy of ['leave', 'answer'] as const) {
    test(`FA-25 X-12 ${name}: what Nest prints about errors, with ${policy}`, async () => {
      const child = fork(
        join(import.meta.dirname, 'nest-printing.ts'),
        [await compiledNest(major, 'tour'), platform, policy],
        { execArgv: ['--conditions=@deedbox/source'], stdio: ['ignore', 'pipe', 'pipe', 'ipc'] },
      )
      const printing = Promise.all([text(child.stdout!), text(child.stderr!)])
      const [told] = (await once(child, 'message')) as [TourAnswer[]]
      const printed = (await printing).join('')
      const statuses = told.map(([status]) => status)
      if (policy === 'answer') {
        assert.deepEqual(statuses, [500, 200, 500, 422, 503])
        assert.equal(told[0]?.[2], 'Internal Server Error')
        assert.match(told[1]?.[2] ?? '', /terminated/)
        assert.equal(printed, '')
      } else {
        assert.deepEqual(statuses, [500, 200, 500, 400, 503])
        assert.equal(told[0]?.[2], '{"statusCode":500,"message":"Internal server error"}')
        for (const message of ['broken cat', 'cut cat', 'failure in middleware'])
          assert.equal(printed.split(`Error: ${message}`).length, 2, message)
      }
    })
  }
}
