import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type ObserveFastifyOptions, observe } from 'deedbox/fastify'
import { type FastifyApp, type FastifyOptions, scenery, serve } from './fastify.ts'
import { fastify4, fastify4App } from './fastify-4/harness.ts'
import { fastify5, fastify5App } from './fastify-5/harness.ts'
import { call, setScene } from './stage.ts'

/** Where the service sets an error handler of its own. */
type Own = 'nowhere' | 'before' | 'after' | 'inside' | 'passing on'

/** A service that fails in all ways, with Fastify's own logger. */
async function failing(app: FastifyApp, own: Own, attach: () => Promise<unknown>): Promise<FastifyApp> {
  const handle = (target: FastifyApp) =>
    target.setErrorHandler((error: unknown, _request, reply) => {
      reply.code(503).send({ own: error instanceof Error ? error.message : String(error) })
    })
  if (own === 'before') handle(app)
  await attach()
  if (own === 'after') handle(app)
  if (own === 'passing on') {
    app.setErrorHandler((error, _request, reply) => {
      reply.send(error)
    })
  }
  await app.register(async scope => {
    if (own === 'inside') handle(scope)
    scope.get('/throw', () => {
      throw new Error('a failure')
    })
    scope.get('/text', async () => Promise.reject('a text'))
    scope.get('/gone', async () =>
      Promise.reject(Object.assign(new Error('it is gone'), { statusCode: 410 })),
    )
    const body = { type: 'object', properties: { a: { type: 'integer' } }, required: ['a'] }
    scope.post('/validated', { schema: { body } }, async () => ({ ok: true }))
    scope.get('/serialized', (_request, reply) => {
      reply.serializer(() => 'by the serializer').send(new Error('a failure'))
    })
  })
  return app
}

const requests = [
  ['GET', '/throw'],
  ['GET', '/text'],
  ['GET', '/gone'],
  ['POST', '/validated', '{"a":"x"}'],
  ['GET', '/serialized'],
] as const

for (const [harness, create] of [
  [fastify4, fastify4App],
  [fastify5, fastify5App],
] as const) {
  const { name } = harness

  /** What clients and Fastify's logger get of all requests. */
  const outcome = async (
    t: TestContext,
    own: Own,
    observing: ObserveFastifyOptions | undefined,
    options: FastifyOptions = {},
  ) => {
    const logged: string[] = []
    const logger = {
      level: 'warn',
      stream: { write: (line: string) => logged.push(String(JSON.parse(line).msg)) },
    }
    const scene = await scenery(t, harness, async box => {
      const app = create({ ...options, logger })
      return failing(app, own, async () => {
        if (observing !== undefined) await app.register(observe(box, observing))
      })
    })
    const answers: string[] = []
    for (const [method, path, body] of requests) {
      const answer = await call(scene, method, path, body === undefined ? {} : { body })
      answers.push(`${answer.status} ${answer.headers['content-type']} ${answer.body}`)
    }
    return { answers, logged, scene }
  }

  test(`FA-24 FA-25 ${name}: by default answers and Fastify's own log are what they are without us`, async t => {
    for (const own of ['nowhere', 'before', 'after', 'inside', 'passing on'] as const) {
      const without = await outcome(t, own, undefined)
      const observed = await outcome(t, own, {})
      assert.deepEqual(observed.answers, without.answers, own)
      assert.deepEqual(observed.logged, without.logged, own)
      assert.equal(observed.scene.records.length, requests.length)
      assert(observed.scene.records.every(record => record.error !== null))
    }
  })

  test(`FA-24 FA-25 ${name}: told to answer, we do, and Fastify logs no second error`, async t => {
    for (const own of ['nowhere', 'passing on'] as const) {
      const { answers, logged, scene } = await outcome(t, own, { unhandled: 'answer', validation: 'answer' })
      const failure = '500 text/plain; charset=utf-8 Internal Server Error'
      assert.deepEqual([answers[0], answers[4], logged], [failure, failure, []])
      // Sent on by the service's own handler, a text is an answer.
      if (own === 'nowhere') assert.equal(answers[1], failure)
      assert.match(answers[2] ?? '', /^410 .*it is gone/)
      const [, detail] = /^422 application\/json; charset=utf-8 (.*)$/.exec(answers[3] ?? '') ?? []
      const line = scene.lines.find(line => line.message === 'request validation exception')
      assert.deepEqual(JSON.parse(detail ?? ''), { detail: line?.detail })
    }
  })

  test(`FA-25 ${name}: the service's own error handler wins, wherever it is set, and nothing is warned of`, async t => {
    const warnings: Error[] = []
    const warn = (warning: Error) => void warnings.push(warning)
    process.on('warning', warn)
    t.after(() => process.off('warning', warn))
    for (const own of ['before', 'after', 'inside'] as const) {
      const { answers } = await outcome(
        t,
        own,
        { unhandled: 'answer', validation: 'answer' },
        { allowErrorHandlerOverride: false },
      )
      assert.equal(answers[0], '503 application/json; charset=utf-8 {"own":"a failure"}', own)
      assert.equal(answers[1], '503 application/json; charset=utf-8 {"own":"a text"}', own)
      assert.match(answers[3] ?? '', /^503 .*must be integer/)
    }
    assert.deepEqual(warnings, [])
  })

  test(`FA-24 ${name}: told to answer validation errors only, the others stay Fastify's`, async t => {
    const plain = await outcome(t, 'nowhere', undefined)
    const { answers, logged } = await outcome(t, 'nowhere', { validation: 'answer' })
    assert.match(answers[3] ?? '', /^422 /)
    assert.deepEqual(answers.toSpliced(3, 1), plain.answers.toSpliced(3, 1))
    assert.deepEqual(logged, plain.logged)
  })

  test(`FA-25 ${name}: an error after the service wrote to the raw response`, async t => {
    const scene = await scenery(t, harness, async box => {
      const app = create()
      await app.register(observe(box, { unhandled: 'answer' }))
      app.get('/raw', async (_request, reply) => {
        reply.raw.write('first')
        throw new Error('raw failure')
      })
      return app
    })
    const { id } = await call(scene, 'GET', '/raw')
    const { outcome, status, statusSent, error } = await scene.record(id)
    assert.deepEqual([outcome, status, statusSent], ['errored', 500, 200])
    assert.equal(String(error?.thrown), 'Error: raw failure')
  })
}

test('FA-25 Fastify 5: the real error is recorded also where Fastify tries to answer it in vain', async t => {
  const scene = await setScene(t, {
    ...fastify5,
    async start(box) {
      const app = fastify5App()
      await app.register(observe(box))
      app.get('/raw', async (_request, reply) => {
        reply.raw.write('first')
        throw new Error('raw failure')
      })
      return serve(app)
    },
  })
  const { id } = await call(scene, 'GET', '/raw')
  const { status, statusSent, error } = await scene.record(id)
  assert.deepEqual([status, statusSent, String(error?.thrown)], [500, 200, 'Error: raw failure'])
})
