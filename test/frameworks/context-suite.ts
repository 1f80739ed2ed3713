import assert from 'node:assert/strict'
import { createHash, randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { test } from 'node:test'
import type { FrameworkHarness } from './harness.ts'
import { call, open, requestText, setScene } from './stage.ts'
import { ways } from './stage-ways.ts'

/** What belongs to a request: its id on every line, wherever the work goes, and the body that it brought. */
export function contextSuite(harness: FrameworkHarness): void {
  const { name } = harness

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

  test(`FA-14 ${name}: 500 interleaved requests through timers, streams, emitters, a queue, a worker, a job`, async t => {
    const scene = await setScene(t, harness, { box: { audit: { requests: false } } })
    const numbers = Array.from({ length: 500 }, (_, n) => n)
    await Promise.all(numbers.map(n => call(scene, 'GET', `/wander/${n}`, { id: `w-${n}` })))
    await scene.box.flush()
    const expected = numbers.flatMap(n =>
      ways.map(way => `${way} ${n} ${way === 'job' ? `job-${n}` : `w-${n}`}`),
    )
    const spoken = scene.lines
      .filter(line => ways.some(way => new RegExp(`^${way} \\d+$`).test(String(line.message))))
      .map(line => `${line.message} ${line.request_id}`)
    assert.deepEqual(spoken.sort(), expected.sort())
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

  test(`FA-14 IF-12 ${name}: an upload of a megabyte keeps its request and has its hash`, async t => {
    const scene = await setScene(t, harness)
    const id = randomUUID()
    const bytes = Buffer.alloc(1_048_576, 'ledger')
    const socket = await open(scene)
    socket.write(
      requestText('POST', '/upload', id, [
        'connection: close',
        'content-type: application/octet-stream',
        `content-length: ${bytes.length}`,
      ]),
    )
    socket.write(bytes)
    socket.resume()
    await once(socket, 'close')
    const { body, status } = await scene.record(id)
    assert.deepEqual([status, body?.state, body?.length], [200, 'read', bytes.length])
    assert.equal(body?.hash, createHash('sha256').update(bytes).digest('hex'))
    assert.deepEqual(
      scene.lines.filter(line => line.message === 'upload read').map(line => line.request_id),
      [id],
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
    assert.equal(scene.requestLines(unread.id)[0]?.request_body_unread, true)
  })
}
