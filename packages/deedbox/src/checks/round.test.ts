import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { hostileValues } from '../testing/hostile-values.ts'
import { type Check, check } from './check.ts'
import { error, warning } from './check-message.ts'
import { beginRound, outcomesOf, type RoundSettings } from './round.ts'

const settings: RoundSettings = { timeout: 60_000, deadline: 60_000 }

/** Fails the test for any rejection that nobody hears. */
function hearsAll(t: TestContext): void {
  const heard = (thrown: unknown): void => assert.fail(`unhandled: ${String(thrown)}`)
  process.on('unhandledRejection', heard)
  t.after(() => process.off('unhandledRejection', heard))
}

/** What checks found, by their names. */
async function found(checks: readonly Check[], how: RoundSettings = settings, running = new WeakMap()) {
  const outcomes = await outcomesOf(beginRound(checks, how, running))
  return outcomes.map(({ name, messages }) => [
    name,
    ...messages.map(({ id, message }) => `${id ?? ''} ${message}`),
  ])
}

test('DF-19 sync and async checks, mixed; all are called at once', async () => {
  const called: string[] = []
  const { promise, resolve } = Promise.withResolvers<undefined>()
  const checks = [
    check('async', async () => promise.then(() => [warning('late')])),
    check('sync', () => [error('now', { id: 'a.E1' })]),
    check('nothing', () => resolve(undefined)),
  ]
  assert.deepEqual(await found(checks, { ...settings, called: name => called.push(name) }), [
    ['async', ' late'],
    ['sync', 'a.E1 now'],
    ['nothing'],
  ])
  assert.deepEqual(called, ['async', 'sync', 'nothing'])
})

test('DF-23 a check that throws is an ERROR with its name, the others have their results', async t => {
  hearsAll(t)
  const gone = new Error('connection refused')
  const outcomes = await outcomesOf(
    beginRound(
      [
        check('sync', () => {
          throw gone
        }),
        check('async', () => Promise.reject(gone)),
        check('well', () => [warning('slow')]),
      ],
      settings,
      new WeakMap(),
    ),
  )
  assert.deepEqual(
    outcomes.map(({ messages: [first], thrown }) => [first?.level, first?.message, thrown]),
    [
      [40, 'The check sync failed: connection refused', gone],
      [40, 'The check async failed: connection refused', gone],
      [30, 'slow', undefined],
    ],
  )
})

test('DF-23 X-11 anything may be thrown, or returned, also what cannot be looked at', async t => {
  hearsAll(t)
  const values = Object.values(hostileValues).map(make => make())
  for (const value of [null, undefined, 0, 'text', Symbol('s'), ...values]) {
    const outcomes = await outcomesOf(
      beginRound(
        [
          check('throws', () => {
            throw value
          }),
          check('rejects', () => Promise.reject(value)),
          check('returns', () => [value] as never),
          check('well', () => []),
        ],
        settings,
        new WeakMap(),
      ),
    )
    assert.deepEqual(
      outcomes.map(({ messages }) => messages.map(({ level }) => level)),
      [[40], [40], [40], []],
    )
    for (const { messages } of outcomes)
      for (const { message } of messages) assert.equal(typeof message, 'string')
  }
})

test('DF-13 a check that hangs is an ERROR of its own once its time is over, and is told so', async t => {
  hearsAll(t)
  let over: AbortSignal | undefined
  const hangs = check(
    'hangs',
    signal => {
      over = signal
      // As a driver does that is told to stop, too late to be heard.
      return once(signal, 'abort').then(() => Promise.reject(new Error('aborted')))
    },
    { timeout: 20 },
  )
  assert.deepEqual(await found([hangs, check('well', () => [])]), [
    ['hangs', 'deedbox.health.E102 The check has not answered within 20 ms.'],
    ['well'],
  ])
  assert.equal(over?.aborted, true)
  assert.match(String(over?.reason), /The check was given 20 ms/)
})

test('DF-13 the deadline ends a check whose own time is longer', async () => {
  const slow = check('slow', () => new Promise(() => {}), { timeout: 100_000 })
  assert.deepEqual(await found([slow], { timeout: 50_000, deadline: 15 }), [
    ['slow', 'deedbox.health.E102 The check has not answered within 15 ms.'],
  ])
})

test('DF-13 a check that hangs is not called again before it came back', async t => {
  hearsAll(t)
  let calls = 0
  const held = Promise.withResolvers<[]>()
  const one = check('one', () => (++calls === 1 ? held.promise : []), { timeout: 5 })
  const running = new WeakMap()
  assert.match(String(await found([one], settings, running)), /E102/)
  assert.match(
    String(await found([one], settings, running)),
    /E103 The check has not answered for \d+\.\d s, and is not called again before it has\./,
  )
  assert.equal(calls, 1)
  held.resolve([])
  await held.promise
  await new Promise(setImmediate)
  assert.deepEqual(await found([one], settings, running), [['one']])
  assert.equal(calls, 2)
})

test('texts of messages tell no secret, whatever a driver says', async () => {
  const redact = (text: string): string => text.replaceAll('hunter2', '…')
  const checks = [
    check('a', () => [error('postgres://app:hunter2@db', { id: 'a.E1', hint: 'not hunter2' })]),
    check('b', () => {
      throw new Error('password hunter2 is wrong')
    }),
  ]
  const [a, b] = await outcomesOf(beginRound(checks, { ...settings, redact }, new WeakMap()))
  assert.deepEqual(
    [a?.messages[0]?.message, a?.messages[0]?.hint, a?.messages[0]?.id, b?.messages[0]?.message],
    ['postgres://app:…@db', 'not …', 'a.E1', 'The check b failed: password … is wrong'],
  )
})
