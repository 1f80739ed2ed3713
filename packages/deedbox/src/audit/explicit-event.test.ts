import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRedactor } from '../safety/index.ts'
import { type ExplicitEventSettings, explicitEvent, type SendOptions } from './explicit-event.ts'
import { SendError, type SendErrorCode } from './send-error.ts'

const settings: ExplicitEventSettings = {
  service: 'payments',
  env: 'testing',
  redactor: createRedactor(),
  requestId: () => 'own-id',
}

const refusedAs =
  (code: SendErrorCode, about: RegExp) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof SendError)
    assert.equal(error.code, code)
    assert.match(error.message, about)
    return true
  }

test("IP-03 defaults: kind info, the instance's service and environment, a request id, a key", () => {
  const event = explicitEvent('order.paid', { amount: 5 }, {}, settings)
  assert.deepEqual(event.meta, {
    type: 'info',
    event_name: 'order.paid',
    service: 'payments',
    request_id: 'own-id',
    env: 'testing',
  })
  assert.match(event.idempotencyKey, /^[0-9a-f]{8}-[0-9a-f]{4}-7/)
  assert.notEqual(event.idempotencyKey, explicitEvent('order.paid', {}, {}, settings).idempotencyKey)
})

test('IP-03 IP-17 options win, for all four kinds; meta members cannot displace the five', () => {
  for (const kind of ['success', 'info', 'warning', 'error'] as const) {
    const event = explicitEvent(
      'x',
      {},
      {
        kind,
        service: 's',
        env: 'e',
        requestId: 'r',
        idempotencyKey: 'k',
        meta: { type: 'y', actor: { id: 'u' } },
      },
      settings,
    )
    const meta = { actor: { id: 'u' }, type: kind, event_name: 'x', service: 's', request_id: 'r', env: 'e' }
    assert.deepEqual({ ...event.meta }, meta)
    assert.deepEqual([event.idempotencyKey, event.requestId], ['k', 'r'])
  }
})

test("IP-04 a valid timestamp of the caller's is kept, another is replaced", () => {
  const stamp = (payload: object): string =>
    JSON.parse(explicitEvent('x', payload as Record<string, unknown>, {}, settings).payload).timestamp
  assert.equal(stamp({ timestamp: '2020-02-29T12:00:00+02:00' }), '2020-02-29T12:00:00+02:00')
  for (const payload of [
    {},
    { timestamp: 'yesterday' },
    { timestamp: 5 },
    { timestamp: null },
    { timestamp: '' },
  ])
    assert.match(stamp(payload), /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
})

test('IP-04 the caller’s object is not changed', () => {
  const payload = Object.freeze({ a: Object.freeze({ password: 'hunter22' }) })
  const event = explicitEvent('x', payload, {}, settings)
  assert.equal(JSON.parse(event.payload).a.password, '[redacted]')
  assert.deepEqual(payload, { a: { password: 'hunter22' } })
})

test('IP-04 a text is sent as it is, secrets blanked', () => {
  assert.equal(explicitEvent('x', 'plain — 日本', {}, settings).payload, 'plain — 日本')
  assert.equal(explicitEvent('x', 'password=hunter22', {}, settings).payload, 'password=[redacted]')
})

test('IP-04 ruling 20 nothing is cut silently: 65,536 bytes pass, one more is refused with both numbers', () => {
  assert.equal(explicitEvent('x', 'a'.repeat(65_536), {}, settings).payload.length, 65_536)
  assert.throws(
    () => explicitEvent('x', 'a'.repeat(65_537), {}, settings),
    refusedAs('payload_too_large', /payload may have 65536 bytes; it has 65537/),
  )
  const frame = Buffer.byteLength(JSON.stringify({ timestamp: '2020-01-01T00:00:00Z', a: '' }))
  const sized = (bytes: number): Record<string, unknown> => ({
    timestamp: '2020-01-01T00:00:00Z',
    a: 'b'.repeat(bytes - frame),
  })
  assert.equal(explicitEvent('x', sized(65_536), {}, settings).payload.length, 65_536)
  assert.throws(
    () => explicitEvent('x', sized(65_537), {}, settings),
    refusedAs('payload_too_large', /it has 65537.*clamp: true/),
  )
})

test('IP-04 ruling 20 nothing is lost in depth or in number: too deep is refused, many members are not', () => {
  let deep: Record<string, unknown> = { end: true }
  for (let i = 0; i < 120; i++) deep = { deep }
  assert.throws(() => explicitEvent('x', deep, {}, settings), refusedAs('payload_too_large', /nested deeper/))
  const many = Array.from({ length: 5_000 }, (_, i) => i)
  assert.equal(JSON.parse(explicitEvent('x', { many }, {}, settings).payload).many.length, 5_000)
})

test('IP-04 meta over 16 KiB is refused', () => {
  const options = { meta: { reason: 'r'.repeat(16_400) } }
  assert.throws(
    () => explicitEvent('x', {}, options, settings),
    refusedAs('payload_too_large', /meta may have 16384/),
  )
})

test('IP-03 what cannot be sent is refused by name', () => {
  const bad: [unknown, unknown, object, RegExp][] = [
    ['', {}, {}, /event name/],
    ['  ', {}, {}, /event name/],
    [undefined, {}, {}, /event name/],
    ['x', undefined, {}, /payload/],
    ['x', null, {}, /payload/],
    ['x', [1], {}, /payload/],
    ['x', 5, {}, /payload/],
    ['x', {}, { kind: 'fatal' }, /kind/],
    ['x', {}, { idempotencyKey: '' }, /idempotencyKey/],
    ['x', {}, { idempotencyKey: 'a b' }, /idempotencyKey/],
    ['x', {}, { idempotencyKey: 'a'.repeat(256) }, /idempotencyKey/],
    ['x', {}, { idempotencyKey: 5 }, /idempotencyKey/],
    ['x', {}, { requestId: '' }, /requestId/],
    ['x', {}, { requestId: {} }, /requestId/],
    ['x', {}, { timeout: Number.NaN }, /timeout/],
    ['x', {}, { timeout: 0 }, /timeout/],
    ['x', {}, { timeout: Number.POSITIVE_INFINITY }, /timeout/],
  ]
  for (const [name, payload, options, about] of bad) {
    assert.throws(
      () => explicitEvent(name as string, payload as string, options as SendOptions, settings),
      refusedAs('invalid_event', about),
      `${String(about)} ${JSON.stringify(options)}`,
    )
  }
})

test('IP-03 text that no JSON reader accepts is made well-formed', () => {
  const event = explicitEvent('n\ud800', { 'k\ud800': 'v\udfff' }, { meta: { reason: '\ud800' } }, settings)
  assert.ok(JSON.stringify(event).isWellFormed())
  assert.ok(!/\\ud[89a-f]/i.test(JSON.stringify(event.meta) + event.payload))
  assert.equal(explicitEvent('x', 'a\ud800', {}, settings).payload, 'a\ufffd')
})
