import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import { test } from 'node:test'
import fc from 'fast-check'
import { anyLine, partsOf, serializer } from '../testing/fuzzed-lines.ts'
import { parseExactly, violations } from '../testing/json-schema.ts'
import { mozlogSchema } from '../testing/mozlog-schema.ts'
import type { LineHead } from './line.ts'
import { type MozlogOptions, mozlogLine } from './mozlog.ts'

const head: LineHead = {
  instant: 1_763_664_542_000_123,
  level: 'INFO',
  number: 20,
  type: 'app.log',
  logger: undefined,
  message: 'charging',
  source: undefined,
  failure: undefined,
  members: '',
}

type Envelope = Record<string, unknown> & { readonly Fields: Record<string, unknown> }

const render = (
  change: Partial<LineHead>,
  fields?: Record<string, unknown>,
  options?: MozlogOptions,
): Envelope =>
  parseExactly(
    mozlogLine('shop', options)({ ...head, ...change }, serializer, fields, undefined, () => undefined),
  ) as Envelope

test('DF-44 DF-47 the schema refuses what mozlog forbids', () => {
  const whole = { Timestamp: 1, Fields: { a: 1 } }
  assert.deepEqual(violations(whole, mozlogSchema), [])
  for (const value of [null, [], [1, 'a'], [null], [[1]], [{ a: 1 }], { a: 1 }, { value: null }])
    assert.equal(violations({ ...whole, Fields: { value } }, mozlogSchema).length, 1, JSON.stringify(value))
  for (const value of [
    '',
    0,
    false,
    ['a'],
    [1, 2.5],
    [true],
    { value: [1] },
    { value: 1, representation: 'x' },
  ])
    assert.deepEqual(violations({ ...whole, Fields: { value } }, mozlogSchema), [])
  for (const wrong of [
    {},
    { Timestamp: -1 },
    { Timestamp: 1.5 },
    { Timestamp: 1, Fields: {} },
    { Timestamp: 1, Severity: 8 },
    { Timestamp: 1, EnvVersion: 'two' },
    { Timestamp: 1, Hostname: '' },
  ])
    assert.equal(violations(wrong, mozlogSchema).length, 1, JSON.stringify(wrong))
})

test('DF-44 DF-47 DF-50 every record passes the schema, and its nanoseconds come back exactly', () => {
  const formats = [mozlogLine('shop'), mozlogLine('', { time: true, personal: 'omit' })]
  fc.assert(
    fc.property(anyLine, fc.constantFrom(...formats), (plan, format) => {
      const { head: each, fields, exception } = partsOf(plan)
      const line = parseExactly(format(each, serializer, fields, exception, () => undefined)) as Envelope
      assert.deepEqual(violations(line, mozlogSchema), [])
      assert.equal(BigInt(line.Timestamp as bigint), BigInt(each.instant) * 1000n)
      assert(!Object.values(line.Fields).includes(null))
    }),
    { numRuns: 5_000, seed: 1 },
  )
})

test('DF-44 the envelope: Logger is the application, Type the kind of line or the name of the logger', () => {
  const { Fields, ...envelope } = render({})
  assert.deepEqual(envelope, {
    Timestamp: 1_763_664_542_000_123_000n,
    Type: 'app.log',
    Logger: 'shop',
    Hostname: hostname(),
    EnvVersion: '2.0',
    Pid: process.pid,
    Severity: 6,
  })
  assert.deepEqual(Fields, { msg: 'charging' })
  const named = render({ logger: 'shop.cart' })
  assert.deepEqual([named.Logger, named.Type], ['shop', 'shop.cart'])
})

test('DF-45 severities are those of the Python library, and go by range for other levels', () => {
  const severities = [5, 10, 20, 25, 30, 40, 50].map(number => render({ number }).Severity)
  assert.deepEqual(severities, [7, 7, 6, 5, 4, 3, 2])
  const others = [0, 15, 22, 29, 35, 45, 100].map(number => render({ level: 'OTHER', number }).Severity)
  assert.deepEqual(others, [7, 7, 6, 5, 4, 3, 2])
})

test('DF-46 a message that is a JSON object becomes fields, and nothing of it is lost', () => {
  const fieldsOf = (message: string, fields?: Record<string, unknown>): unknown =>
    render({ message }, fields).Fields
  assert.deepEqual(fieldsOf('{"kind":"json","n":1,"deep":{"a":[]}}'), {
    kind: 'json',
    n: 1,
    deep: '{"a":[]}',
  })
  assert.deepEqual(fieldsOf('{"msg":"said","a":1}'), { msg: 'said', a: 1 })
  assert.deepEqual(fieldsOf('{"a":1,"b":2}', { a: 3 }), { a: 3, msg: '{"a":1,"b":2}' })
  assert.deepEqual(fieldsOf('{"token":"x"}'), { token: '[redacted]' })
  for (const message of ['{}', '{"a":null}', '{not json}', '{"a":1} and {"b":2}'])
    assert.deepEqual(fieldsOf(message), { msg: message })
})

test('DF-46 an error has error and traceback', () => {
  const failure = { thrown: new TypeError('no card') }
  const line = mozlogLine('shop')(
    { ...head, failure },
    serializer,
    {},
    'TypeError: no card\n    at x',
    () => {},
  )
  const { Fields } = JSON.parse(line) as Envelope
  assert.deepEqual(Fields, {
    error: 'TypeError: no card',
    traceback: 'Uncaught exception:\nTypeError: no card\n    at x',
    msg: 'charging',
  })
  const own = render({ failure }, { error: 'E_CARD' })
  assert.equal(own.Fields.error, 'E_CARD', 'what the caller calls the error stands')
})

test('DF-47 values: nulls and empty lists are left out, what is nested is JSON text, Fields is never empty', () => {
  const fields = { n: null, none: [], nan: Number.NaN, mixed: [1, 'a'], list: ['a', 'b'], nested: { a: 1 } }
  assert.deepEqual(render({ message: '' }, { ...fields, big: 12n }).Fields, {
    mixed: '[1,"a"]',
    list: ['a', 'b'],
    nested: '{"a":1}',
    big: '12',
  })
  assert.deepEqual(render({ message: '' }, { n: null }).Fields, { msg: '' })
})

test('DF-47 DF-52 rid, msg, source and traceback are the line’s own', () => {
  const told: string[] = []
  const fields = { rid: 'x', msg: 'x', source: 'x', traceback: 'x', fields: 'x', constructor: 'x' }
  const line = mozlogLine('shop')(
    { ...head, members: ',"request_id":"r-1"' },
    serializer,
    fields,
    undefined,
    key => told.push(key),
  )
  assert.deepEqual((JSON.parse(line) as Envelope).Fields, {
    rid: 'r-1',
    constructor: 'x',
    fields: '{"rid":"x","msg":"x","source":"x","traceback":"x","fields":"x"}',
    msg: 'charging',
  })
  assert.deepEqual(told, ['rid', 'msg', 'source', 'traceback'])
  assert.deepEqual(render({}, { rid: 'mine' }).Fields, { rid: 'mine', msg: 'charging' })
})

test('DF-48 personal data stays unless it is to be left out', () => {
  const fields = {
    agent: 'curl/8',
    email: 'a@b.example',
    errno: 0,
    lang: 'de',
    path: '/',
    remoteAddressChain: ['10.0.0.9'],
    service: 'sync',
    uid: 'u_1',
  }
  assert.deepEqual(render({}, fields).Fields, { ...fields, msg: 'charging' })
  const left = { errno: 0, path: '/', service: 'sync', msg: 'charging' }
  assert.deepEqual(render({}, fields, { personal: 'omit' }).Fields, left)
  const asJson = render({ message: JSON.stringify(fields) }, {}, { personal: 'omit' })
  assert.deepEqual(asJson.Fields, { errno: 0, path: '/', service: 'sync' })
})

test('DF-49 Time says the same instant in RFC 3339 when it is asked for', () => {
  assert.equal(render({}, {}, { time: true }).Time, '2025-11-20T18:49:02.000123Z')
  assert(!('Time' in render({})))
})
