import assert from 'node:assert/strict'
import { once } from 'node:events'
import { test } from 'node:test'
import type { CheckResult } from './check.ts'
import { type Check, check } from './check.ts'
import { error, warning } from './check-message.ts'
import { beginRound, outcomesOf } from './round.ts'

async function messagesOf(one: Check): Promise<string[]> {
  const [outcome] = await outcomesOf(beginRound([one], { timeout: 20, deadline: 1_000 }, new WeakMap()))
  return (outcome?.messages ?? []).map(({ message }) => message)
}

/** A check that comes back as soon as its time is over. */
function heard(result: () => CheckResult): Check {
  return check('heard', async signal => {
    await once(signal, 'abort')
    return result()
  })
}

const late = 'The check has not answered within 20 ms.'

test('DF-13 a check whose time is over may say what it has been waiting for', async () => {
  assert.deepEqual(await messagesOf(heard(() => [error('no connection')])), ['no connection'])
})

test('DF-13 a check whose time is over has failed, whatever else it says then', async () => {
  assert.deepEqual(await messagesOf(heard(() => [])), [late])
  assert.deepEqual(await messagesOf(heard(() => [warning('slow')])), [late, 'slow'])
  assert.deepEqual(
    await messagesOf(
      heard(() => {
        throw new Error('aborted')
      }),
    ),
    [late],
  )
  assert.deepEqual(await messagesOf(check('deaf', () => new Promise(() => {}))), [late])
})
