import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createRedactor } from './redaction.ts'
import { createSerializer, logLimits } from './serializer.ts'

const redactor = createRedactor()
const serializer = createSerializer(redactor, logLimits)

/** What a reader of the line gets for a value. */
function written(value: unknown): unknown {
  return JSON.parse(serializer.serialize(value).json)
}

const gone = '[redacted]'

test('IF-25 FA-24 a value whose name stands in a member beside it goes, others stay', () => {
  const cases: readonly (readonly [unknown, unknown])[] = [
    [
      { name: 'Authorization', value: 'abc' },
      { name: 'Authorization', value: gone },
    ],
    [
      { Name: 'DB_PASSWORD', Value: 'abc' },
      { Name: 'DB_PASSWORD', Value: gone },
    ],
    [
      { value: 5, key: 'pin' },
      { value: gone, key: 'pin' },
    ],
    [
      { path: ['user', 'password'], input: 'abc' },
      { path: ['user', 'password'], input: gone },
    ],
    [
      { path: 'user.password', value: 'abc' },
      { path: 'user.password', value: gone },
    ],
    [
      { instancePath: '/user/pin', data: 1234 },
      { instancePath: '/user/pin', data: gone },
    ],
    [
      { property: 'password', value: { a: 1 } },
      { property: 'password', value: gone },
    ],
    [
      { name: 'amount', value: 5 },
      { name: 'amount', value: 5 },
    ],
    [
      { name: 'password', value: null },
      { name: 'password', value: null },
    ],
    [
      { path: '/reset/password', data: { a: 1 } },
      { path: '/reset/password', data: { a: 1 } },
    ],
    [{ value: 'password' }, { value: 'password' }],
    [{ name: 'password' }, { name: 'password' }],
  ]
  for (const [value, expected] of cases) assert.deepEqual(written(value), expected)
})

test('IF-25 lists of headers, in pairs or flat, keep their names and lose what is secret', () => {
  const pairs = [
    ['accept', 'text/html'],
    ['cookie', 'a=b'],
    ['x-api-key', 'abc'],
  ]
  assert.deepEqual(written(pairs), [
    ['accept', 'text/html'],
    ['cookie', gone],
    ['x-api-key', gone],
  ])
  const request = { rawHeaders: ['Accept', 'text/html', 'Cookie', 'a=b', 'X-Api-Key', 'abc'] }
  const shown = { rawHeaders: ['Accept', 'text/html', 'Cookie', gone, 'X-Api-Key', gone] }
  assert.deepEqual(written(request), shown)
  assert.deepEqual(JSON.parse(`{${serializer.member('rawHeaders', request.rawHeaders)}}`), shown)
  assert.deepEqual(written({ fields: ['cookie', 'name'] }), { fields: ['cookie', 'name'] })
})

test('IF-25 bytes that read as a text with a secret are not written in base64 either', () => {
  const secret = Buffer.from('{"password":"Tr0ub4dor"}')
  const forms = [
    secret,
    new Uint8Array(secret),
    new DataView(new Uint8Array(secret).buffer),
    new Uint8Array(secret).buffer,
    Buffer.concat([Buffer.alloc(logLimits.textLength - 10, 'x'), Buffer.from(' token=Tr0ub4dor')]),
  ]
  for (const form of forms) assert.equal(written(form), gone)
  assert.equal(written(Buffer.from('plain')), 'cGxhaW4=')
  assert.equal(written(Buffer.from([255, 0, 128])), '/wCA')
})

test('IF-25 where a text is cut no half of a secret is left, however much was blanked before', () => {
  const half = 'sk_live_4eC39HqLyjWDarjtT1zdp7dc'
  for (let shift = 0; shift < 64; shift++) {
    const many = `${'password=0123456789012345678901234567890123456789 '.repeat(328)}`
    const text = `${many}${'x'.repeat(16_384 + 512 - many.length - shift)}${half} and more`.padEnd(
      20_000,
      '.',
    )
    const json = serializer.text(text)
    assert.ok(!json.includes('4eC39'), `${shift}: ${json.slice(-80)}`)
    assert.match(json, /…\[\+3616 characters\]"$/)
  }
  const whole = serializer.text(`${'x'.repeat(100)} -----BEGIN PRIVATE KEY-----\n${'A'.repeat(40_000)}`)
  assert.match(whole, /^"x{100} \[redacted\]…\[\+\d+ characters\]"$/)
})
