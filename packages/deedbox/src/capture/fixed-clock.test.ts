import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { observe } from '../frameworks/node-http.ts'
import { uuid4, uuid7, wallMicroseconds } from '../request/index.ts'
import { captureLog, memoryLedger, useFixedClock, useFixedIds } from './index.ts'

test('FA-36 with clock and ids fixed, two runs of a request write the same lines and store the same events', async t => {
  const run = async () => {
    const clock = useFixedClock('2026-01-01T00:00:00Z')
    const ids = useFixedIds()
    t.after(() => [clock(), ids()])
    const ledger = memoryLedger()
    const { box, texts, lines, recorded } = captureLog({ ledger, audit: { requests: true } })
    const handler = observe(box)((_request, response) => {
      clock.advance(12.5)
      box.log.info('charging')
      response.end('ok')
    })
    const server = createServer(handler).listen(0, '127.0.0.1')
    t.after(() => server.close())
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    const response = await fetch(`http://127.0.0.1:${port}/orders`, { headers: { connection: 'close' } })
    await response.text()
    await recorded(1)
    const parsed = await lines()
    await box.send('order.paid', { order: 7 })
    const events = await ledger.received(2)
    await box.close()
    clock()
    ids()
    const masked = (text: string) =>
      text.replaceAll(String(port), 'port').replaceAll(/127\.0\.0\.1:\d+/g, 'client')
    const stored = events.map(event => ({ ...event, text: masked(event.text), payload: null }))
    return { texts: texts.map(masked), parsed, stored, id: response.headers.get('x-request-id') }
  }
  const first = await run()
  const second = await run()
  assert.deepEqual({ ...second, parsed: null }, { ...first, parsed: null })
  assert.equal(first.id, 'id-1')
  const [charging, request] = first.parsed
  assert.equal(charging?.timestamp, '2026-01-01T00:00:00.012500+00:00')
  assert.deepEqual([request?.request_id, request?.elapsed], ['id-1', 0.0125])
  const [automatic, explicit] = first.stored
  assert.match(automatic?.text ?? '', /"id":"00000000-0000-4000-8000-\d{12}"/)
  assert.match(automatic?.text ?? '', /"timestamp":"2026-01-01T00:00:00.012500Z"/)
  assert.match(automatic?.idempotencyKey ?? '', /^00000000-0000-7000-8000-\d{12}$/)
  assert.match(explicit?.text ?? '', /"timestamp":"2026-01-01T00:00:00.012500Z"/)
  assert.equal(explicit?.at, '2026-01-01T00:00:00.012Z')
})

test('a fixed clock moves when it is told to, and is gone once it is disposed of', () => {
  const clock = useFixedClock(1000)
  assert.equal(wallMicroseconds(), 1_000_000)
  clock.advance(0.25)
  assert.deepEqual([clock.now(), wallMicroseconds()], [1000.25, 1_000_250])
  assert.throws(() => useFixedClock(), /fixed already/)
  clock[Symbol.dispose]()
  clock()
  assert.ok(wallMicroseconds() / 1000 >= Date.now() - 60_000)
  const next = useFixedClock(new Date(0))
  assert.equal(wallMicroseconds(), 0)
  clock()
  assert.equal(wallMicroseconds(), 0, 'a clock that is over ends no other')
  next()
  assert.throws(() => useFixedClock('noon'), RangeError)
})

test('fixed ids count by their version, and are random again once they are disposed of', () => {
  const ids = useFixedIds()
  assert.deepEqual(
    [uuid4(), uuid7(), uuid4()],
    [
      '00000000-0000-4000-8000-000000000001',
      '00000000-0000-7000-8000-000000000001',
      '00000000-0000-4000-8000-000000000002',
    ],
  )
  assert.throws(useFixedIds, /fixed already/)
  ids()
  assert.notEqual(uuid4(), uuid4())
})

test('FA-13 request ids of every generator are counted, but not those of the service', async t => {
  const ids = useFixedIds()
  t.after(ids)
  for (const [generator, expected] of [
    ['uuid4', 'id-1'],
    ['uuid7', 'id-2'],
    ['base64url-8', 'id-3'],
    [() => 'own', 'own'],
  ] as const) {
    const { box } = captureLog({ requestId: { generator } })
    let id: string | undefined
    await box.run({ name: 'job' }, async () => {
      id = box.current()?.requestId
    })
    assert.equal(id, expected)
    await box.close()
  }
})
