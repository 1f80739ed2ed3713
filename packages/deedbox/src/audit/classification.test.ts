import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isRetryable, kindOf, messageOf, severityOf } from './classification.ts'

test('IF-18 IF-19 kind and severity of every status from 100 to 599 and of none, with and without exception', () => {
  const wrong: string[] = []
  for (const status of [null, ...Array.from({ length: 500 }, (_, i) => 100 + i)]) {
    let expected = 'info'
    if (status !== null && status >= 200 && status <= 299) expected = 'success'
    if (status !== null && status >= 400) expected = 'error'
    if (kindOf(status, false) !== expected) wrong.push(`${status}: ${kindOf(status, false)}`)
    if (kindOf(status, true) !== 'error') wrong.push(`${status} with exception: ${kindOf(status, true)}`)
    if (severityOf(kindOf(status, false)) !== (expected === 'error' ? 'high' : 'low')) {
      wrong.push(`severity of ${status}`)
    }
  }
  assert.deepEqual(wrong, [])
})

test('IF-19 severity of the four kinds', () => {
  assert.deepEqual(
    (['error', 'warning', 'info', 'success'] as const).map(kind => severityOf(kind)),
    ['high', 'medium', 'low', 'low'],
  )
})

test('IF-20 the four messages', () => {
  const said = (kind: 'error' | 'success' | 'info' | 'warning', exception?: string): string =>
    messageOf({ method: 'PUT', path: '/a/b', kind, status: 418, exception })
  assert.equal(said('error', 'TypeError'), 'PUT /a/b failed with exception: TypeError')
  assert.equal(said('error'), 'PUT /a/b returned error 418')
  assert.equal(said('success'), 'PUT /a/b completed successfully')
  assert.equal(said('info'), 'PUT /a/b processed')
  assert.equal(said('warning'), 'PUT /a/b processed')
})

test('IF-22 exactly 408, 429, 500, 502, 503 and 504 are retryable', () => {
  const retryable = Array.from({ length: 500 }, (_, i) => 100 + i).filter(isRetryable)
  assert.deepEqual(retryable, [408, 429, 500, 502, 503, 504])
})
