import assert from 'node:assert/strict'
import { test } from 'node:test'
import { captureLog } from '../capture/index.ts'
import { checks, deedbox } from '../index.ts'
import { ConfigurationError } from '../safety/index.ts'
import { check, toCheck } from './check.ts'
import { warning } from './check-message.ts'
import { createRegistry } from './registry.ts'

function storageReachable() {
  return [warning('slow')]
}

test('DF-16 a check is registered under its function’s name, or another; a list of them keeps its order', () => {
  const registry = createRegistry()
  registry.register(storageReachable)
  registry.register('mail', () => [])
  registry.register(check(async function search() {}))
  registry.register(
    check('queue', () => undefined, { timeout: 50 }),
    { readiness: false },
  )
  assert.deepEqual(registry.names, ['storageReachable', 'mail', 'search', 'queue'])
  const { name, timeout, readiness } = registry.checks[3] ?? {}
  assert.deepEqual({ name, timeout, readiness }, { name: 'queue', timeout: 50, readiness: false })
})

test('DF-16 a name that is taken is an error, unless it is to be replaced; a check can be taken away', () => {
  const registry = createRegistry()
  const remove = registry.register('a', () => [])
  assert.throws(
    () => registry.register('a', storageReachable),
    (thrown: Error) =>
      thrown instanceof ConfigurationError && /there is a check named "a"/.test(thrown.message),
  )
  const removeOther = registry.register('a', storageReachable, { replace: true })
  assert.equal(registry.checks[0]?.run, storageReachable)
  // It is another's by now.
  remove()
  assert.deepEqual(registry.names, ['a'])
  removeOther()
  assert.deepEqual(registry.names, [])
})

test('DF-16 what is no check is found when it is registered', () => {
  const registry = createRegistry()
  const wrong: (() => unknown)[] = [
    () => registry.register(() => []),
    () => registry.register('a', undefined as never),
    () => registry.register(undefined as never),
    () => registry.register({ name: ' ', run: () => [] }),
    () => registry.register({ name: 'a' } as never),
    () => registry.register('a', () => [], { timeout: 0 }),
    () =>
      registry.register(
        check('a', () => []),
        { timeout: Number.NaN },
      ),
    () => registry.register('a', () => [], { readiness: 'no' as never }),
    () => check('', () => []),
    () => toCheck('a'),
  ]
  for (const attempt of wrong) assert.throws(attempt, ConfigurationError)
  assert.deepEqual(registry.names, [])
})

test('DF-17 arguments are bound by a closure', async () => {
  const bigEnough = (least: number) => () => (least > 5 ? [warning(`${least} is too much`)] : [])
  const registry = createRegistry()
  registry.register('five', bigEnough(5))
  registry.register('six', bigEnough(6))
  const signal = AbortSignal.timeout(1_000)
  const found = await Promise.all(registry.checks.map(each => each.run(signal)))
  assert.deepEqual(
    found.map(messages => messages?.length),
    [0, 1],
  )
})

test('DF-18 X-17 each instance has checks of its own; the free registry is that of the default one', async () => {
  assert.throws(() => checks.register('early', () => []), /Call deedbox\(\) before/)
  assert.deepEqual([checks.names, checks.checks], [[], []])
  const first = captureLog()
  const second = captureLog()
  checks.register(storageReachable)
  second.box.checks.register('mail', () => [])
  assert.deepEqual([first.box.checks.names, second.box.checks.names], [['storageReachable'], ['mail']])
  assert.deepEqual(checks.checks, first.box.checks.checks)
  second.box.run({ name: 'job' }, () => assert.deepEqual(checks.names, ['mail']))
  await first.box.close()
  assert.deepEqual(checks.names, ['mail'])
  await second.box.close()
})

test('DF-22 that a check is registered is a DEBUG line', async t => {
  const lines: string[] = []
  const box = deedbox({
    ledger: null,
    log: { sink: line => void lines.push(line), level: 'DEBUG', format: 'mozlog' },
  })
  t.after(() => box.close())
  box.checks.register(storageReachable)
  await box.flush()
  const { Type, Severity, Fields } = JSON.parse(lines[0] ?? '')
  assert.deepEqual(
    [Type, Severity, Fields.msg],
    ['dockerflow.checks.registry', 7, 'Registered check storageReachable'],
  )
})
