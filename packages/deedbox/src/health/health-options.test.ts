import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConfigurationError } from '../safety/index.ts'
import { type HealthOptions, readHealth } from './health-options.ts'

const read = (options: unknown, environment: Record<string, string> = {}) =>
  readHealth(options as HealthOptions, environment, 'production')

test('DF-09 DF-10 DF-13 ruling 27 defaults', () => {
  const { timeout, deadline, cache, failLevel, failedStatus, details, error, token, ownChecks } = read({})
  assert.deepEqual(
    { timeout, deadline, cache, failLevel, failedStatus, details, error, token, ownChecks },
    {
      timeout: 3_000,
      deadline: 5_000,
      cache: 1_000,
      failLevel: 40,
      failedStatus: 500,
      details: 'authorised',
      error: 'never',
      token: undefined,
      ownChecks: true,
    },
  )
  assert.equal(readHealth({}, {}, 'development').details, 'always')
})

test('DF-09 the failed status by option or variable, text or number', () => {
  const name = 'DOCKERFLOW_HEARTBEAT_FAILED_STATUS_CODE'
  assert.equal(read({}, { [name]: '503' }).failedStatus, 503)
  assert.equal(read({ failedStatus: 502 }, { [name]: '503' }).failedStatus, 502)
  assert.equal(read({ failedStatus: '504' }).failedStatus, 504)
  for (const wrong of ['200', '499', '600', 'five', '503.5'])
    assert.throws(
      () => read({}, { [name]: wrong }),
      new RegExp(`^ConfigurationError: ${name}: a status from 500`),
    )
  assert.throws(() => read({ failedStatus: '' }), /failedStatus: a status from 500 to 599/)
})

test('what is wrong with options is found before the first request, and names no token', () => {
  const secret = 'tö-secret-one'
  const wrong: readonly [unknown, RegExp, Record<string, string>?][] = [
    [null, /^health\(\): /],
    [[], /^health\(\): /],
    [{ timout: 5 }, /^timout: there is no such option\. There are: checks, /],
    [{ checks: 'a' }, /^checks: a list/],
    [{ checks: [() => []] }, /^check: this function has no name/],
    [{ silenced: [5] }, /^silenced: a list of texts/],
    [{ checkModules: 'a' }, /^checkModules: a list of texts/],
    [{ details: 'all' }, /^details: "all" is unknown\. Use always, authorised or never\./],
    [{ error: true }, /^error: a text/],
    [{ failLevel: 'fatal' }, /^failLevel: "fatal" is no level/],
    [{ timeout: 0 }, /^timeout: /],
    [{ deadline: Number.NaN }, /^deadline: /],
    [{ cache: -1 }, /^cache: /],
    [{ failedStatus: true }, /^failedStatus: a status/],
    [{ ownChecks: 'no' }, /^ownChecks: true or false/],
    [{ version: {} }, /^version: a function/],
    [{ error: true }, /^error: a text \(always, authorised or never\) is needed/],
    [{ token: 'short' }, /^health\(\): the token has to be at least 16 /],
    [{}, /^health\(\): DEEDBOX_HEALTH_TOKEN has to be at least 16 /, { DEEDBOX_HEALTH_TOKEN: secret }],
  ]
  for (const [options, problem, environment] of wrong) {
    assert.throws(
      () => read(options, environment),
      (thrown: Error) =>
        thrown instanceof ConfigurationError &&
        problem.test(thrown.message) &&
        !thrown.message.includes(secret),
      String(problem),
    )
  }
})
