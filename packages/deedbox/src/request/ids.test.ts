import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { chooseRequestId, createIdGenerator, type IdGenerator, isRequestId, uuid7 } from './ids.ts'

const forms: Readonly<Record<string, RegExp>> = {
  uuid4: /^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/,
  uuid7: /^[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/,
  'base64url-4': /^[\w-]{6}$/,
  'base64url-8': /^[\w-]{11}$/,
  'base64url-96': /^[\w-]{128}$/,
}

const never = (): void => assert.fail('told of a bad id')

for (const [name, form] of Object.entries(forms)) {
  test(`FA-13 IF-09 ${name} gives ids of its form, all of them different`, () => {
    const generate = createIdGenerator(name as IdGenerator, never)
    const count = name === 'base64url-4' ? 1_000 : 20_000
    const ids = new Set<string>()
    for (let i = 0; i < count; i++) {
      const id = generate()
      assert.match(id, form)
      assert.ok(isRequestId(id))
      ids.add(id)
    }
    assert.equal(ids.size, count)
  })
}

test('FA-13 one million base64url-8 ids are distinct', () => {
  const generate = createIdGenerator('base64url-8', never)
  const ids = new Set<string>()
  for (let i = 0; i < 1_000_000; i++) ids.add(generate())
  assert.equal(ids.size, 1_000_000)
})

test('RFC 9562 uuid7 begins with the time and never goes back, even when the clock does', t => {
  const start = Date.now() + 86_400_000
  let now = start
  t.mock.method(Date, 'now', () => now)
  const first = uuid7()
  assert.equal(Number.parseInt(first.replaceAll('-', '').slice(0, 12), 16), start)
  let last = first
  for (let i = 0; i < 20_000; i++) {
    // The clock stands, then steps back an hour, then runs on.
    if (i === 10_000) now -= 3_600_000
    if (i > 15_000) now += 1
    const id = uuid7()
    assert.ok(id > last, `${id} after ${last}`)
    last = id
  }
})

test('FA-13 an unknown generator says what there is', () => {
  for (const name of ['uuid1', 'base64url-3', 'base64url-97', 'base64url-', 'base64url-8.5']) {
    assert.throws(() => createIdGenerator(name as IdGenerator, never), {
      name: 'RangeError',
      message: `"${name}" is no id generator: use uuid4, uuid7, base64url-4 … base64url-96 or a function`,
    })
  }
})

test('IF-09 a generator of the caller that fails is told and replaced by a UUID', () => {
  let told = 0
  const bad: readonly (() => unknown)[] = [
    () => '',
    () => 'a b',
    () => 'é',
    () => 'x'.repeat(129),
    () => 5,
    () => undefined,
    () => {
      throw new Error('empty')
    },
  ]
  for (const generator of bad) {
    const generate = createIdGenerator(generator as () => string, () => told++)
    assert.match(generate(), forms.uuid4 ?? /never/)
  }
  assert.equal(told, bad.length)
  assert.equal(createIdGenerator(() => 'mine-1', never)(), 'mine-1')
})

test('IF-09 an id has 1 to 128 visible ASCII characters', () => {
  for (const id of ['a', '!', '~', 'x'.repeat(128), 'a/b:c=d"']) assert.ok(isRequestId(id), id)
  for (const id of ['', ' ', 'a b', 'a\tb', 'a\n', 'é', '\u007f', '\u0000', 'x'.repeat(129), '🦊']) {
    assert.equal(isRequestId(id), false, JSON.stringify(id))
  }
})

test('X-01 ruling 6: the id of the client is taken over, replaced, or put before ours', () => {
  const own = (): string => 'own'
  assert.equal(chooseRequestId(undefined, 'trust', own), 'own')
  assert.equal(chooseRequestId(undefined, 'prefix', own), 'own')
  assert.equal(chooseRequestId('theirs', 'trust', own), 'theirs')
  assert.equal(chooseRequestId('theirs', 'replace', own), 'own')
  assert.equal(chooseRequestId('theirs', 'prefix', own), 'theirs.own')
  const visible = fc.string({
    unit: fc.integer({ min: 0x21, max: 0x7e }).map(c => String.fromCharCode(c)),
    minLength: 1,
    maxLength: 128,
  })
  fc.assert(
    fc.property(visible, visible, (inbound, generated) => {
      const id = chooseRequestId(inbound, 'prefix', () => generated)
      assert.ok(isRequestId(id))
      if (generated.length <= 127) assert.ok(id.endsWith(`.${generated}`))
    }),
  )
})
