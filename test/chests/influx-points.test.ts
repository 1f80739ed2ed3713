import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ContextEntry, TrackedValue } from 'deedbox/chests'
import fc from 'fast-check'
import { pointName } from '../../packages/deedbox/src/chests/influx-line.ts'
import {
  type PointSettings,
  type PointWriter,
  pointWriter,
} from '../../packages/deedbox/src/chests/influx-points.ts'
import { fastCheckRuns } from '../fuzz/fuzz.ts'
import { aRecord, entriesOf } from './entries.ts'
import { plainText, variableOf } from './influx-reading.ts'
import { type Point, parseLines } from './line-protocol.ts'

const settings: PointSettings = {
  layout: 'request',
  measurement: 'sample',
  tags: {},
  routeTags: false,
  types: {},
}
const text = fc.string({ unit: 'binary' })
/** Any text, and those that are nearly something else. */
const name = fc.oneof(
  text,
  fc.constantFrom(
    ...['n', 'n_string', 'n_string_number', 'n_null', '_json', 'request_id', 'status', 'status_number'],
    ...[
      'time',
      '_time',
      '_field',
      'app',
      'value',
      '',
      '%',
      '%0A',
      '%%0A',
      '%2',
      '#x',
      'a,b',
      'a\\',
      'a\\ ',
      '\\=',
      '\n',
    ],
  ),
)
const value = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  text,
  fc.double({ noNaN: true, noDefaultInfinity: true }),
)
const variables = fc.uniqueArray(fc.tuple(name, value), { selector: ([key]) => key, minLength: 1 })

/** What JSON makes of it, as chests get it. */
function asJson(given: unknown): TrackedValue {
  return JSON.parse(JSON.stringify(given)) as TrackedValue
}

function linesOf(writer: PointWriter, entries: readonly ContextEntry[]): string {
  return writer
    .points(entries)
    .map(({ line }) => line)
    .join('\n')
}

function variablesOf(point: Point): [string, TrackedValue][] {
  const facts = ['request_id', 'service', 'env', 'route', 'method', 'status', 'error']
  return [...point.fields]
    .filter(([key]) => !facts.includes(key))
    .map(([key, field]) => {
      const [variable, kept] = variableOf(key, field.value)
      return [plainText(variable), kept]
    })
}

test('FC-17 FC-18 FC-23 whatever variables a request has, its point says them and nothing else', () => {
  fc.assert(
    fc.property(fc.array(variables, { minLength: 1, maxLength: 4 }), requests => {
      const writer = pointWriter({ ...settings, tags: { app: 'shop' } })
      for (const given of requests) {
        const record = aRecord({ requestId: 'r"1\\', route: '/a b,c', error: 'it\nbroke' })
        const entries = entriesOf(
          record,
          given.map(([key, one]) => [key, asJson(one)] as const),
        )
        const points = parseLines(linesOf(writer, entries))
        assert.equal(points.length, 1)
        const [point] = points
        assert.deepEqual(
          variablesOf(point!),
          entries.map(entry => [entry.name, entry.value]),
        )
        assert.deepEqual([...point!.tags], [['app', 'shop']])
        assert.equal(point!.time / 1_000n, BigInt(record.timestamp))
        const fact = (key: string): unknown => point!.fields.get(key)?.value
        assert.deepEqual(['request_id', 'route', 'method', 'status', 'error', 'service', 'env'].map(fact), [
          'r"1\\',
          '/a b,c',
          'GET',
          200,
          'it\nbroke',
          'shop',
          'test',
        ])
      }
    }),
    fastCheckRuns(100),
  )
})

test('FC-17 FC-18 in the layout of Flask-Chest each variable is a point with one field', () => {
  fc.assert(
    fc.property(variables, name, text, (given, requestId, tag) => {
      const writer = pointWriter({ ...settings, layout: 'flask-chest', tags: { app: tag } })
      const record = aRecord({ requestId })
      const entries = entriesOf(
        record,
        given.map(([key, one]) => [key, asJson(one)] as const),
      )
      const points = parseLines(linesOf(writer, entries))
      assert.deepEqual(
        points.map(({ measurement, fields }) => {
          const [[key, field] = ['', { value: '' }], ...others] = fields
          assert.equal(others.length, 0)
          const [variable, kept] = variableOf(key, field.value)
          assert.equal(variable, 'value')
          return [plainText(measurement), kept]
        }),
        entries.map(entry => [entry.name, entry.value]),
      )
      const tags = Object.entries({ request_id: requestId, app: tag }).filter(([, one]) => one !== '')
      for (const point of points)
        assert.deepEqual(
          Array.from(point.tags, ([key, one]) => [key, plainText(one)]),
          tags,
        )
    }),
    fastCheckRuns(100),
  )
})

test('FC-18 a field has one type for good, whatever is written', () => {
  fc.assert(
    fc.property(fc.array(variables, { minLength: 2, maxLength: 6 }), requests => {
      const writer = pointWriter(settings)
      const types = new Map<string, string>()
      for (const given of requests) {
        const entries = entriesOf(
          aRecord(),
          given.map(([key, one]) => [key, asJson(one)] as const),
        )
        for (const { fields } of parseLines(linesOf(writer, entries)))
          for (const [key, { type }] of fields) {
            assert.equal(types.get(key) ?? type, type, key)
            types.set(key, type)
          }
      }
    }),
    fastCheckRuns(100),
  )
})

test('FC-18 two names are never one, and a name that line protocol can write stays as it is', () => {
  fc.assert(
    fc.property(name, one => plainText(pointName(one)) === one),
    fastCheckRuns(1_000),
  )
  for (const plain of ['user_id', 'total time', 'a=b,c', '客🦊', 'C:\\shop', '100%', 'it\'s "quoted"'])
    assert.equal(pointName(plain), plain)
})

test('FC-17 route and method are tags where that is asked for, and fields where not', () => {
  const line = (routeTags: boolean): Point => {
    const writer = pointWriter({ ...settings, routeTags, tags: { env: 'live' } })
    return parseLines(linesOf(writer, entriesOf(aRecord({ route: '/a b' }), [['n', 1]])))[0]!
  }
  const [plain, tagged] = [line(false), line(true)]
  assert.deepEqual(Object.fromEntries(plain.tags), { env: 'live' })
  assert.deepEqual(Object.fromEntries(tagged.tags), { env: 'live', route: '/a b', method: 'GET' })
  assert.equal(plain.fields.get('route')?.value, '/a b')
  assert(!tagged.fields.has('route') && !tagged.fields.has('method'))
  assert(!plain.fields.has('env'), 'what is tagged is no field')
})

test('FC-17 points of one process have times of their own, the same each time they are written', () => {
  const times = new Set<bigint>()
  const records = Array.from({ length: 2_000 }, () => aRecord())
  for (const record of records) {
    const entries = entriesOf(record, [['n', 1]])
    const [first, again] = [0, 1].map(() => parseLines(linesOf(pointWriter(settings), entries))[0]!.time)
    assert.equal(first, again)
    times.add(first!)
  }
  assert.equal(times.size, records.length)
  assert(
    new Set([...times].map(time => time % 1_000n)).size > 500,
    'they are spread within their microsecond',
  )
})

test('FC-18 declared types are made where they can be, and a value that cannot goes beside', () => {
  const types = { n: 'number', i: 'integer', b: 'boolean', s: 'string', j: 'json' } as const
  const written = (variables: Record<string, TrackedValue>): unknown => {
    const writer = pointWriter({ ...settings, types })
    const [point] = parseLines(linesOf(writer, entriesOf(aRecord(), Object.entries(variables))))
    const facts = ['request_id', 'service', 'env', 'route', 'method', 'status', 'error']
    return Object.fromEntries(
      [...point!.fields]
        .filter(([key]) => !facts.includes(key))
        .map(([key, { type, value }]) => [key, [type, value]]),
    )
  }
  assert.deepEqual(written({ n: '1.50', i: '7', b: 'true', s: 12, j: 'text' }), {
    n: ['float', 1.5],
    i: ['integer', 7],
    b: ['boolean', true],
    s: ['string', '12'],
    j_json: ['string', '"text"'],
  })
  assert.deepEqual(written({ n: 'many', i: 1.5, b: 'maybe', s: null, j: null }), {
    n_string: ['string', 'many'],
    i_number: ['float', 1.5],
    b_string: ['string', 'maybe'],
    s_null: ['boolean', true],
    j_null: ['boolean', true],
  })
  assert.deepEqual(written({ n: '9007199254740993', i: '1e400', b: 0, s: { a: 1 } }), {
    n_string: ['string', '9007199254740993'],
    i_string: ['string', '1e400'],
    b: ['boolean', false],
    s: ['string', '{"a":1}'],
  })
})
