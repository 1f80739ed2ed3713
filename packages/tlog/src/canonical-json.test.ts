import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { canonicalJson, parseJsonObject } from './canonical-json.ts'
import { encodeHex, encodeUtf8 } from './encoding.ts'
import { cryptos, tlogError } from './testing/both-cryptos.ts'

const refused = tlogError('malformed_text')

/** The rules of RFC 8785 §3.2 once more, written down without the library. */
function canonicalByHand(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalByHand).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).sort(([a], [b]) => compareUnits(a, b))
  return `{${members.map(([name, held]) => `${JSON.stringify(name)}:${canonicalByHand(held)}`).join(',')}}`
}

function compareUnits(a: string, b: string): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) {
    if (a.charCodeAt(i) !== b.charCodeAt(i)) return a.charCodeAt(i) - b.charCodeAt(i)
  }
  return a.length - b.length
}

function double(bits: string): number {
  const view = new DataView(new ArrayBuffer(8))
  view.setBigUint64(0, BigInt(`0x${bits}`))
  return view.getFloat64(0)
}

test('F18 RFC 8785 the mixed vector: sorting, numbers, escapes, and the hash of its bytes', () => {
  const source = String.raw`{
    "\ufb33": [true, null, "<\u2028\u20ac$\u000f\nA'B\"\\/>"],
    "\ud83d\ude00": 2,
    "\u00e9": 333333333.33333329,
    "b": 1E+21,
    "a": -0
  }`
  const value = JSON.parse(source)
  const text =
    '{"a":0,"b":1e+21,"\u00e9":333333333.3333333,"\u{1f600}":2,' +
    '"\ufb33":[true,null,"<\u2028\u20ac$\\u000f\\nA\'B\\"\\\\/>"]}'
  assert.equal(canonicalJson(value), text)
  for (const { name, crypto } of cryptos) {
    assert.equal(
      encodeHex(crypto.sha256(encodeUtf8(canonicalJson(value)))),
      'c3eb42ff50eaae837968c8098d56656219be3f9546607a74f952a326e8beaf15',
      name,
    )
  }
})

test('RFC 8785 §3.2.2 literals, numbers and strings', () => {
  const source = String.raw`{
    "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
    "literals": [null, true, false]
  }`
  assert.equal(
    canonicalJson(JSON.parse(source)),
    '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
      '"string":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
  )
})

test('RFC 8785 §3.2.2.2 every control character has its one escape, and nothing else is escaped', () => {
  const short = new Map([
    [0x08, '\\b'],
    [0x09, '\\t'],
    [0x0a, '\\n'],
    [0x0c, '\\f'],
    [0x0d, '\\r'],
    [0x22, '\\"'],
    [0x5c, '\\\\'],
  ])
  for (let code = 0; code < 0x3000; code++) {
    const letter = String.fromCharCode(code)
    const long = code < 0x20 ? `\\u00${code.toString(16).padStart(2, '0')}` : letter
    assert.equal(canonicalJson([letter]), `["${short.get(code) ?? long}"]`)
  }
})

test('RFC 8785 §3.2.3 members are sorted by UTF-16 code units, at every depth, and arrays are not', () => {
  const names = ['\u20ac', '\r', '\ufb33', '1', '\u{1f600}', '\u0080', '\u00f6']
  const sorted = ['"\\r"', '"1"', '"\u0080"', '"\u00f6"', '"\u20ac"', '"\u{1f600}"', '"\ufb33"']
  const value = Object.fromEntries(names.map(name => [name, 0]))
  const text = `{${sorted.map(name => `${name}:0`).join(',')}}`
  assert.equal(canonicalJson(value), text)
  assert.equal(canonicalJson({ b: [value, 3, 1, 2], a: {} }), `{"a":{},"b":[${text},3,1,2]}`)
  assert.equal(
    canonicalJson({ aa: 1, a: 2, A: 3, '': 4, '10': 5, '9': 6 }),
    '{"":4,"10":5,"9":6,"A":3,"a":2,"aa":1}',
  )
})

test('F18 RFC 8785 appendix B: numbers by their IEEE 754 bits', () => {
  const samples = {
    '0000000000000000': '0',
    '8000000000000000': '0',
    '0000000000000001': '5e-324',
    '8000000000000001': '-5e-324',
    '7fefffffffffffff': '1.7976931348623157e+308',
    ffefffffffffffff: '-1.7976931348623157e+308',
    '4340000000000000': '9007199254740992',
    c340000000000000: '-9007199254740992',
    '4430000000000000': '295147905179352830000',
    '44b52d02c7e14af5': '9.999999999999997e+22',
    '44b52d02c7e14af6': '1e+23',
    '44b52d02c7e14af7': '1.0000000000000001e+23',
    '444b1ae4d6e2ef4e': '999999999999999700000',
    '444b1ae4d6e2ef4f': '999999999999999900000',
    '444b1ae4d6e2ef50': '1e+21',
    '3eb0c6f7a0b5ed8c': '9.999999999999997e-7',
    '3eb0c6f7a0b5ed8d': '0.000001',
    '41b3de4355555553': '333333333.3333332',
    '41b3de4355555554': '333333333.33333325',
    '41b3de4355555555': '333333333.3333333',
    '41b3de4355555556': '333333333.3333334',
    '41b3de4355555557': '333333333.33333343',
    becbf647612f3696: '-0.0000033333333333333333',
    '43143ff3c1cb0959': '1424953923781206.2',
  }
  for (const [bits, text] of Object.entries(samples)) {
    assert.equal(canonicalJson([double(bits)]), `[${text}]`, bits)
  }
  for (const bits of ['7fffffffffffffff', '7ff0000000000000', 'fff0000000000000']) {
    assert.throws(() => canonicalJson([double(bits)]), refused, bits)
  }
})

test('RFC 8785 the order in which members were added does not matter, and the value comes back', () => {
  const member = fc.tuple(fc.string({ unit: 'binary' }), fc.jsonValue({ stringUnit: 'binary' }))
  const object = fc.uniqueArray(member, { selector: ([name]) => name, maxLength: 8 })
  fc.assert(
    fc.property(object, members => {
      const value = Object.fromEntries(members)
      const text = canonicalJson(value)
      assert.equal(text, canonicalByHand(value))
      assert.equal(canonicalJson(Object.fromEntries(members.toReversed())), text)
      assert.equal(JSON.stringify(parseJsonObject(text)), JSON.stringify(JSON.parse(text)))
      assert.equal(canonicalJson(parseJsonObject(text)!), text)
    }),
    { numRuns: 500 },
  )
})

test('P27 names that mean something to JavaScript are ordinary members', () => {
  const value = JSON.parse('{"toString":1,"__proto__":{"b":2,"__proto__":3},"constructor":4}')
  assert.equal(canonicalJson(value), '{"__proto__":{"__proto__":3,"b":2},"constructor":4,"toString":1}')
  assert.equal(canonicalJson(Object.create({ inherited: 1 })), '{}')
})

test('the value is what JSON.stringify takes it for', () => {
  const at = new Date('2026-01-02T03:04:05.678Z')
  const values = [
    { at, none: undefined, act: () => 1, list: [undefined, at], boxed: new Number(1) },
    { toJSON: () => ({ b: 1, a: 2 }) },
    [],
    new Array(2),
  ]
  for (const value of values) {
    assert.equal(canonicalJson(value), canonicalByHand(JSON.parse(JSON.stringify(value))))
  }
})

test('P27 what has no exact JSON form is refused', () => {
  const circle: Record<string, unknown> = {}
  circle.list = [circle]
  const values: [string, object][] = [
    ['not a number', { a: Number.NaN }],
    ['infinity', [Number.NEGATIVE_INFINITY]],
    ['a big integer', { a: 1n }],
    ['half of a surrogate pair', { a: 'x\ud800' }],
    ['half of a surrogate pair in a name', { '\udc00': 1 }],
    ['a circle', circle],
    ['nothing', { toJSON: () => undefined }],
    ['a function', () => 1],
  ]
  for (const [what, value] of values) assert.throws(() => canonicalJson(value), refused, what)
  // The same object twice is no circle.
  const shared = { a: 1 }
  assert.equal(canonicalJson([shared, shared]), '[{"a":1},{"a":1}]')
})

test('P27 of JSON texts only those of objects are read as objects', () => {
  for (const text of ['', '{', '[]', 'null', '1', '"{}"', '{}{}', "{'a':1}", '\ufeff{}', '{"a":1,}']) {
    assert.equal(parseJsonObject(text), undefined, text)
  }
  assert.deepEqual(parseJsonObject(' {"a": 1}'), { a: 1 })
})
