import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { changes } from './changes.ts'

test('changes name what was added, removed and replaced, by path', () => {
  const before = {
    name: 'Ada',
    address: { city: 'Bern', zip: '3000' },
    tags: ['a', 'b'],
    items: [{ price: 1 }, { price: 2 }],
    gone: true,
    same: { deep: [1, { a: null }] },
  }
  const after = {
    name: 'Ada L.',
    address: { city: 'Basel', zip: '3000' },
    tags: ['a', 'b', 'c'],
    items: [{ price: 1 }, { price: 3 }],
    same: { deep: [1, { a: null }] },
    'x-key': 0,
    'said "so"': 1,
  }
  assert.deepEqual(changes(before, after), [
    { path: 'name', before: 'Ada', after: 'Ada L.' },
    { path: 'address.city', before: 'Bern', after: 'Basel' },
    { path: 'tags', before: ['a', 'b'], after: ['a', 'b', 'c'] },
    { path: 'items[1].price', before: 2, after: 3 },
    { path: 'gone', before: true },
    { path: 'x-key', after: 0 },
    { path: `['said "so"']`, after: 1 },
  ])
})

test('changes compare dates, bytes, maps and sets by what they hold, and entities by their members', () => {
  class Order {
    status = 'open'
    at = new Date(0)
    seen = new Set([1])
    bytes = Buffer.from('a')
    limits = new Map([['a', 1]])
  }
  assert.deepEqual(changes(new Order(), new Order()), [])
  const other = Object.assign(new Order(), {
    status: 'paid',
    at: new Date(1),
    seen: new Set([2]),
    bytes: Buffer.from('b'),
    limits: new Map([['a', 2]]),
  })
  assert.deepEqual(
    changes(new Order(), other).map(({ path }) => path),
    ['status', 'at', 'seen', 'bytes', 'limits'],
  )
})

test('changes of what is no object, of cycles, and of what is undefined', () => {
  assert.deepEqual(changes(1, 2), [{ path: 'value', before: 1, after: 2 }])
  assert.deepEqual(changes(undefined, { a: 1 }), [{ path: 'value', after: { a: 1 } }])
  assert.deepEqual(changes({ a: undefined }, {}), [])
  assert.deepEqual(changes({ a: Number.NaN }, { a: Number.NaN }), [])
  const cyclic = (end: number): object => {
    const value: Record<string, unknown> = { end }
    value.self = value
    return value
  }
  const found = changes(cyclic(1), cyclic(2))
  assert.deepEqual(found[0], { path: 'end', before: 1, after: 2 })
  assert.ok(found.length <= 21, `${found.length} changes`)
})

test('the changes of a state against itself are none, and against another never none', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), (before, after) => {
      assert.deepEqual(changes(before, structuredClone(before)), [])
      const differ = JSON.stringify(before) !== JSON.stringify(after)
      const reordered = changes(before, after).length === 0
      if (differ && reordered) assert.deepEqual(before, after)
    }),
  )
})
