import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { test } from 'node:test'
import type { FrameworkHarness } from './harness.ts'
import { call, open, setScene } from './stage.ts'
import { assertTrace } from './trace.ts'

/** What nobody should send or throw: one valid line, no crash, an unbroken response. */
export function badInputSuite(harness: FrameworkHarness): void {
  const { name } = harness

  test(`IF-31 ${name}: a path in another script, and one that is no UTF-8`, async t => {
    const scene = await setScene(t, harness)
    const script = await call(scene, 'GET', '/%E6%97%A5%E6%9C%AC')
    await assertTrace(scene, script.id, { status: 404, level: 'INFO', kind: 'error', outcome: 'completed' })
    const invalid = await call(scene, 'GET', '/orgs/%c0%ae/items/1')
    assert.equal(invalid.status, harness.answers.invalidUrl)
    const record = await scene.record(invalid.id)
    assert.deepEqual([record.status, record.path], [invalid.status, '/orgs/%c0%ae/items/1'])
    assert.equal(scene.requestLines(invalid.id).length, 1)
    assert.equal((await scene.events(invalid.id)).length, 1)
  })

  test(`IF-09 ${name}: an id that would begin a header of its own never reaches the response`, async t => {
    const scene = await setScene(t, harness)
    const socket = await open(scene)
    socket.write(
      'GET /ok HTTP/1.1\r\nhost: x\r\nx-request-id: a\tb\r\nx-forwarded-for: "<script>"\r\n' +
        'user-agent: caf\u00e9\tau lait\r\nconnection: close\r\n\r\n',
      'latin1',
    )
    let text = ''
    socket.on('data', data => {
      text += data
    })
    await once(socket, 'close')
    assert.match(text, /^HTTP\/1\.1 200/)
    const [record] = scene.records
    assert.match(record?.requestId ?? '', /^[0-9a-f-]{36}$/)
    assert.equal(record?.inboundRequestId, null)
  })

  test(`FA-08 IF-35 ${name}: getters that throw and causes in a circle: valid lines, the framework’s answer`, async t => {
    const scene = await setScene(t, harness)
    const answer = await call(scene, 'GET', '/hostile')
    assert.equal(answer.status, 500)
    await assertTrace(scene, answer.id, {
      status: 500,
      level: 'ERROR',
      kind: 'error',
      outcome: 'completed',
      error: 'hostile failure',
    })
    const values = scene.lines.find(line => line.message === 'hostile values')
    assert.equal(values?.request_id, answer.id)
    assert.match(JSON.stringify(values), /the getter throws/)
  })

  test(`FA-18 IF-15 ${name}: secrets in query, headers and body reach no sink`, async t => {
    const scene = await setScene(t, harness, { box: { includeBody: true } })
    const secret = `s3cr3t-${randomUUID()}`
    const answer = await call(scene, 'POST', `/validated?token=${secret}&a=1&a=2`, {
      body: JSON.stringify({ a: 'x', password: secret }),
      headers: [
        `authorization: Bearer ${secret}`,
        `cookie: sid=${secret}`,
        `referer: /from?api_key=${secret}`,
      ],
    })
    assert.equal(answer.status, harness.answers.invalidBody)
    const events = await scene.events(answer.id)
    assert.equal(events.length, 1)
    assert(!JSON.stringify([scene.lines, events]).includes(secret))
    assert.deepEqual(JSON.parse(events[0]?.payload ?? '').request.query_params, {
      token: '[redacted]',
      a: ['1', '2'],
    })
  })
}
