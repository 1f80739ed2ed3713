import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseStrictJson, parseStrictJsonText } from './index.ts'

function codeOf(text: string | Uint8Array): string {
  try {
    parseStrictJson(typeof text === 'string' ? Buffer.from(text) : text, 'The body')
    return 'accepted'
  } catch (error) {
    return (error as { code: string }).code
  }
}

test('P27 a member that stands twice in one object is refused, however it is spelt', () => {
  assert.equal(codeOf('{"a":1,"a":1}'), 'duplicate_key')
  assert.equal(codeOf('{"a":1,"\\u0061":2}'), 'duplicate_key')
  assert.equal(codeOf('{"x":[{"b":{"c":1,"c":2}}]}'), 'duplicate_key')
  assert.equal(codeOf('{"a":{"a":1},"b":{"a":1}}'), 'accepted')
  assert.equal(codeOf('["a","a",{"a":"a:"}]'), 'accepted')
  assert.equal(codeOf('{"a":"{\\"a\\":1,\\"a\\":2}"}'), 'accepted')
})

test('P27 F18 a member name is what its own text says, whatever was read before it', () => {
  // What makes JSON.parse of Node 24 read the later names as the earlier one.
  for (const [before, after] of [
    ['{"t1":{},"\\\\":1}', '{"t1":{},"\\u0061":3}'],
    ['{"t2":[],"cl\\\\":0}', '{"t2":1,"cl\\u00e9":[{"x":"\\n"},"€",-0.5e1,true,null,{}]}'],
    ['{"t3":{},"\\\\":1}', ' { "t3" : {} , "\\"" : "\\\\" , "b" : { "\\n" : [ ] } } '],
  ] as const) {
    parseStrictJsonText(before, 'It')
    const names = (value: unknown): unknown[] =>
      typeof value === 'object' && value !== null
        ? Object.entries(value).flatMap(([name, member]) => [name, ...names(member)])
        : []
    const wanted = [...after.matchAll(/("(?:[^"\\]|\\.)*")\s*:/g)].map(([, name]) => JSON.parse(name!))
    const read = parseStrictJsonText(after, 'It')
    assert.deepEqual(
      names(read).filter(name => !/^\d+$/.test(String(name))),
      wanted,
    )
  }
  assert.deepEqual(parseStrictJsonText('{"cl\\u00e9":[{"x":"\\n"},"€",-0.5e1,true,null,{},"a\\"b"]}', 'It'), {
    clé: [{ x: '\n' }, '€', -5, true, null, {}, 'a"b'],
  })
  const deep = `{"\\u0061":${'['.repeat(200_000)}${']'.repeat(200_000)}}`
  assert.deepEqual(Object.keys(parseStrictJsonText(deep, 'It') as object), ['a'])
})

test('P27 a __proto__ member is refused', () => {
  assert.equal(codeOf('{"__proto__":{"admin":true}}'), 'invalid_event')
  assert.equal(codeOf('{"\\u005f_proto__":{"admin":true}}'), 'invalid_event')
})

test('F18 numbers that a double cannot hold exactly are refused, others are not', () => {
  for (const bad of [
    '12345678901234567890',
    '9007199254740993',
    '1e400',
    '0.1000000000000000055511151231257827',
    '-1e16',
  ]) {
    assert.equal(codeOf(`{"n":${bad}}`), 'number_not_exact', bad)
  }
  for (const good of [
    '0',
    '-0',
    '1.0',
    '1.50',
    '9007199254740991',
    '-9007199254740991',
    '1e3',
    '1E-7',
    '0.1',
    '123.456e2',
  ]) {
    assert.equal(codeOf(`{"n":${good}}`), 'accepted', good)
  }
  assert.equal(codeOf('{"n":"12345678901234567890"}'), 'accepted')
})

test('F18 a number of millions of digits is judged at once', () => {
  const zeros = '0'.repeat(4_000_000)
  for (const number of [
    `0.1${zeros}1`,
    `1${zeros}`,
    `0.${zeros}1`,
    `-0.5e-${zeros}1`.replace('.', `.${zeros}`),
  ]) {
    assert.throws(() => parseStrictJsonText(`[${number}]`, 'It'), { code: 'number_not_exact' })
  }
  assert.deepEqual(parseStrictJsonText(`[0.5${zeros},-0.${zeros},1e${zeros}2]`, 'It'), [0.5, -0, 100])
})

test('lone surrogates, U+0000 and bytes that are not UTF-8 are refused', () => {
  assert.equal(codeOf('{"a":"\\ud800"}'), 'invalid_text')
  assert.equal(codeOf('{"\\udfff":1}'), 'invalid_text')
  assert.equal(codeOf('{"a":"\\u0000"}'), 'invalid_text')
  assert.equal(codeOf('{"a":"\\\\u0000"}'), 'accepted')
  assert.equal(codeOf('{"a":"\\ud83d\\ude00 \u{1f600}"}'), 'accepted')
  assert.equal(codeOf(Uint8Array.of(0x22, 0xff, 0x22)), 'malformed_json')
  assert.equal(codeOf(Uint8Array.of(0x22, 0xed, 0xa0, 0x80, 0x22)), 'malformed_json')
})

test('broken JSON is refused without quoting it back', () => {
  const secret = 'hunter2'
  assert.throws(
    () => parseStrictJsonText(`{"password":"${secret}"`, 'The body'),
    (error: Error & { code: string }) => error.code === 'malformed_json' && !error.message.includes(secret),
  )
  assert.throws(
    () => parseStrictJsonText(`{"password": ${secret}}`, 'The body'),
    (error: Error & { code: string }) => error.code === 'malformed_json' && !error.message.includes(secret),
  )
})

test('deep nesting costs neither stack nor sense', () => {
  const depth = 100_000
  assert.equal(codeOf('['.repeat(depth) + ']'.repeat(depth)), 'accepted')
  assert.equal(codeOf('['.repeat(depth)), 'malformed_json')
})

test('what JSON.stringify writes of plain values is read back unchanged', () => {
  const names = fc.string({ unit: 'grapheme' }).filter(name => name !== '__proto__' && !name.includes('\0'))
  const leaf = fc.oneof(
    names,
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.double({ noNaN: true, min: -1e15, max: 1e15 }).map(n => n + 0),
  )
  const { value } = fc.letrec(tie => ({
    value: fc.oneof(
      { maxDepth: 4 },
      leaf,
      fc.array(tie('value')),
      fc.dictionary(names, tie('value'), { noNullPrototype: true }),
    ),
  }))
  fc.assert(
    fc.property(value, value => {
      const text = JSON.stringify(value)
      assert.deepEqual(parseStrictJsonText(text, 'The body'), JSON.parse(text))
    }),
  )
})
