import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { test } from 'node:test'
import type { FrameworkHarness } from './harness.ts'
import { call, open, requestText, type Scene, setScene } from './stage.ts'

/** What one request must have left behind: one record, one line, one event, and they agree. */
interface Trace {
  status: number
  level: 'INFO' | 'WARNING' | 'ERROR'
  kind: 'success' | 'info' | 'error'
  outcome: 'completed' | 'aborted' | 'errored'
  /** The message of the real error; absent: there was none. */
  error?: string | RegExp
}

async function assertTrace(scene: Scene, id: string, expected: Trace): Promise<void> {
  const record = await scene.record(id)
  const events = await scene.events(id)
  const lines = scene.requestLines(id)
  assert.equal(scene.records.filter(record => record.requestId === id).length, 1, 'one record')
  assert.equal(lines.length, 1, 'one request line')
  assert.equal(events.length, 1, 'one audit event')
  assert.deepEqual([record.status, record.outcome], [expected.status, expected.outcome])
  const [line] = lines
  assert.deepEqual([line?.status_code, line?.level], [expected.status, expected.level])
  assert.equal(line?.aborted, expected.outcome === 'aborted' ? true : undefined)
  const payload = JSON.parse(events[0]?.payload ?? '')
  assert.equal(events[0]?.meta.type, expected.kind)
  assert.deepEqual([payload.kind, payload.request.request_id], [expected.kind, id])
  if (expected.error === undefined) return
  const thrown = record.error?.thrown
  const message = thrown instanceof Error ? thrown.message : String(thrown)
  if (typeof expected.error === 'string') assert.equal(message, expected.error)
  else assert.match(message, expected.error)
  if (expected.status >= 500)
    assert.match(String(line?.exception), new RegExp(message), 'the real error stands on the line')
  assert.equal(payload.error.exception_message, message, 'the real error stands in the event')
}

/** Runs the suite against one framework. */
export function frameworkConformance(harness: FrameworkHarness): void {
  const { name } = harness
  sixScenarios(harness)
  routesAndContext(harness)
  edges(harness)

  test(`IF-04 ${name}: attached twice, a request still counts once`, async t => {
    const scene = await setScene(t, harness, { attach: 'twice' })
    const { id } = await call(scene, 'GET', '/ok')
    await assertTrace(scene, id, { status: 200, level: 'INFO', kind: 'success', outcome: 'completed' })
  })
}

function sixScenarios(harness: FrameworkHarness): void {
  const { name } = harness

  test(`IF-05 FA-15 FA-22 ${name}: a request that succeeds`, async t => {
    const scene = await setScene(t, harness)
    const answer = await call(scene, 'GET', '/ok?a=1')
    assert.deepEqual([answer.status, answer.body.includes('"ok":true')], [200, true])
    assert.equal(answer.headers['x-request-id'], answer.id)
    assert.match(answer.headers['x-processed-time'] ?? '', /^\d+\.\d+$/)
    await assertTrace(scene, answer.id, { status: 200, level: 'INFO', kind: 'success', outcome: 'completed' })
    const [line] = scene.requestLines(answer.id)
    assert.deepEqual([line?.message, line?.method, line?.path_with_query], ['log request', 'GET', '/ok?a=1'])
    assert.equal(line?.response_length, 11)
    const { ttfb, elapsed } = await scene.record(answer.id)
    assert(ttfb !== null && ttfb <= elapsed)
  })

  for (const [path, error, how] of [
    ['/throw', 'sync failure', 'throws'],
    ['/reject', 'async failure', 'rejects'],
    ['/throw-text', 'not an Error', 'throws something that is no Error'],
  ] as const) {
    test(`IF-29 FA-25 ${name}: a handler that ${how}: one line, one event, the real error`, async t => {
      const scene = await setScene(t, harness)
      const answer = await call(scene, 'GET', path)
      assert.equal(answer.status, 500)
      assert.equal(answer.headers['x-request-id'], answer.id)
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

  test(`FA-23 ${name}: a client that leaves before the response`, async t => {
    const scene = await setScene(t, harness)
    const id = randomUUID()
    const socket = await open(scene)
    socket.write(requestText('GET', '/hang', id))
    await scene.arrival()
    socket.destroy()
    await assertTrace(scene, id, { status: 499, level: 'WARNING', kind: 'error', outcome: 'aborted' })
    assert.equal((await scene.record(id)).statusSent, null)
  })

  test(`IF-17 DF-41 ${name}: a path that nobody serves`, async t => {
    const scene = await setScene(t, harness)
    const answer = await call(scene, 'GET', '/nowhere')
    assert.equal(answer.status, 404)
    await assertTrace(scene, answer.id, { status: 404, level: 'INFO', kind: 'error', outcome: 'completed' })
    assert.equal((await scene.events(answer.id))[0]?.meta.event_name, 'http.GET./nowhere')
  })

  test(`FA-24 ${name}: malformed JSON`, async t => {
    const scene = await setScene(t, harness)
    const answer = await call(scene, 'POST', '/json', { body: '{"password":"hunter2",' })
    assert.equal(answer.status, 400)
    const error = harness.answers.malformedJson.hasError ? { error: /JSON/ } : {}
    await assertTrace(scene, answer.id, {
      status: 400,
      level: 'INFO',
      kind: 'error',
      outcome: 'completed',
      ...error,
    })
    assert(!JSON.stringify(scene.lines).includes('hunter2'))
  })

  test(`FA-19 FA-20 FA-23 ${name}: a client that leaves in the middle of a stream`, async t => {
    const scene = await setScene(t, harness)
    const id = randomUUID()
    const socket = await open(scene)
    let text = ''
    socket.on('data', data => {
      text += data
    })
    socket.write(requestText('GET', '/stream', id))
    await scene.arrival()
    while (!text.includes('first')) await once(socket, 'data')
    socket.destroy()
    await assertTrace(scene, id, { status: 499, level: 'WARNING', kind: 'error', outcome: 'aborted' })
    const { statusSent, responseLength } = await scene.record(id)
    assert.deepEqual([statusSent, responseLength], [200, 5])
  })
}

function routesAndContext(harness: FrameworkHarness): void {
  const { name } = harness

  test(`IF-06 IF-16 ${name}: nested routers, and the event named after the route`, async t => {
    const scene = await setScene(t, harness)
    const { id } = await call(scene, 'GET', '/orgs/acme/items/17?x=1')
    await assertTrace(scene, id, { status: 200, level: 'INFO', kind: 'success', outcome: 'completed' })
    const record = await scene.record(id)
    const template = '/orgs/:org/items/:item'
    assert.equal(record.path, '/orgs/acme/items/17')
    assert.equal(record.route, harness.knowsRoutes ? template : null)
    const event = (await scene.events(id))[0]
    assert.equal(event?.meta.event_name, `http.GET.${harness.knowsRoutes ? template : '/orgs/acme/items/17'}`)
    assert.equal(JSON.parse(event?.payload ?? '').request.path, '/orgs/acme/items/17')
  })

  test(`IF-16 FA-14 ${name}: 200 requests at once, each with its own name, values and lines; nothing crosses`, async t => {
    const scene = await setScene(t, harness)
    const answers = await Promise.all(
      Array.from({ length: 200 }, (_, n) => call(scene, 'GET', `/named/${n}`, { id: `id-${n}` })),
    )
    for (const [n, answer] of answers.entries()) {
      assert.match(answer.body, new RegExp(`"n":${n}[,}]`))
      const record = await scene.record(`id-${n}`)
      assert.deepEqual([record.eventName, record.values.n], [`named.${n}`, n])
      const spoken = scene.lines.filter(line => line.message === `in ${n}`)
      assert.deepEqual(
        spoken.map(line => line.request_id),
        [`id-${n}`],
      )
      assert.deepEqual(
        (await scene.events(`id-${n}`)).map(event => event.meta.event_name),
        [`named.${n}`],
      )
    }
    assert.equal(scene.box.requestId, undefined, 'outside there is no request')
  })

  test(`FA-14 ${name}: the context holds in listeners of the request, and the body is hashed as it passes`, async t => {
    const scene = await setScene(t, harness)
    const id = randomUUID()
    const body = JSON.stringify({ text: 'zwölf Boxkämpfer'.repeat(500) })
    const socket = await open(scene)
    const bytes = Buffer.from(requestText('POST', '/listen', id, ['connection: close'], body))
    // In two pieces, so that the body arrives in a turn of the loop of its own.
    socket.write(bytes.subarray(0, 300))
    await new Promise(setImmediate)
    socket.write(bytes.subarray(300))
    socket.resume()
    await once(socket, 'close')
    const record = await scene.record(id)
    assert.equal(scene.endListeners, 1)
    assert.deepEqual(
      scene.lines.filter(line => line.message === 'body read').map(line => line.request_id),
      [id],
    )
    assert.deepEqual(
      [record.body?.state, record.body?.length, record.body?.hash],
      ['read', Buffer.byteLength(body), createHash('sha256').update(body).digest('hex')],
    )
  })

  test(`IF-12 ${name}: a parsed body reaches the handler unchanged; one that nobody reads has no hash`, async t => {
    const scene = await setScene(t, harness)
    const body = '{"a":[1,2,{"b":"ü"}]}'
    const parsed = await call(scene, 'POST', '/json', { body })
    assert.deepEqual(JSON.parse(Buffer.from(parsed.body, 'latin1').toString()), JSON.parse(body))
    assert.equal((await scene.record(parsed.id)).body?.hash, createHash('sha256').update(body).digest('hex'))
    const unread = await call(scene, 'POST', '/unread', { body })
    assert.equal(unread.status, 200)
    const { body: facts } = await scene.record(unread.id)
    assert.deepEqual([facts?.state, facts?.hash], ['unread', null])
  })
}

function edges(harness: FrameworkHarness): void {
  const { name } = harness

  test(`FA-25 ${name}: an error after the headers were sent`, async t => {
    const scene = await setScene(t, harness)
    const { id } = await call(scene, 'GET', '/broken-stream')
    await assertTrace(scene, id, {
      status: 500,
      level: 'ERROR',
      kind: 'error',
      outcome: 'errored',
      error: 'stream failure',
    })
    assert.equal((await scene.record(id)).statusSent, 200)
  })

  test(`FA-25 ${name}: an error after the response has ended is a second record of the same request`, async t => {
    const scene = await setScene(t, harness)
    const answer = await call(scene, 'GET', '/late')
    assert.equal(answer.status, 200)
    const first = await scene.record(answer.id)
    assert.deepEqual([first.status, first.late, first.error], [200, false, null])
    scene.failLate()
    const second = await scene.record(answer.id, 2)
    assert.equal(second.late, true)
    assert.match(String(second.error?.thrown), /late failure/)
    const events = await scene.events(answer.id)
    assert.deepEqual(
      events.map(event => event.meta.type),
      ['success', 'error'],
    )
  })

  test(`IF-17 FA-19 ${name}: HEAD, redirects and methods that nobody serves are recorded like any other`, async t => {
    const scene = await setScene(t, harness)
    const redirect = await call(scene, 'GET', '/redirect')
    assert.equal(redirect.status, 302)
    await assertTrace(scene, redirect.id, { status: 302, level: 'INFO', kind: 'info', outcome: 'completed' })
    const head = await call(scene, 'HEAD', '/ok')
    assert.deepEqual([head.status, head.body], [200, ''])
    assert.equal((await scene.record(head.id)).responseLength, 0)
    assert.equal((await scene.events(head.id)).length, 1)
    const odd = await call(scene, 'DELETE', '/nowhere')
    assert.equal(odd.status, 404)
    assert.equal((await scene.events(odd.id)).length, 1)
  })

  test(`IF-09 IF-10 X-01 ${name}: a valid id of the client is taken over, another one is replaced`, async t => {
    const scene = await setScene(t, harness)
    const taken = await call(scene, 'GET', '/ok', { id: 'my.id/7' })
    assert.equal(taken.headers['x-request-id'], 'my.id/7')
    for (const bad of ['x'.repeat(129), 'with space', 'caf\u00e9']) {
      const replaced = await call(scene, 'GET', '/ok', { id: bad })
      const id = replaced.headers['x-request-id'] ?? ''
      assert.match(id, /^[0-9a-f-]{36}$/)
      await assertTrace(scene, id, { status: 200, level: 'INFO', kind: 'success', outcome: 'completed' })
    }
  })

  test(`IF-30 ${name}: two requests under one id of the client's are two events`, async t => {
    const scene = await setScene(t, harness)
    await call(scene, 'GET', '/ok', { id: 'same' })
    await call(scene, 'GET', '/ok', { id: 'same' })
    await scene.record('same', 2)
    assert.equal((await scene.events('same')).length, 2)
  })

  test(`IF-07 IF-08 ${name}: a skipped path leaves neither line nor event, and its exception one error line`, async t => {
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

  test(`IF-31 ${name}: a path in another script arrives`, async t => {
    const scene = await setScene(t, harness)
    const { id } = await call(scene, 'GET', '/%E6%97%A5%E6%9C%AC')
    await assertTrace(scene, id, { status: 404, level: 'INFO', kind: 'error', outcome: 'completed' })
  })

  test(`${name}: keep-alive with pipelining: each request has its own record`, async t => {
    const scene = await setScene(t, harness)
    const socket = await open(scene)
    const ids = Array.from({ length: 20 }, (_, i) => `pipe-${i}`)
    socket.write(ids.map((id, i) => requestText('GET', `/named/${i}`, id)).join(''))
    for (const [i, id] of ids.entries()) {
      const record = await scene.record(id)
      assert.deepEqual([record.eventName, record.status, record.outcome], [`named.${i}`, 200, 'completed'])
    }
    socket.destroy()
  })
}
