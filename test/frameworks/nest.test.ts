import assert from 'node:assert/strict'
import { fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:http2'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { captureLog } from '../../packages/deedbox/src/testing/captured-log.ts'
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

  test(`IF-29 ${name}: what guards, interceptors and pipes throw, and what streams carry`, async t => {
    const scene = await setScene(t, harness)
    for (const [path, status, error] of [
      ['/before', 500, 'failure before'],
      ['/after', 500, 'failure after'],
      ['/hostile', 500, 'hostile failure'],
      ['/named/x', 400, 'Validation failed (numeric string is expected)'],
      ['/empty', 204, null],
      ['/piped', 200, null],
      ['/sse', 200, null],
    ] as const) {
      const answer = await call(scene, 'GET', path)
      const record = await scene.record(answer.id)
      const thrown = record.error?.thrown
      assert.deepEqual(
        [path, answer.status, record.status, thrown instanceof Error ? thrown.message : thrown],
        [path, status, status, error ?? undefined],
      )
      if (path === '/piped') assert.equal(record.responseLength, 16 * 65_536)
      if (path === '/sse') assert.deepEqual(answer.body.match(/data: \d/g), ['data: 1', 'data: 2', 'data: 3'])
    }
    const wandering = await call(scene, 'GET', '/wander/3')
    assert.equal(wandering.status, 200)
    const spoken = scene.lines.filter(line => / 3$/.test(String(line.message)))
    assert(spoken.length > 5)
    assert(spoken.every(line => line.request_id === wandering.id || line.request_id === 'job-3'))
    const upload = await call(scene, 'POST', '/upload', { body: 'x'.repeat(70_000) })
    assert.deepEqual(JSON.parse(upload.body), { length: 70_000 })
    scene.answerSlow()
    assert.equal((await call(scene, 'GET', '/slow')).status, 200)
  })

  test(`FA-24 FA-25 ${name}: answers in Nest's place`, async t => {
    const scene = await setScene(t, harness, { answers: true })
    const thrown = await call(scene, 'GET', '/throw')
    assert.deepEqual(
      [thrown.status, thrown.headers['content-type'], thrown.body],
      [500, 'text/plain; charset=utf-8', 'Internal Server Error'],
    )
    const invalid = await call(scene, 'POST', '/validated', { body: '{"a":"x"}' })
    assert.deepEqual(
      [invalid.status, invalid.headers['content-type'], JSON.parse(invalid.body)],
      [422, 'application/json; charset=utf-8', { detail: ['a must be an integer number'] }],
    )
    assert.equal((await call(scene, 'POST', '/validated', { body: '{"a":1}' })).status, 200)
    assert.equal((await call(scene, 'GET', '/nowhere')).status, 404)
    assert.equal((await call(scene, 'POST', '/json', { body: '{' })).status, 400)
    scene.failLate()
    const late = await call(scene, 'GET', '/late')
    assert.equal(late.status, 200)
    assert.match(String((await scene.record(late.id, 2)).error?.thrown), /late failure/)
  })

  test(`${name}: attached to the server that listens already, requests have records, without routes or errors`, async t => {
    const scene = await setScene(t, harness, { attach: 'late' })
    const { id } = await call(scene, 'GET', '/throw')
    const { status, route, error } = await scene.record(id)
    assert.deepEqual([status, route, error], [500, null, null])
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

  if (!harness.http2) continue
  test(`FA-17 ${name}: HTTP/2`, async t => {
    const scene = await setScene(t, harness, { http2: true })
    const session = connect(`http://127.0.0.1:${scene.service.port}`)
    for (const [path, status] of [
      ['/orgs/a/items/1', 200],
      ['/throw', 500],
    ] as const) {
      const id = randomUUID()
      const stream = session.request({ ':path': path, 'x-request-id': id })
      stream.resume()
      await once(stream, 'close')
      const record = await scene.record(id)
      assert.deepEqual([record.protocol, record.status], ['2', status])
      assert.equal(record.route, path === '/throw' ? path : '/orgs/:org/items/:item')
    }
    session.close()
    await once(session, 'close')
  })
}
