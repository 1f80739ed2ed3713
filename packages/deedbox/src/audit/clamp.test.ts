import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { createRedactor } from '../safety/index.ts'
import { aRecord } from '../testing/ledger-events.ts'
import { clampPayload, cutText, payloadLimit, type Shed } from './clamp.ts'
import { explicitEvent } from './explicit-event.ts'
import { requestEvent } from './request-event.ts'

const steps = (): readonly Shed[] => [
  { path: ['error', 'body'] },
  { path: ['error', 'text'], keep: 300 },
  { path: ['error', 'text'] },
  { path: ['message'], keep: 500 },
]

/** Texts that are cheap to make and dear to encode: escapes, four-byte characters, lone surrogates. */
const nastyText = fc
  .tuple(fc.string({ unit: 'binary', maxLength: 12 }), fc.integer({ min: 0, max: 900 }))
  .map(([text, times]) => text.repeat(times))
const settings = { service: 's', env: 'e', redactor: createRedactor(), kind: undefined }

test('IF-36 whatever comes, at most the limit, valid JSON, the four survivors there, and the cuts listed', () => {
  fc.assert(
    fc.property(
      nastyText,
      nastyText,
      nastyText,
      nastyText,
      fc.integer({ min: 1_000, max: 14_000 }),
      (message, body, text, other, limit) => {
        const whole = {
          id: 'b54ff1f5-6ef7-4e44-a5b1-3bd2d4f4a3a9',
          kind: 'error',
          message,
          timestamp: '2030-01-01T00:00:00.000001Z',
          error: { body, text },
          other,
        }
        const json = JSON.stringify(whole)
        const clamped = clampPayload(json, steps, limit)
        assert.ok(Buffer.byteLength(clamped) <= limit, `${Buffer.byteLength(clamped)} > ${limit}`)
        if (Buffer.byteLength(json) <= limit) return assert.equal(clamped, json)
        const kept = JSON.parse(clamped) as typeof whole & { truncated: string[] }
        assert.deepEqual(
          [kept.id, kept.kind, kept.timestamp, typeof kept.message],
          [whole.id, whole.kind, whole.timestamp, 'string'],
        )
        assert.ok(kept.truncated.length > 0)
        assert.equal(new Set(kept.truncated).size, kept.truncated.length)
        if (kept.truncated[0] === '*') return
        const touched = (path: string): boolean => kept.truncated.includes(path)
        assert.equal(touched('error.body'), kept.error.body === undefined)
        assert.equal(touched('error.text'), kept.error.text !== JSON.parse(json).error.text)
        assert.equal(kept.other, (JSON.parse(json) as typeof whole).other)
      },
    ),
    { numRuns: 150 },
  )
})

test('IF-36 a request with any path, query, agent, error and body text has at most 12,000 bytes', () => {
  fc.assert(
    fc.property(nastyText, nastyText, nastyText, nastyText, (path, query, userAgent, thrown) => {
      const { payload } = requestEvent(
        aRecord({ path: `/${path}`, query, userAgent, status: 500, error: { thrown: new Error(thrown) } }),
        settings,
      )
      assert.ok(Buffer.byteLength(payload) <= payloadLimit)
      assert.ok(payload.isWellFormed())
      const event = JSON.parse(payload) as Record<string, unknown>
      assert.match(String(event.id), /^[0-9a-f-]{36}$/)
      assert.equal(event.kind, 'error')
      assert.equal(event.timestamp, '2027-01-15T08:00:00.136356Z')
    }),
    { numRuns: 100 },
  )
})

test('IF-36 what identifies is shed last: a 20 kB path keeps the error and the request', () => {
  const { payload } = requestEvent(
    aRecord({ path: `/${'x'.repeat(20_000)}`, query: 'a=1', status: 404, route: null }),
    settings,
  )
  const event = JSON.parse(payload)
  assert.deepEqual(event.truncated, ['request.query_params', 'context.user_agent', 'request.path', 'message'])
  assert.equal(event.error.status_code, 404)
  assert.equal(event.request.request_id, 'req-1')
  assert.equal(event.request.path.length, 1_000)
})

test('IF-36 ruling 20 clamp: true sheds the largest members of an explicit event and says so', () => {
  const settings = { service: 's', env: 'e', redactor: createRedactor(), requestId: () => 'r' }
  const { payload } = explicitEvent(
    'report.made',
    { id: 42, small: 'kept', timestamp: '2030-01-01T00:00:00Z', large: '日'.repeat(5_000) },
    { clamp: true },
    settings,
  )
  assert.deepEqual(JSON.parse(payload), {
    id: 42,
    small: 'kept',
    timestamp: '2030-01-01T00:00:00Z',
    truncated: ['large'],
  })
  const hopeless = explicitEvent('x', { id: 42, message: 'm'.repeat(20_000) }, { clamp: true }, settings)
  const left = JSON.parse(hopeless.payload)
  assert.deepEqual([left.id, left.message, left.truncated], [42, 'm'.repeat(500), ['*']])
})

test('IF-36 texts are cut between characters', () => {
  assert.equal(cutText('aé日😀', 2), 'a')
  assert.equal(cutText('aé日😀', 3), 'aé')
  assert.equal(cutText('aé日😀', 9), 'aé日')
  assert.equal(cutText('aé日😀', 10), 'aé日😀')
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.integer({ min: 0, max: 40 }), (text, bytes) => {
      const cut = cutText(text, bytes)
      assert.ok(text.startsWith(cut) && Buffer.byteLength(cut) <= bytes && cut.isWellFormed())
      const next = [...text][[...cut].length]
      assert.ok(next === undefined || Buffer.byteLength(cut + next) > bytes, 'not a byte too few')
    }),
  )
})
