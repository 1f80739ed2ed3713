import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hostileValues } from '../testing/hostile-values.ts'
import { errorMessage, errorName, errorTrace } from './error-text.ts'

test('IF-22 an error is named by its own name, else by its class', () => {
  class PaymentError extends Error {}
  class Named extends Error {
    override name = 'CardDeclined'
  }
  assert.equal(errorName(new PaymentError('x')), 'PaymentError')
  assert.equal(errorName(new Named('x')), 'CardDeclined')
  assert.equal(errorName(new TypeError('x')), 'TypeError')
  assert.equal(errorName(new Error('x')), 'Error')
  assert.equal(errorName({ message: 'like an error' }), 'Error')
  assert.deepEqual([null, undefined, 'text', 5].map(errorName), ['null', 'undefined', 'string', 'number'])
  assert.equal(errorMessage('text'), 'text')
  assert.equal(errorMessage(undefined), 'undefined')
  assert.equal(errorMessage(new Error('')), '')
})

test('FA-27 a traceback tells causes and members of an aggregate, and ends', () => {
  const trace = errorTrace(
    new AggregateError([new TypeError('first'), new RangeError('second')], 'both', {
      cause: new Error('root'),
    }),
  )
  const heads = trace.split('\n').filter(line => !line.startsWith('    at '))
  assert.deepEqual(heads, [
    'AggregateError: both',
    'One of: TypeError: first',
    'One of: RangeError: second',
    'Caused by: Error: root',
  ])
  const circular = new Error('again')
  circular.cause = circular
  assert.equal(errorTrace(circular).match(/Caused by: Error: again/g)?.length, 5)
  assert.equal(
    errorTrace(Object.assign(new Error('x'), { errors: ['a.b is required'] })).includes('One of'),
    false,
  )
})

test('FA-07 FA-25 whatever is thrown can be told', () => {
  for (const [what, make] of Object.entries(hostileValues)) {
    for (const thrown of [make(), Object.assign(new Error('x'), { errors: make(), cause: make() })]) {
      for (const tell of [errorName, errorMessage, errorTrace]) {
        assert.equal(typeof tell(thrown), 'string', `${tell.name} of ${what}`)
      }
    }
  }
  fc.assert(
    fc.property(fc.anything(), thrown => {
      assert.equal(typeof errorTrace(thrown), 'string')
      assert.equal(typeof errorName(thrown), 'string')
    }),
  )
})
