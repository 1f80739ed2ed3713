import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { Server } from 'node:http'
import { test } from 'node:test'
import type { FrameworkHarness } from './harness.ts'
import { call, open, requestText, setScene } from './stage.ts'
import { assertTrace } from './trace.ts'

const aborted = { status: 499, level: 'WARNING', kind: 'error', outcome: 'aborted' } as const

/** Streams, aborts, and errors that come when the answer has begun or ended. */
export function lifecycleSuite(harness: FrameworkHarness): void {
  const { name } = harness

  test(`FA-23 ${name}: a client that leaves before the response`, async t => {
    const scene = await setScene(t, harness)
    const id = randomUUID()
    const socket = await open(scene)
    socket.write(requestText('GET', '/hang', id))
    await scene.arrival()
    socket.destroy()
    await assertTrace(scene, id, aborted)
    assert.equal((await scene.record(id)).statusSent, null)
  })

  test(`FA-23 ${name}: a client that leaves, and a handler that answers all the same`, async t => {
    const scene = await setScene(t, harness)
    const id = randomUUID()
    const socket = await open(scene)
    socket.write(requestText('GET', '/slow', id))
    await scene.arrival()
    socket.destroy()
    await scene.record(id)
    scene.answerSlow()
    const next = await call(scene, 'GET', '/ok')
    assert.equal(next.status, 200, 'the service lives')
    await assertTrace(scene, id, aborted)
  })

  test(`FA-23 ${name}: a client that leaves after the response is no abort`, async t => {
    const scene = await setScene(t, harness)
    const id = randomUUID()
    const socket = await open(scene)
    socket.write(requestText('GET', '/ok', id))
    await once(socket, 'data')
    socket.destroy()
    await assertTrace(scene, id, { status: 200, level: 'INFO', kind: 'success', outcome: 'completed' })
  })

  test(`FA-23 ${name}: an upload that breaks off`, async t => {
    const scene = await setScene(t, harness)
    const id = randomUUID()
    const socket = await open(scene)
    socket.write(
      requestText('POST', '/upload', id, ['content-type: application/octet-stream', 'content-length: 1000']),
    )
    socket.write('half')
    await scene.arrival()
    socket.destroy()
    await assertTrace(scene, id, aborted)
    assert.equal((await scene.record(id)).body?.state, 'incomplete')
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
    await assertTrace(scene, id, aborted)
    const { statusSent, responseLength } = await scene.record(id)
    assert.deepEqual([statusSent, responseLength], [200, 5])
  })

  test(`FA-19 FA-20 ${name}: streams and server-sent events count their bytes and last until their end`, async t => {
    const scene = await setScene(t, harness)
    const piped = await call(scene, 'GET', '/piped')
    assert.deepEqual([piped.status, piped.body.length], [200, 16 * 65_536])
    await assertTrace(scene, piped.id, { status: 200, level: 'INFO', kind: 'success', outcome: 'completed' })
    assert.equal((await scene.record(piped.id)).responseLength, 16 * 65_536)
    const sse = await call(scene, 'GET', '/sse', { headers: ['accept: text/event-stream'] })
    assert.match(sse.headers['content-type'] ?? '', /^text\/event-stream/)
    assert.deepEqual(
      [...sse.body.matchAll(/^data: ?(\d)$/gm)].map(found => found[1]),
      ['1', '2', '3'],
    )
    await assertTrace(scene, sse.id, { status: 200, level: 'INFO', kind: 'success', outcome: 'completed' })
    const record = await scene.record(sse.id)
    assert.equal(record.responseLength, sse.body.length)
    assert(record.ttfb !== null && record.ttfb < record.elapsed)
    const empty = await call(scene, 'GET', '/empty')
    assert.equal(empty.status, 204)
    assert.equal((await scene.record(empty.id)).responseLength, 0)
  })

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

  test(`ruling 5 IF-17 ${name}: upgrades and malformed requests, which no middleware sees`, async t => {
    const scene = await setScene(t, harness)
    // Adapters that reach their server have done this already; then it counts once.
    scene.attach(scene.box)
    const server = scene.service.server as Server
    server.on('upgrade', (request, socket) => {
      if (request.url === '/socket') socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n')
      else socket.destroy()
    })
    const id = randomUUID()
    const upgrading = await open(scene)
    upgrading.resume()
    upgrading.write(requestText('GET', '/socket', id, ['upgrade: echo', 'connection: upgrade']))
    await assertTrace(scene, id, { status: 101, level: 'INFO', kind: 'info', outcome: 'completed' })
    upgrading.destroy()
    const malformed = await open(scene)
    malformed.resume()
    malformed.write('NONSENSE\r\n\r\n')
    const record = await scene.recordOf(({ eventName }) => eventName === 'http.malformed')
    assert.deepEqual([record.status, record.outcome], [400, 'completed'])
    await scene.box.flush()
    assert.equal(scene.requestLines(record.requestId).length, 1)
    malformed.destroy()
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
