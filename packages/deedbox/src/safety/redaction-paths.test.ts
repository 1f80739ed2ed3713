import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRedactor } from './redaction.ts'
import { createSerializer, logLimits } from './serializer.ts'

const person = {
  user: { email: 'a@b.c', name: 'Ann', 'x-key': 1 },
  items: [
    { iban: 'DE1', amount: 2 },
    { iban: 'DE3', amount: 4 },
  ],
  phone: '12345678',
}

/** The person above as it is written under these paths. */
function written(...paths: string[]): unknown {
  const serializer = createSerializer(createRedactor({ paths, replacement: '#' }), logLimits)
  return JSON.parse(serializer.serialize(person).json)
}

test('IF-25 paths name members, indexes, wildcards and quoted keys', () => {
  assert.deepEqual(written('user.email'), { ...person, user: { ...person.user, email: '#' } })
  assert.deepEqual(written('user["x-key"]', "user['name']"), {
    ...person,
    user: { email: 'a@b.c', name: '#', 'x-key': '#' },
  })
  assert.deepEqual(written('items[*].iban'), {
    ...person,
    items: [
      { iban: '#', amount: 2 },
      { iban: '#', amount: 4 },
    ],
  })
  assert.deepEqual(written('items[1]'), { ...person, items: [person.items[0], '#'] })
  assert.deepEqual(written('items.0.amount'), {
    ...person,
    items: [{ iban: 'DE1', amount: '#' }, person.items[1]],
  })
  assert.deepEqual(written('*'), { user: '#', items: '#', phone: '#' })
})

test('IF-25 a wildcard and a name meet at the same place', () => {
  const { user, items } = written('*.email', 'user.name', '*[0].iban', 'items[*].amount') as typeof person
  assert.deepEqual(user, { email: '#', name: '#', 'x-key': 1 })
  assert.deepEqual(items, [
    { iban: '#', amount: '#' },
    { iban: 'DE3', amount: '#' },
  ])
})

test('IF-25 paths go through what JSON does not know as an object', () => {
  const serializer = createSerializer(createRedactor({ paths: ['m.email', 'j.email', 'e.email'] }), logLimits)
  const value = {
    m: new Map([['email', 'map@b.c']]),
    j: { toJSON: () => ({ email: 'json@b.c' }) },
    e: Object.assign(new Error('refused'), { email: 'error@b.c' }),
  }
  const { json } = serializer.serialize(value)
  for (const secret of ['map@b.c', 'json@b.c', 'error@b.c']) assert.ok(!json.includes(secret), json)
})

test('IF-25 a member of a log line is addressed by the same paths', () => {
  const serializer = createSerializer(createRedactor({ paths: ['user.email', 'phone'] }), logLimits)
  assert.equal(serializer.member('phone', '12345'), '"phone":"[redacted]"')
  assert.equal(serializer.member('user', { email: 'a@b.c', n: 1 }), '"user":{"email":"[redacted]","n":1}')
})

test('IF-25 a path that cannot be read says where', () => {
  const cases = [
    ['', /is empty/],
    ['a..b', /"a\.\.b" cannot be read from character 2 on.*user\.email/s],
    ['a[b]', /from character 2 on/],
    ['a["b]', /from character 2 on/],
  ] as const
  for (const [path, expected] of cases) assert.throws(() => createRedactor({ paths: [path] }), expected)
})
