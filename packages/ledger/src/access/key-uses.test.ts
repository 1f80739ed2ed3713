import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { KeyUse } from '../store/index.ts'
import { KeyUses } from './key-uses.ts'

function recorder(t: TestContext): { uses: KeyUses; stored: KeyUse[][]; fail: (times: number) => void } {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const stored: KeyUse[][] = []
  let failures = 0
  const uses = new KeyUses(async batch => {
    if (failures-- > 0) throw new Error('The disk is full.')
    stored.push(batch)
  })
  return {
    uses,
    stored,
    fail: times => {
      failures = times
    },
  }
}

const settled = () => new Promise<void>(resolve => setImmediate(resolve))

test('however often a key is used, its last use is stored once a minute', async t => {
  const { uses, stored } = recorder(t)
  for (let i = 1; i <= 1_000; i++) uses.note('key_a', i)
  uses.note('key_b', 7)
  assert.equal(uses.lastUse('key_a'), 1_000)
  t.mock.timers.tick(59_999)
  await settled()
  assert.deepEqual(stored, [])
  t.mock.timers.tick(1)
  await settled()
  assert.deepEqual(stored, [
    [
      { keyId: 'key_a', at: 1_000 },
      { keyId: 'key_b', at: 7 },
    ],
  ])
  t.mock.timers.tick(600_000)
  await settled()
  assert.equal(stored.length, 1, 'without a use nothing is written')
  uses.note('key_b', 8)
  t.mock.timers.tick(60_000)
  await settled()
  assert.deepEqual(stored[1], [{ keyId: 'key_b', at: 8 }])
})

test('a note that cannot be stored disturbs nobody and is tried again', async t => {
  const { uses, stored, fail } = recorder(t)
  fail(1)
  uses.note('key_a', 1)
  await uses.flush()
  assert.deepEqual(stored, [])
  uses.note('key_b', 2)
  await uses.flush()
  assert.deepEqual(stored, [
    [
      { keyId: 'key_a', at: 1 },
      { keyId: 'key_b', at: 2 },
    ],
  ])
})
