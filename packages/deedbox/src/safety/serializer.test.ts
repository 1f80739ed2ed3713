import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { hostileValues } from '../testing/hostile-values.ts'
import { createRedactor } from './redaction.ts'
import { createSerializer, logLimits } from './serializer.ts'

const redactor = createRedactor()
const serializer = createSerializer(redactor, logLimits)

/** What a reader of the line gets for a value. */
function written(value: unknown): unknown {
  return JSON.parse(serializer.serialize(value).json)
}

/** The value as one line of valid JSON, whole and as a member of a line. */
function checkLine(value: unknown, what: string): void {
  const { json } = serializer.serialize(value)
  assert.ok(!/[\r\n]/.test(json), `${what}: one line`)
  JSON.parse(json)
  const member = serializer.member('key', value)
  if (member === undefined) return
  assert.ok(!/[\r\n]/.test(member), `${what}: one line as a member`)
  assert.deepEqual(Object.keys(JSON.parse(`{${member}}`)), ['key'], what)
}

test('FA-08 values that JSON does not know are written as something a person can read', () => {
  const url = new URL('https://h/a?token=x&b=1')
  const cases: readonly (readonly [unknown, unknown])[] = [
    [12345678901234567890n, '12345678901234567890'],
    [new Map([['a', 1]]), { a: 1 }],
    [new Map([[1, { a: 2 }]]), [[1, { a: 2 }]]],
    [new Set([1, 'b', [2n]]), [1, 'b', ['2']]],
    [new Date(0), '1970-01-01T00:00:00.000Z'],
    [new Date(Number.NaN), null],
    [Buffer.from('hello'), 'aGVsbG8='],
    [new Uint8Array([1, 2, 3]).subarray(1), 'AgM='],
    [new DataView(new Uint8Array([1, 2, 3]).buffer, 1, 1), 'Ag=='],
    [new Uint8Array([255]).buffer, '/w=='],
    [new SharedArrayBuffer(1), 'AA=='],
    [new Float64Array([1.5, Number.NaN]), [1.5, null]],
    [new BigInt64Array([1n]), ['1']],
    [url, 'https://h/a?token=[redacted]&b=1'],
    [/a"b\n/gi, '/a"b\\n/gi'],
    [Symbol('s'), 'Symbol(s)'],
    [function named() {}, '[Function: named]'],
    [() => 1, '[Function: anonymous]'],
    [class Thing {}, '[Function: Thing]'],
    [undefined, null],
    [Number.NaN, null],
    [-Number.POSITIVE_INFINITY, null],
    [-0, 0],
    [Object('boxed'), 'boxed'],
    [Object(5n), '5'],
    [Promise.resolve(1), '[Promise]'],
    [new WeakMap(), '[Weak]'],
    [
      { a: undefined, b: () => 1, c: [undefined] },
      { b: '[Function: b]', c: [null] },
    ],
    [{ toJSON: () => ({ shown: 1n }) }, { shown: '1' }],
    ['a\ud800b', 'a\ufffdb'],
    [{ 'k\udc00': 1 }, { 'k\ufffd': 1 }],
    ['\u0000\u001f\u007f"\\\r\n', '\u0000\u001f\u007f"\\\r\n'],
    ['a\u2028b\u2029c\u0085d\ufeffe', 'a\u2028b\u2029c\u0085d\ufeffe'],
    [{ 'k\u2028': '\ud83d' }, { 'k\u2028': '\ufffd' }],
    [Object.assign(new Array(3), { 0: 1, 2: 3 }), [1, null, 3]],
    [Object.assign([1], { extra: 2 }), [1]],
    [new Int8Array([-0, -1]), [0, -1]],
    [new Map<unknown, unknown>([[Number.NaN, -0]]), [[null, 0]]],
    [Object.assign(Object.create(null), { toJSON: 5 }), { toJSON: 5 }],
    [JSON.parse('{"__proto__":1,"constructor":2}'), JSON.parse('{"__proto__":1,"constructor":2}')],
    [Object.defineProperty(new Map([['a', 1]]), 'size', { value: 7 }), { a: 1 }],
    [new (class extends Set {})([1]), [1]],
    [new WeakRef({}), {}],
    [Math, {}],
  ]
  for (const [i, [value, expected]] of cases.entries())
    assert.deepEqual(written(value), expected, `case ${i}`)
  assert.equal(serializer.member('gone', undefined), undefined)
})

test('FA-08 errors carry type, message, cause, members of an aggregate, own members and the stack', () => {
  class PaymentError extends Error {
    code = 'declined'
  }
  const error = new PaymentError('no', { cause: new AggregateError([new TypeError('t')], 'both') })
  const { stack, cause, ...rest } = written(error) as Record<string, unknown>
  assert.deepEqual(rest, { type: 'PaymentError', message: 'no', code: 'declined' })
  assert.match(String(stack), /^Error: no\n {4}at /)
  const { type, errors } = cause as { type: string; errors: { type: string; message: string }[] }
  assert.equal(type, 'AggregateError')
  assert.deepEqual(
    errors.map(({ type, message }) => [type, message]),
    [['TypeError', 't']],
  )
})

test('FA-08 circles end, and the same object twice is no circle', () => {
  const shared = { n: 1 }
  assert.deepEqual(written({ a: shared, b: [shared, shared] }), { a: { n: 1 }, b: [{ n: 1 }, { n: 1 }] })
  const circle: Record<string, unknown> = { n: 1 }
  circle.self = circle
  circle.map = new Map([['back', circle]])
  assert.deepEqual(written(circle), { n: 1, self: '[Circular]', map: { back: '[Circular]' } })
})

for (const [what, make] of Object.entries(hostileValues)) {
  test(`FA-08 ${what} is one line of valid JSON, and so is what stands beside it`, () => {
    checkLine(make(), what)
    const { before, after } = written({ before: 1, bad: make(), after: 2 }) as Record<string, unknown>
    assert.deepEqual([before, after], [1, 2])
  })
}

test('FA-08 deep values end at the limit and say so', () => {
  let deep: unknown = 'bottom'
  for (let i = 0; i < 100_000; i++) deep = i % 2 === 0 ? [deep] : { deep }
  const { json, cut } = serializer.serialize(deep)
  assert.ok(cut)
  assert.ok(json.length < 1_000)
  checkLine(deep, 'deep')
})

test('FA-08 huge values end at the limit and say how much is missing', () => {
  const huge: readonly (readonly [string, unknown, RegExp])[] = [
    ['text', 'x'.repeat(1_000_000), /…\[\+983616 characters\]"$/],
    ['list', Array.from({ length: 100_000 }, (_, i) => i), /,"\[\+99800 more\]"\]$/],
    ['sparse list', new Array(4_000_000_000), /\[\+3999999800 more\]/],
    [
      'object',
      Object.fromEntries(Array.from({ length: 1_000 }, (_, i) => [`k${i}`, i])),
      /"…":"\[\+800 more\]"}$/,
    ],
    ['bytes', Buffer.alloc(1_000_000), /…\[\+983616 bytes\]"$/],
    ['numbers', new Float64Array(4_000_000), /\[\+3999800 more\]/],
    ['map', new Map(Array.from({ length: 1_000 }, (_, i) => [`k${i}`, i])), /\[\+800 more\]/],
    [
      'wide and deep',
      Array.from({ length: 200 }, () => Array.from({ length: 200 }, () => 'y'.repeat(1_000))),
      /more\]/,
    ],
  ]
  for (const [what, value, said] of huge) {
    const { json, cut } = serializer.serialize(value)
    assert.ok(cut, what)
    assert.match(json, said)
    assert.ok(json.length < logLimits.totalLength * 2, `${what}: ${json.length}`)
    checkLine(value, what)
  }
  const message = serializer.serialize({
    toJSON: () => {
      throw new Error('z'.repeat(1_000_000))
    },
  }).json
  assert.ok(message.length < logLimits.textLength * 2, 'a huge error message is cut as well')
})

test('FA-08 dates and durations of Temporal are written as they say themselves', t => {
  const temporal: unknown = Reflect.get(globalThis, 'Temporal')
  if (typeof temporal !== 'object' || temporal === null) return t.skip('this Node has no Temporal')
  const { PlainDate } = temporal as { PlainDate: { from(text: string): object } }
  assert.equal(written(PlainDate.from('2026-11-20')), '2026-11-20')
})

test('FA-08 names are cut like texts, and no more is read of a map or set than is written', () => {
  const { json } = serializer.serialize({ ['k'.repeat(1_000_000)]: 1 })
  assert.match(json, /…\[\+983616 characters\]":1}$/)
  const pairs = Array.from({ length: 100_000 }, (_, i) => [`k${i}`, i] as const)
  for (const [value, said] of [
    [new Map(pairs), /\[\+99800 more\]"}$/],
    [new Set(pairs), /\[\+99800 more\]"\]$/],
  ] as const) {
    Object.defineProperty(value, Symbol.iterator, {
      value: () => assert.fail('its own iterator is not asked'),
    })
    assert.match(serializer.serialize(value).json, said)
  }
})

test('FA-08 whatever is logged becomes one line of valid JSON', () => {
  const anything = fc.anything({
    withBigInt: true,
    withBoxedValues: true,
    withDate: true,
    withMap: true,
    withSet: true,
    withNullPrototype: true,
    withObjectString: true,
    withSparseArray: true,
    withTypedArray: true,
    withUnicodeString: true,
    maxDepth: 6,
  })
  // Made inside the property: the generator looks at what it generates.
  const hostile = fc.array(fc.constantFrom(...Object.values(hostileValues)), { maxLength: 3 })
  const text = fc.string({ unit: 'binary' })
  fc.assert(
    fc.property(fc.oneof(anything, text, fc.dictionary(text, anything)), hostile, (value, makers) => {
      checkLine(value, 'anything')
      checkLine([makers.map(make => make()), value], 'anything beside hostile values')
    }),
    { numRuns: 500 },
  )
})

test('FA-08 plain data reads back as it was', () => {
  const plain = createSerializer(createRedactor(), {
    depth: 50,
    entries: Number.POSITIVE_INFINITY,
    textLength: Number.POSITIVE_INFINITY,
    totalLength: Number.POSITIVE_INFINITY,
  })
  const keys = fc.string({ unit: 'grapheme', maxLength: 4 }).filter(key => !redactor.key(key).secret)
  const values = fc.letrec(tie => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.integer(),
      fc.boolean(),
      fc.constant(null),
      fc.string({ unit: 'grapheme', maxLength: 20 }).filter(text => redactor.text(text) === text),
      fc.array(tie('value')),
      fc.dictionary(keys, tie('value'), { noNullPrototype: true }),
    ),
  })).value
  fc.assert(
    fc.property(values, value => {
      const { json, cut } = plain.serialize(value)
      assert.deepEqual(JSON.parse(json), value)
      assert.equal(cut, false)
    }),
    { numRuns: 300 },
  )
})
