import assert from 'node:assert/strict'
import { test } from 'node:test'
import { withinTime } from './within-time.ts'

test('work that ends in time says what it came to', async () => {
  assert.equal(await withinTime(Promise.resolve(1), 60_000, 'nothing came'), 1)
  await assert.rejects(withinTime(Promise.reject(new Error('no')), 60_000, 'nothing came'), /^Error: no$/)
})

test('work that takes longer is given up, and what it comes to later is not lost', async () => {
  const late = Promise.withResolvers<number>()
  const got = Promise.withResolvers<number>()
  await assert.rejects(withinTime(late.promise, 1, 'nothing came', got.resolve), {
    message: 'nothing came within 1 ms',
  })
  late.resolve(7)
  assert.equal(await got.promise, 7)
})

test('work that fails after it was given up does not fail the process', async () => {
  const late = Promise.withResolvers<never>()
  await assert.rejects(withinTime(late.promise, 1, 'nothing came'), /nothing came/)
  late.reject(new Error('too late'))
  await new Promise(setImmediate)
})
