import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { FrameworkHarness } from './harness.ts'
import { call, setScene } from './stage.ts'
import { assertTrace } from './trace.ts'

/** What came of a request: its answer, or the error that happened before, in, behind or after its handler. */
export function outcomesSuite(harness: FrameworkHarness): void {
  const { name, answers } = harness

  test(`IF-05 IF-11 FA-01 FA-15 FA-20 FA-22 X-02 X-05 X-06 X-16 ${name}: a request that succeeds`, async t => {
    const scene = await setScene(t, harness)
    const answer = await call(scene, 'GET', '/ok?a=1')
    assert.deepEqual([answer.status, answer.body.includes('"ok":true')], [200, true])
    assert.equal(answer.headers['x-request-id'], answer.id)
    assert.match(answer.headers['x-processed-time'] ?? '', /^\d+\.\d+$/)
    await assertTrace(scene, answer.id, { status: 200, level: 'INFO', kind: 'success', outcome: 'completed' })
    const [line] = scene.requestLines(answer.id)
    assert.deepEqual([line?.message, line?.method, line?.path_with_query], ['log request', 'GET', '/ok?a=1'])
    assert.deepEqual(
      [line?.schema, line?.protocol, line?.referer, line?.user_agent],
      ['http', '1.1', '-', '-'],
    )
    assert.equal(line?.response_length, answer.body.length)
    const { ttfb, elapsed } = await scene.record(answer.id)
    assert(ttfb !== null && ttfb <= elapsed)
    assert.equal(Number(answer.headers['x-processed-time']), ttfb, 'ruling 7')
    const event = JSON.parse((await scene.events(answer.id))[0]?.payload ?? '')
    assert.equal(line?.elapsed, elapsed)
    assert.equal(event.metrics.latency_ms, Math.floor(elapsed * 1000), 'one duration, each sink in its unit')
    assert.equal(
      String(line?.timestamp).replace('+00:00', 'Z'),
      event.timestamp,
      'one instant, rendered by each sink',
    )
  })

  for (const [path, error, how] of [
    ['/throw', 'sync failure', 'in a handler that throws'],
    ['/reject', 'async failure', 'in a handler that rejects'],
    ['/throw-text', 'not an Error', 'that is no Error'],
    ['/before', 'failure before', 'ahead of the handler'],
    ['/after', 'failure after', 'behind the handler'],
  ] as const) {
    test(`IF-29 FA-25 DF-40 X-12 ${name}: an error ${how}: one line, one event, the real error`, async t => {
      const scene = await setScene(t, harness)
      const answer = await call(scene, 'GET', path)
      assert.equal(answer.status, 500)
      assert.equal(answer.headers['x-request-id'], answer.id)
      assert.match(answer.headers['x-processed-time'] ?? '', /^\d+\.\d+$/)
      await assertTrace(scene, answer.id, {
        status: 500,
        level: 'ERROR',
        kind: 'error',
        outcome: 'completed',
        error,
      })
      assert.equal(scene.requestLines(answer.id)[0]?.message, 'Unhandled exception')
    })
  }

  test(`IF-17 DF-41 X-08 ${name}: a path that nobody serves`, async t => {
    const scene = await setScene(t, harness)
    const answer = await call(scene, 'GET', '/nowhere')
    assert.equal(answer.status, 404)
    await assertTrace(scene, answer.id, { status: 404, level: 'INFO', kind: 'error', outcome: 'completed' })
    assert.equal((await scene.events(answer.id))[0]?.meta.event_name, 'http.GET./nowhere')
  })

  test(`FA-24 ${name}: malformed JSON`, async t => {
    const scene = await setScene(t, harness)
    const answer = await call(scene, 'POST', '/json', { body: '{"password":"hunter2",' })
    assert.equal(answer.status, answers.malformedJson.status)
    await assertTrace(scene, answer.id, {
      status: answers.malformedJson.status,
      level: answers.malformedJson.status >= 500 ? 'ERROR' : 'INFO',
      kind: 'error',
      outcome: 'completed',
      ...(answers.malformedJson.hasError ? { error: /JSON/ } : {}),
    })
    assert(!JSON.stringify(scene.lines).includes('hunter2'))
  })

  test(`FA-24 ${name}: a body that fails validation: two lines in order, the framework’s own list`, async t => {
    const scene = await setScene(t, harness)
    const answer = await call(scene, 'POST', '/validated', { body: '{"a":"x"}' })
    assert.equal(answer.status, answers.invalidBody)
    const lines = scene.lines.filter(line => line.request_id === answer.id)
    assert.deepEqual(
      lines.map(line => [line.level, line.message]),
      [
        ['INFO', 'request validation exception'],
        ['INFO', 'log request'],
      ],
    )
    assert.deepEqual([lines[0]?.method, lines[0]?.path_with_query], ['POST', '/validated'])
    const detail = lines[0]?.detail
    assert(Array.isArray(detail) && detail.length > 0)
    assert.match(JSON.stringify(detail), /\ba\b/, 'says which member')
    const good = await call(scene, 'POST', '/validated', { body: '{"a":1}' })
    assert.equal(good.status, 200)
    assert.equal(scene.lines.filter(line => line.request_id === good.id).length, 1)
  })

  test(`IF-17 FA-19 ${name}: HEAD, OPTIONS, redirects and methods that nobody serves`, async t => {
    const scene = await setScene(t, harness)
    const redirect = await call(scene, 'GET', '/redirect')
    assert.equal(redirect.status, 302)
    await assertTrace(scene, redirect.id, { status: 302, level: 'INFO', kind: 'info', outcome: 'completed' })
    const head = await call(scene, 'HEAD', '/ok')
    assert.deepEqual([head.status, head.body], [200, ''])
    assert.equal((await scene.record(head.id)).responseLength, 0)
    for (const [method, path, status] of [
      ['PUT', '/ok', answers.methodNotAllowed],
      ['OPTIONS', '/ok', answers.options],
      ['DELETE', '/nowhere', undefined],
    ] as const) {
      const odd = await call(scene, method, path)
      if (status !== undefined) assert.equal(odd.status, status, `${method} ${path}`)
      assert.equal((await scene.record(odd.id)).status, odd.status)
      assert.equal((await scene.events(odd.id)).length, 1, `${method} ${path}`)
    }
    assert.equal((await scene.events(head.id)).length, 1)
  })

  test(`IF-07 IF-08 X-10 ${name}: a skipped path leaves neither line nor event, and its exception one error line`, async t => {
    const scene = await setScene(t, harness)
    const healthy = await call(scene, 'GET', '/health')
    assert.equal(healthy.status, 200)
    const sick = await call(scene, 'GET', '/healthz')
    assert.equal(sick.status, 500)
    await scene.record(sick.id)
    assert.deepEqual(await scene.events(healthy.id), [])
    assert.deepEqual(await scene.events(sick.id), [])
    assert.deepEqual(scene.requestLines(healthy.id), [])
    assert.deepEqual(
      scene.requestLines(sick.id).map(line => line.level),
      ['ERROR'],
    )
  })
}
