import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hostileValues } from '../testing/hostile-values.ts'
import { validationDetail } from './validation-detail.ts'

// The errors of the libraries themselves (Fastify, zod, ajv, NestJS) are thrown in test/frameworks; here are the
// shapes of those that are not installed, and what looks like them and is none.
const issues = [{ path: ['a'], message: 'no number' }]

test('FA-24 the list of a validation error, whichever library threw it', () => {
  const shapes: readonly [string, object][] = [
    ['Fastify', Object.assign(new Error('body/a must be integer'), { validation: issues })],
    ['zod', Object.assign(new Error('[]'), { name: 'ZodError', issues })],
    ['valibot', Object.assign(new Error('Invalid type'), { name: 'ValiError', issues })],
    ['ajv', Object.assign(new Error('validation failed'), { ajv: true, errors: issues })],
    [
      'joi',
      Object.assign(new Error('"a" must be'), { name: 'ValidationError', isJoi: true, details: issues }),
    ],
    ['yup', Object.assign(new Error('a must be'), { name: 'ValidationError', inner: [], errors: issues })],
    ['a NestJS pipe', { status: 400, response: { message: issues, error: 'Bad Request', statusCode: 400 } }],
    [
      'zod, as the cause of an HTTP error',
      Object.assign(new Error('invalid', { cause: { name: 'ZodError', issues } }), { status: 400 }),
    ],
    ['an OpenAPI validator', Object.assign(new Error('invalid'), { status: 400, errors: issues })],
  ]
  for (const [library, thrown] of shapes) assert.equal(validationDetail(thrown), issues, library)
})

test('FA-24 other errors are no validation errors, and reading hostile ones never throws', () => {
  const others = [
    undefined,
    'text',
    new Error('plain'),
    new AggregateError([new Error('a')], 'several'),
    Object.assign(new Error('empty'), { name: 'ZodError', issues: [] }),
    Object.assign(new Error('of a server'), { status: 500, errors: issues }),
    new Error('of a server', { cause: { name: 'ZodError', issues } }),
    { status: 404, response: { message: 'Cannot GET /', statusCode: 404 } },
  ]
  for (const other of others) assert.equal(validationDetail(other), undefined)
  for (const [what, make] of Object.entries(hostileValues))
    assert.doesNotThrow(() => validationDetail(make()), what)
})
