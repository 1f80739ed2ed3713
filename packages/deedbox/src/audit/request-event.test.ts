import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import type { BodyFacts, JobRecord, RequestRecord } from '../request/index.ts'
import { createRedactor } from '../safety/index.ts'
import { aRecord } from '../testing/ledger-events.ts'
import { jobEvent, type RequestEventSettings, requestEvent } from './request-event.ts'

const settings: RequestEventSettings = {
  service: 'payments',
  env: 'testing',
  redactor: createRedactor(),
  kind: undefined,
}

function payloadOf(
  changes: Partial<RequestRecord>,
  more: Partial<RequestEventSettings> = {},
): Record<string, unknown> & { id: string; error: Record<string, unknown> } {
  return JSON.parse(requestEvent(aRecord(changes), { ...settings, ...more }).payload)
}

function aBody(changes: Partial<BodyFacts>): BodyFacts {
  return { state: 'read', length: 3, hash: null, bytes: null, contentType: 'application/json', ...changes }
}

test('IF-21 IF-23 IF-26 the payload and meta of a success, member by member', () => {
  const record = aRecord({ query: 'q=a%20b&q=2&token=abcdef', elapsed: 0.0129 })
  const event = requestEvent(record, settings)
  const { id, ...payload } = JSON.parse(event.payload) as Record<string, unknown>
  assert.match(String(id), /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  assert.deepEqual(payload, {
    kind: 'success',
    message: 'GET /orders/7 completed successfully',
    timestamp: '2027-01-15T08:00:00.136356Z',
    context: { ip: '192.0.2.7', user_agent: 'agent/1' },
    request: {
      request_id: 'req-1',
      method: 'GET',
      path: '/orders/7',
      route: '/orders/:id',
      query_params: { q: ['a b', '2'], token: '[redacted]' },
    },
    metrics: { latency_ms: 12, status_code: 200 },
    severity: 'low',
    success: { status_code: 200, result: 'ok' },
  })
  assert.deepEqual(event.meta, {
    type: 'success',
    event_name: 'http.GET./orders/:id',
    service: 'payments',
    request_id: 'req-1',
    env: 'testing',
  })
  assert.equal(event.requestId, 'req-1')
})

test('IF-21 IF-30 each event has an id and a key of its own', () => {
  const events = Array.from({ length: 100 }, () => requestEvent(aRecord(), settings))
  assert.equal(new Set(events.map(({ payload }) => JSON.parse(payload).id)).size, 100)
  assert.equal(new Set(events.map(({ idempotencyKey }) => idempotencyKey)).size, 100)
})

test('IF-23 result is "ok" for 200 only, "processed" for other 2xx', () => {
  for (const [status, result] of [
    [200, 'ok'],
    [201, 'processed'],
    [204, 'processed'],
    [299, 'processed'],
  ] as const)
    assert.deepEqual(payloadOf({ status }).success, { status_code: status, result })
})

test('IF-24 the info block holds the lower-case method', () => {
  const payload = payloadOf({ status: 302, method: 'DELETE' })
  assert.deepEqual(payload.info, { status_code: 302, action: 'delete' })
  assert.equal(payload.kind, 'info')
  assert.equal(payload.success, undefined)
})

test('IF-22 IF-20 the error block of a 4xx, of an exception, and of a 4xx with its exception', () => {
  assert.deepEqual(payloadOf({ status: 404 }).error, { status_code: 404, retryable: false })
  class PaymentFailed extends Error {}
  const failed = payloadOf({ status: 503, error: { thrown: new PaymentFailed('card refused') } })
  assert.deepEqual(failed.error, {
    status_code: 503,
    retryable: true,
    exception: 'PaymentFailed',
    exception_message: 'card refused',
  })
  assert.equal(failed.message, 'GET /orders/7 failed with exception: PaymentFailed')
  assert.equal(failed.severity, 'high')
})

test('IF-18 an error that the service answered below 400 is no failure; a late one is', () => {
  const thrown = { thrown: new Error('handled') }
  assert.equal(payloadOf({ status: 200, error: thrown }).kind, 'success')
  const late = payloadOf({ status: 200, error: thrown, late: true })
  assert.deepEqual([late.kind, late.error.late, late.error.exception], ['error', true, 'Error'])
})

test('IF-22 anything can be thrown', () => {
  const circular: Record<string, unknown> = {}
  circular.self = circular
  const unreadable = new Proxy(new Error(), {
    get() {
      throw new Error('no')
    },
  })
  for (const thrown of [undefined, null, 0, 'text', Symbol('s'), circular, unreadable, () => {}, '\ud800']) {
    const { error } = payloadOf({ status: 500, error: { thrown } })
    assert.equal(typeof error.exception, 'string')
    assert.equal(typeof error.exception_message, 'string')
  }
})

test('IF-22 IF-25 the hash is of the original bytes, the text is redacted', () => {
  const bytes = Buffer.from('{"user":"u","password":"hunter22","n":1}')
  const hash = createHash('sha256').update(bytes).digest('hex')
  const { payload } = requestEvent(
    aRecord({ status: 400, body: aBody({ hash, bytes, length: bytes.length }) }),
    settings,
  )
  assert.ok(!payload.includes('hunter22'))
  const { error } = JSON.parse(payload)
  assert.equal(error.request_body_hash, hash)
  assert.deepEqual(JSON.parse(error.request_body), { user: 'u', password: '[redacted]', n: 1 })
})

test('IF-25 bodies of forms are redacted by key, of text by pattern, of other types left out', () => {
  const text = (contentType: string, body: string): unknown =>
    payloadOf({ status: 400, body: aBody({ bytes: Buffer.from(body), contentType }) }).error.request_body
  assert.equal(
    text('application/x-www-form-urlencoded; charset=utf-8', 'a=1&password=x1'),
    'a=1&password=[redacted]',
  )
  assert.equal(text('text/plain', 'password: hunter22 end'), 'password: [redacted] end')
  assert.equal(text('application/json', '{"broken": "password=hunter22"'), '{"broken": "password=[redacted]"')
  assert.equal(text('multipart/form-data; boundary=x', '--x'), undefined)
  assert.equal(text('application/octet-stream', 'x'), undefined)
})

test('IF-22 invalid UTF-8 in a body is replaced', () => {
  const bytes = Buffer.from([0x61, 0xff, 0x62])
  assert.equal(
    payloadOf({ status: 400, body: aBody({ bytes, contentType: 'text/plain' }) }).error.request_body,
    'a\ufffdb',
  )
})

test('IF-12 ruling 17 the hash stands under request when nothing failed; an unread body says so', () => {
  const read = payloadOf({ body: aBody({ hash: 'ab'.repeat(32) }) })
  assert.equal((read.request as Record<string, unknown>).request_body_hash, 'ab'.repeat(32))
  assert.deepEqual(payloadOf({ status: 401, body: aBody({ state: 'unread' }) }).error, {
    status_code: 401,
    retryable: false,
    request_body_unread: true,
  })
})

test('IF-19 ruling 18 a rule makes 429 a warning: medium, with a block like the error block', () => {
  const kind = ({ status }: RequestRecord): 'warning' | undefined => (status === 429 ? 'warning' : undefined)
  const payload = payloadOf({ status: 429 }, { kind })
  assert.deepEqual([payload.kind, payload.severity], ['warning', 'medium'])
  assert.deepEqual(payload.warning, { status_code: 429, retryable: true })
  assert.equal(payloadOf({ status: 404 }, { kind }).kind, 'error')
})

test('IF-26 the trace id of the caller stands in meta; an event name is cut to 256 bytes', () => {
  const trace = { traceId: 'a'.repeat(32), parentId: 'b'.repeat(16), sampled: true, spanId: null }
  const { meta } = requestEvent(aRecord({ trace, eventName: '日'.repeat(200) }), settings)
  assert.equal(meta.trace_id, trace.traceId)
  assert.equal(meta.event_name, '日'.repeat(85))
})

test('IF-22 an aborted request says so', () => {
  const { error } = payloadOf({ status: 499, outcome: 'aborted', statusSent: null })
  assert.deepEqual(error, { status_code: 499, retryable: false, aborted: true })
})

test('ruling 5 the event of a job, done and failed', () => {
  const job: JobRecord & { eventName: string } = {
    schema: 1,
    job: 'nightly',
    requestId: 'job-1',
    startedAt: 1_800_000_000_000_000,
    elapsed: 1.5,
    error: null,
    eventName: 'report.made',
    eventDetails: null,
    values: {},
  }
  const { id, ...done } = JSON.parse(jobEvent(job, settings).payload)
  assert.match(id, /^[0-9a-f-]{36}$/)
  assert.deepEqual(done, {
    kind: 'info',
    message: 'nightly executed',
    timestamp: '2027-01-15T08:00:01.500000Z',
    job: { name: 'nightly', request_id: 'job-1' },
    metrics: { latency_ms: 1_500 },
    severity: 'low',
  })
  const failed = jobEvent({ ...job, error: { thrown: new RangeError('password=hunter22') } }, settings)
  assert.deepEqual(JSON.parse(failed.payload).error, {
    exception: 'RangeError',
    exception_message: 'password=[redacted]',
    retryable: false,
  })
  assert.deepEqual(
    [failed.meta.type, failed.meta.event_name, failed.requestId],
    ['error', 'report.made', 'job-1'],
  )
})
