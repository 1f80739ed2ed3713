import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate } from 'node:timers/promises'
import { type CheckMessage, error } from '../../checks/index.ts'
import { type Attempt, oneAttempt } from './one-attempt.ts'

/** A check whose attempts end when they are told to. */
function held(again?: number) {
  const attempts: ((messages: CheckMessage[]) => void)[] = []
  const run = oneAttempt((): Attempt => {
    const { promise, resolve } = Promise.withResolvers<CheckMessage[]>()
    attempts.push(resolve)
    return { found: promise, late: () => [error('late')] }
  }, again)
  const call = async (signal = new AbortController().signal): Promise<string[]> =>
    ((await run(signal)) ?? []).map(({ message }) => message)
  return { attempts, call }
}

test('DF-13 who calls a check while it is at work waits for the same attempt', async () => {
  const { attempts, call } = held()
  const both = Promise.all([call(), call()])
  assert.equal(attempts.length, 1)
  attempts[0]?.([])
  assert.deepEqual(await both, [[], []])
  const next = call()
  assert.equal(attempts.length, 2)
  attempts[1]?.([error('gone')])
  assert.deepEqual(await next, ['gone'])
})

test('DF-13 an attempt that was late is said to be, and none begins before it has ended', async () => {
  const { attempts, call } = held()
  const over = new AbortController()
  const first = call(over.signal)
  const other = call()
  over.abort()
  assert.deepEqual(await first, ['late'])
  assert.deepEqual(await call(), ['late'])
  assert.equal(attempts.length, 1)
  attempts[0]?.([])
  // It was given up while the other call had still time.
  assert.deepEqual(await other, ['late'])
  const next = call()
  assert.equal(attempts.length, 2)
  attempts[1]?.([])
  assert.deepEqual(await next, [])
})

test('DF-13 what cannot be begun fails that call alone', async () => {
  let isBroken = true
  const run = oneAttempt(() => {
    if (isBroken) throw new Error('broken')
    return { found: Promise.resolve([]), late: () => [] }
  })
  const { signal } = new AbortController()
  assert.throws(() => run(signal), /broken/)
  isBroken = false
  assert.deepEqual(await run(signal), [])
})

test('DF-13 one that hangs is left behind for another where that is wished, and no more than two are at work', async () => {
  const { attempts, call } = held(0)
  const late = async (): Promise<void> => {
    const own = new AbortController()
    const called = call(own.signal)
    own.abort()
    assert.deepEqual(await called, ['late'])
  }
  await late()
  const second = call()
  assert.equal(attempts.length, 2)
  attempts[1]?.([])
  assert.deepEqual(await second, [])
  await late()
  assert.equal(attempts.length, 3)
  assert.deepEqual(await call(), ['late'])
  assert.equal(attempts.length, 3)
  // Whichever of them ends makes room.
  attempts[0]?.([])
  await setImmediate()
  const fourth = call()
  assert.equal(attempts.length, 4)
  attempts[3]?.([error('gone')])
  assert.deepEqual(await fourth, ['gone'])
})
