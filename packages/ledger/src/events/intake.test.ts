import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type EventInput, type EventMeta, limits, prepareEvent } from './index.ts'

const meta: EventMeta = { type: 'info', event_name: 'order.paid', service: 'shop' }

function codeOf(input: unknown): string {
  try {
    prepareEvent(input as EventInput)
    return 'accepted'
  } catch (error) {
    return (error as { code: string }).code
  }
}

test('IF-26 meta is split into its committed parts, in canonical form, and nothing of it is lost', () => {
  const event = prepareEvent({
    payload: 'x',
    meta: { zebra: [1, { b: 2, a: 1 }], ...meta, env: 'test', request_id: 'r' },
  })
  assert.equal(event.core, '{"env":"test","event_name":"order.paid","service":"shop","type":"info"}')
  assert.equal(event.context, '{"request_id":"r","zebra":[1,{"a":1,"b":2}]}')
  assert.equal(event.columns.event_name, 'order.paid')
  assert.equal(event.columns.request_id, 'r')
  assert.equal(event.columns.actor_id, null)
})

test('IF-27 the payload is a string and is never parsed', () => {
  assert.equal(codeOf({ payload: 'not { json', meta }), 'accepted')
  assert.equal(codeOf({ payload: '', meta }), 'accepted')
  for (const payload of [{ a: 1 }, 1, null, undefined, ['x']])
    assert.equal(codeOf({ payload, meta }), 'invalid_payload')
})

test('each required and each typed member of meta is checked', () => {
  for (const name of ['type', 'event_name', 'service']) {
    assert.equal(codeOf({ payload: 'x', meta: { ...meta, [name]: undefined } }), 'invalid_meta', name)
  }
  const bad: Record<string, unknown>[] = [
    { type: 'fatal' },
    { event_name: '' },
    { service: 7 },
    { immutable_trail: 'a:b' },
    { immutable_trail: ' a' },
    { immutable_trail: 'x'.repeat(257) },
    { occurred_at: 'yesterday' },
    { actor: { name: 'no id' } },
    { targets: [{}] },
    { changes: [{ before: 1 }] },
    { producer: { id: 'p', seq: -1 } },
    { producer: { id: 'p' } },
  ]
  for (const more of bad)
    assert.equal(codeOf({ payload: 'x', meta: { ...meta, ...more } }), 'invalid_meta', JSON.stringify(more))
  const good: Record<string, unknown>[] = [
    { event_name: 'http.GET./a/b%2F?/日本' },
    { immutable_trail: 'order 17' },
    { occurred_at: '2026-11-20T18:00:00.123456+01:00' },
    { actor: { type: 'user', id: 'u_1', extra: true } },
    { producer: { id: 'p', seq: 0 } },
    { anything: { else: [null, 1.5, 'x'] } },
  ]
  for (const more of good)
    assert.equal(codeOf({ payload: 'x', meta: { ...meta, ...more } }), 'accepted', JSON.stringify(more))
})

test('the limits hold to the byte, counted in UTF-8', () => {
  assert.equal(codeOf({ payload: 'x'.repeat(limits.payloadBytes), meta }), 'accepted')
  assert.equal(codeOf({ payload: 'x'.repeat(limits.payloadBytes + 1), meta }), 'payload_too_large')
  assert.equal(codeOf({ payload: '€'.repeat(limits.payloadBytes / 3), meta }), 'accepted')
  assert.equal(codeOf({ payload: `${'€'.repeat(limits.payloadBytes / 3)}xx`, meta }), 'payload_too_large')
  assert.equal(
    codeOf({ payload: 'x', meta: { ...meta, note: 'x'.repeat(limits.metaBytes) } }),
    'meta_too_large',
  )
  assert.equal(codeOf({ payload: 'x'.repeat(12_288), meta }), 'accepted')
})

test('text that UTF-8 or PostgreSQL cannot carry is refused in-process as over HTTP', () => {
  assert.equal(codeOf({ payload: '\ud800', meta }), 'invalid_text')
  assert.equal(codeOf({ payload: 'a\0b', meta }), 'invalid_text')
  assert.equal(codeOf({ payload: 'x', meta: { ...meta, note: 'a\0b' } }), 'invalid_text')
  assert.equal(codeOf({ payload: 'x', meta: { ...meta, note: { 'a\0b': 1 } } }), 'invalid_text')
  assert.equal(codeOf({ payload: 'x', meta: { ...meta, note: '\\u0000' } }), 'accepted')
  assert.equal(codeOf({ payload: 'x', meta: { ...meta, note: '\udfff' } }), 'invalid_meta')
  assert.equal(codeOf({ payload: 'x', meta: { ...meta, note: Number.NaN } }), 'invalid_meta')
})

test('idempotency keys are any text of a sane length', () => {
  assert.equal(codeOf({ payload: 'x', meta, idempotencyKey: 'a/b%20 日本' }), 'accepted')
  assert.equal(codeOf({ payload: 'x', meta, idempotencyKey: '' }), 'invalid_idempotency_key')
  assert.equal(
    codeOf({ payload: 'x', meta, idempotencyKey: 'k'.repeat(limits.idempotencyKeyBytes + 1) }),
    'invalid_idempotency_key',
  )
})
