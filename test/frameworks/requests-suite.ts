import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { test } from 'node:test'
import { deedbox, type RequestRecord } from 'deedbox'
import type { FrameworkHarness } from './harness.ts'
import { http2Call } from './http2-call.ts'
import { call, open, requestText, setScene } from './stage.ts'
import { assertTrace } from './trace.ts'

const succeeded = { status: 200, level: 'INFO', kind: 'success', outcome: 'completed' } as const

/** What is known of a request: its route, its id, its client; and how an instance is attached. */
export function requestsSuite(harness: FrameworkHarness): void {
  const { name } = harness
  idsAndClients(harness)

  test(`IF-06 IF-16 X-15 ${name}: nested routers, and the event named after the route`, async t => {
    const scene = await setScene(t, harness)
    const { id } = await call(scene, 'GET', '/orgs/acme/items/17?x=1')
    await assertTrace(scene, id, succeeded)
    const record = await scene.record(id)
    const template = harness.template?.('/orgs/:org/items/:item') ?? '/orgs/:org/items/:item'
    assert.equal(record.path, '/orgs/acme/items/17')
    assert.equal(record.route, harness.knowsRoutes ? template : null)
    const event = (await scene.events(id))[0]
    assert.equal(event?.meta.event_name, `http.GET.${harness.knowsRoutes ? template : '/orgs/acme/items/17'}`)
    assert.equal(JSON.parse(event?.payload ?? '').request.path, '/orgs/acme/items/17')
  })

  test(`IF-04 ${name}: attached twice, a request still counts once`, async t => {
    const scene = await setScene(t, harness, { attach: 'twice' })
    const { id } = await call(scene, 'GET', '/ok')
    await assertTrace(scene, id, succeeded)
    const failed = await call(scene, 'GET', '/throw')
    assert.equal((await scene.events(failed.id)).length, 1)
  })

  test(`IF-04 ruling 4 ${name}: attached to the running server, requests from then on have records`, async t => {
    const scene = await setScene(t, harness, { attach: 'late' })
    const { id, headers } = await call(scene, 'GET', '/ok')
    await assertTrace(scene, id, succeeded)
    assert.equal(headers['x-request-id'], id)
    const failed = await call(scene, 'GET', '/throw')
    assert.equal((await scene.record(failed.id)).status, 500)
    const named = await call(scene, 'GET', '/named/7')
    assert.equal((await scene.record(named.id)).eventName, 'named.7')
  })

  test(`IF-04 X-17 ${name}: two applications of one process, each with an instance of its own`, async t => {
    const one = await setScene(t, harness)
    const other = await setScene(t, harness)
    const [first, second] = await Promise.all([
      call(one, 'GET', '/named/1'),
      call(other, 'GET', '/named/2', { id: 'second' }),
    ])
    await assertTrace(one, first.id, succeeded)
    await assertTrace(other, second.id, succeeded)
    assert.deepEqual([one.records.length, other.records.length], [1, 1])
  })

  test(`IF-04 X-17 ${name}: a second instance around the first: each has its record, the client one id`, async t => {
    const scene = await setScene(t, harness)
    const records: RequestRecord[] = []
    const other = deedbox({ ledger: null, log: { sink: { write: () => undefined } } })
    t.after(() => other.close())
    other.onRecord(record => records.push(record))
    scene.attach(other)
    const { id, headers } = await call(scene, 'GET', '/throw')
    assert.equal((await scene.record(id)).status, 500)
    while (records.length === 0) await new Promise(setImmediate)
    assert.deepEqual(
      records.map(record => [record.requestId, record.status]),
      [[headers['x-request-id'], 500]],
    )
  })

  if (!harness.http2) return
  test(`FA-17 ${name}: HTTP/2, a request that succeeds, fails, and is cancelled`, async t => {
    const scene = await setScene(t, harness, { http2: true })
    const client = http2Call(t, scene.service.port)
    const ok = await client('/ok', 'h2-ok')
    assert.deepEqual([ok.status, ok.headers['x-request-id']], [200, 'h2-ok'])
    await assertTrace(scene, 'h2-ok', succeeded)
    const [line] = scene.requestLines('h2-ok')
    assert.deepEqual([line?.protocol, line?.response_length], ['2', ok.body.length])
    const failed = await client('/throw', 'h2-throw')
    assert.equal(failed.status, 500)
    await assertTrace(scene, 'h2-throw', {
      status: 500,
      level: 'ERROR',
      kind: 'error',
      outcome: 'completed',
      error: 'sync failure',
    })
    const posted = await client('/unread', 'h2-unread', undefined, 'abc')
    assert.equal(posted.status, 200)
    assert.equal((await scene.record('h2-unread')).body?.state, 'unread')
    const cancelled = client('/hang', 'h2-hang', scene.arrival())
    await cancelled
    await assertTrace(scene, 'h2-hang', { status: 499, level: 'WARNING', kind: 'error', outcome: 'aborted' })
  })
}

function idsAndClients(harness: FrameworkHarness): void {
  const { name } = harness

  test(`IF-09 IF-10 X-01 DF-37 DF-38 ${name}: a valid id of the client is taken over, another one is replaced`, async t => {
    const scene = await setScene(t, harness)
    const taken = await call(scene, 'GET', '/ok', { id: 'my.id/7' })
    assert.equal(taken.headers['x-request-id'], 'my.id/7')
    for (const bad of ['x'.repeat(129), 'with space', 'caf\u00e9', 'y'.repeat(10_240)]) {
      const replaced = await call(scene, 'GET', '/ok', { id: bad })
      const id = replaced.headers['x-request-id'] ?? ''
      assert.match(id, /^[0-9a-f-]{36}$/)
      await assertTrace(scene, id, succeeded)
    }
  })

  test(`IF-09 X-01 ruling 6 ${name}: ids of the client replaced or prefixed by policy; the record keeps both`, async t => {
    const scene = await setScene(t, harness, {
      box: { requestId: { inbound: 'prefix', generator: 'base64url-8', header: 'X-Correlation-Id' } },
    })
    const answer = await call(scene, 'GET', '/ok', { headers: ['x-correlation-id: theirs'] })
    const id = answer.headers['x-correlation-id'] ?? ''
    assert.match(id, /^theirs\.[\w-]{11}$/)
    const { requestId, inboundRequestId } = await scene.record(id)
    assert.deepEqual([requestId, inboundRequestId], [id, 'theirs'])
    assert.equal(answer.headers['x-request-id'], undefined)
  })

  test(`IF-30 ${name}: two requests under one id of the client's are two events`, async t => {
    const scene = await setScene(t, harness)
    await call(scene, 'GET', '/ok', { id: 'same' })
    await call(scene, 'GET', '/ok', { id: 'same' })
    await scene.record('same', 2)
    assert.equal((await scene.events('same')).length, 2)
  })

  test(`IF-13 IF-14 FA-16 FA-21 X-07 ${name}: the client’s address by trust, its headers as sent`, async t => {
    const headers = ['x-forwarded-for: 203.0.113.9, 198.51.100.1', 'referer: /from', 'user-agent: agent/1']
    const distrusting = await setScene(t, harness)
    const { id } = await call(distrusting, 'GET', '/ok', { headers })
    const [line] = distrusting.requestLines((await distrusting.record(id)).requestId)
    assert.match(String(line?.remote_ip), /^127\.0\.0\.1:\d+$/)
    assert.deepEqual([line?.referer, line?.user_agent], ['/from', 'agent/1'])
    assert.match(String(line?.remote_address_chain), /^203\.0\.113\.9, 198\.51\.100\.1, 127\.0\.0\.1$/)
    assert.equal(
      distrusting.lines.filter(line => line.notice === 'forwarding_ignored').length,
      1,
      'said once that the header is not believed',
    )
    const trusting = await setScene(t, harness, { box: { trustProxy: 1 } })
    const believed = await call(trusting, 'GET', '/ok', { headers: [...headers, 'x-forwarded-proto: https'] })
    const record = await trusting.record(believed.id)
    assert.deepEqual([record.client.ip, record.scheme], ['198.51.100.1', 'https'])
    const event = JSON.parse((await trusting.events(believed.id))[0]?.payload ?? '')
    assert.equal(event.context.ip, '198.51.100.1')
  })

  test(`X-02 ruling 7 ${name}: either header can be turned off, and a trace of the caller’s is kept`, async t => {
    const scene = await setScene(t, harness, { box: { requestId: { echo: false }, processedTime: false } })
    const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
    const answer = await call(scene, 'GET', '/ok', {
      headers: [`traceparent: 00-${trace}-00f067aa0ba902b7-01`],
    })
    assert.deepEqual(
      [answer.headers['x-request-id'], answer.headers['x-processed-time']],
      [undefined, undefined],
    )
    assert.equal((await scene.record(answer.id)).trace?.traceId, trace)
    assert.equal(scene.requestLines(answer.id)[0]?.trace_id, trace)
    assert.equal((await scene.events(answer.id))[0]?.meta.trace_id, trace)
  })

  test(`IF-17 ${name}: methods that are left out leave no trace`, async t => {
    const scene = await setScene(t, harness, { box: { skipMethods: ['options'] } })
    const left = randomUUID()
    const socket = await open(scene)
    socket.write(requestText('OPTIONS', '/redirect', left))
    const { id } = await call(scene, 'GET', '/ok')
    await scene.record(id)
    socket.destroy()
    assert.deepEqual(
      (await scene.events(left)).map(event => event.meta.event_name),
      [],
    )
  })
}
