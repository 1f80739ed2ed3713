import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildMessage, clampPayload, getSeverityLevel, hashBody, severityFrom } from './index.ts'

test('IF-18 the kind of each status, with and without an exception', () => {
  for (let status = 100; status < 600; status++) {
    const kind = status >= 400 ? 'error' : status >= 200 && status < 300 ? 'success' : 'info'
    assert.equal(severityFrom(status), kind)
    assert.equal(severityFrom(status, new Error('x')), 'error')
  }
  assert.deepEqual(
    [severityFrom(null), severityFrom(undefined), severityFrom(null, 'x')],
    ['info', 'info', 'error'],
  )
})

test('IF-19 the severity of each kind', () => {
  const kinds = ['error', 'warning', 'info', 'success'] as const
  assert.deepEqual(kinds.map(getSeverityLevel), ['high', 'medium', 'low', 'low'])
})

test('IF-20 the four sentences', () => {
  const request = { method: 'GET', path: '/a', statusCode: 500 }
  assert.deepEqual(
    [
      buildMessage({ ...request, kind: 'error', thrown: new RangeError('x') }),
      buildMessage({ ...request, kind: 'error' }),
      buildMessage({ ...request, kind: 'success' }),
      buildMessage({ ...request, kind: 'info' }),
    ],
    [
      'GET /a failed with exception: RangeError',
      'GET /a returned error 500',
      'GET /a completed successfully',
      'GET /a processed',
    ],
  )
})

test('IF-22 the hash of bytes and of a text', () => {
  const known = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'
  assert.deepEqual([hashBody('abc'), hashBody(Buffer.from('abc'))], [known, known])
})

/** The original's clamp, whose third step is not measured, and which marks nothing. */
function originalClamp(payload: Record<string, unknown>): string {
  const whole = JSON.stringify(payload)
  if (Buffer.byteLength(whole) <= 12_000) return whole
  const { error: _error, request_body: _body, ...rest } = payload
  const less = JSON.stringify(rest)
  if (Buffer.byteLength(less) <= 12_000) return less
  const { id, kind, message, timestamp } = payload
  return JSON.stringify({ id, kind, message: String(message || 'event').slice(0, 500), timestamp })
}

test('IF-36 at most the limit for anything, sheds in order and says what; the original does not', () => {
  const small = { id: '1', kind: 'info', message: 'm', timestamp: 't' }
  const check = (clamp: typeof originalClamp): void => {
    assert.equal(clamp(small), JSON.stringify(small))
    const body = { ...small, error: { request_body: 'x'.repeat(13_000), exception: 'E' } }
    assert.deepEqual(JSON.parse(clamp(body)), {
      ...small,
      error: { exception: 'E' },
      truncated: ['error.request_body'],
    })
    const path = { ...small, request: { method: 'GET', path: '/日'.repeat(9_000) } }
    assert.equal(JSON.parse(clamp(path)).request.method, 'GET')
    const endless = { ...small, id: '日'.repeat(9_000), blob: 'x'.repeat(20_000) }
    assert.ok(Buffer.byteLength(clamp(endless)) <= 12_000)
  }
  check(payload => clampPayload(payload))
  assert.throws(() => check(originalClamp), assert.AssertionError)
})
