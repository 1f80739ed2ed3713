import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { observe } from '../frameworks/node-http.ts'
import { assertEvent, captureLog, clampPayload, hashBody, kindOf, memoryLedger, severityOf } from './index.ts'

test('sample 3, IF-18 IF-19 kind and severity are a table', () => {
  const kinds = ([200, 302, 404, 500, null] as const).map(status => kindOf(status, false))
  assert.deepEqual(kinds, ['success', 'info', 'error', 'error', 'info'])
  assert.equal(kindOf(200, true), 'error')
  const severities = (['error', 'warning', 'info', 'success'] as const).map(severityOf)
  assert.deepEqual(severities, ['high', 'medium', 'low', 'low'])
})

test('sample 3, IF-36 a payload is clamped to its bytes, and says what was cut', () => {
  const small = { id: '1', kind: 'error' }
  assert.deepEqual(clampPayload(small), small)
  const large = {
    ...small,
    message: 'm',
    timestamp: 't',
    error: { request_body: '日'.repeat(4_000), status_code: 500 },
  }
  assert.deepEqual(clampPayload(large), {
    ...large,
    error: { status_code: 500 },
    truncated: ['error.request_body'],
  })
  const hopeless = { ...large, own: 'x'.repeat(12_000) }
  assert.deepEqual(Object.keys(clampPayload(hopeless)), ['id', 'kind', 'message', 'timestamp', 'truncated'])
  assert.ok(Buffer.byteLength(JSON.stringify(clampPayload(hopeless, 1_000))) <= 1_000)
})

test('sample 3, IF-25 a body has the hash that its event carries', async t => {
  const ledger = memoryLedger()
  const { box } = captureLog({ ledger, audit: { requests: true } })
  const handler = observe(box)(async (request, response) => void response.end(await text(request)))
  const server = createServer(handler).listen(0, '127.0.0.1')
  t.after(() => server.close())
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const body = 'naïve 日本'
  const headers = { connection: 'close' }
  await (await fetch(`http://127.0.0.1:${port}/`, { method: 'POST', body, headers })).text()
  await ledger.received(1)
  assertEvent(ledger, { payload: { request: { request_body_hash: hashBody(body) } } })
  assert.equal(hashBody(Buffer.from(body)), hashBody(body))
  await box.close()
})
