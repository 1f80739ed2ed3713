import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TrackedRecord, TrackedValue } from 'deedbox/chests'
import type { ChestHarness, Stored } from './chest-harness.ts'
import { aRecord, entriesOf, sorted } from './entries.ts'

const deep: TrackedValue = Array.from({ length: 50 }).reduce<TrackedValue>(inner => [{ inner }], 'core')

/**
 * One of each kind, and those that some database is known to stumble over.
 * @param longestText in bytes
 */
const valuesUpTo = (longestText: number): Readonly<Record<string, TrackedValue>> => ({
  text: 'text',
  empty_text: '',
  number_text: '1.50',
  null_text: 'null',
  json_text: '{"a":1}',
  quotes: `it's "quoted" \`here\` \\ %s $1 ? :name`,
  lines: 'one\r\ntwo\n\tthree ',
  emoji: '客 👩‍👩‍👧 🦊 é',
  nul: 'before\0after',
  megabyte: 'é…🦊x'.repeat(Math.floor(longestText / 10)),
  zero: 0,
  negative: -17,
  fraction: 0.1,
  huge: 1.7976931348623157e308,
  tiny: 5e-324,
  largest_integer: Number.MAX_SAFE_INTEGER,
  smallest_integer: Number.MIN_SAFE_INTEGER,
  yes: true,
  no: false,
  nothing: null,
  empty_object: {},
  empty_list: [],
  nested: { list: [1, 'two', null, { three: [true, []] }], 'é 🦊': {}, _id: 7 },
  odd_members: { 'a.b': 1, $set: { $inc: 2 }, '': 3, ['__proto__']: 4, _bsontype: 'ObjectId', id: 'x' },
  nul_inside: { 'a\0b': ['c\0d'] },
  deep,
})

const names = [
  ...[
    'user.id',
    '.',
    'a..b',
    '$set',
    '$',
    'a%2Eb',
    '%',
    '__proto__',
    'constructor',
    'toString',
    '',
    ' spaced ',
  ],
  ...["it's", 'quo"ted', '`tick`', 'x; DROP TABLE tracked_variables; --', 'a=b,c d', 'back\\slash\\'],
  ...['line\nbreak', '客 🦊', 'request_id', '_id', 'value', 'time', 'Name', 'name', 'n'.repeat(255)],
]

/** What is stored of what is written. */
export function valueSuite({
  name: chestName,
  skip,
  place: makePlace,
  keeps = same,
  longestText = 2_000_000,
  isIdempotent,
}: ChestHarness): void {
  const title = (text: string): string => `FC-23 FC-24 chest, ${chestName}: ${text}`
  const values = valuesUpTo(longestText)

  test(title('a value of every kind is stored as what it is'), { skip }, async t => {
    const place = await makePlace(t)
    const chest = place.open()
    t.after(() => chest.close())
    const record = aRecord()
    await chest.write(entriesOf(record, Object.entries(values)))
    const stored = await place.stored()
    assert.equal(stored.length, Object.keys(values).length)
    for (const [name, value] of Object.entries(values))
      assert.deepEqual(stored.find(entry => entry.name === name)?.value, keeps(value), name)
    assertFacts(stored, [record])
  })

  test(title('any name is a name'), { skip }, async t => {
    const place = await makePlace(t)
    const chest = place.open()
    t.after(() => chest.close())
    const variables = names.map((name, i) => [name, i] as const)
    const record = aRecord({ requestId: `'"\\;-- 🦊${'r'.repeat(240)}` })
    await chest.write(entriesOf(record, variables))
    assert.deepEqual(
      sorted(await place.stored()),
      sorted(
        entriesOf(
          record,
          variables.map(([name, i]) => [name, keeps(i)]),
        ),
      ),
    )
  })

  test(title('U+0000 and length anywhere keep nothing from being stored'), { skip }, async t => {
    const place = await makePlace(t)
    const chest = place.open()
    t.after(() => chest.close())
    const odd = aRecord({
      requestId: 'request\0id',
      route: `/${'long/'.repeat(600)}\0`,
      method: 'PROPFIND',
      error: `${'e'.repeat(100_000)}\0`,
    })
    const job = aRecord({ route: null, method: null, status: null })
    await chest.write([...entriesOf(odd, [['a\0b', 'odd']]), ...entriesOf(job, [['a', 'plain']])])
    const stored = await place.stored()
    assert.deepEqual(stored.map(({ value }) => value).sort(), [keeps('odd'), keeps('plain')])
    assertFacts(
      stored.filter(({ requestId }) => requestId === job.requestId),
      [job],
    )
  })

  test(title('several requests in one write stay apart, each with what is known of it'), {
    skip,
  }, async t => {
    const place = await makePlace(t)
    const chest = place.open()
    t.after(() => chest.close())
    const records = [
      aRecord({ status: 404, method: 'POST', route: '/a' }),
      aRecord({ route: null, status: 500, error: 'it broke' }),
      aRecord({ route: null, method: null, status: null }),
    ]
    const entries = records.flatMap((record, i) =>
      entriesOf(record, [['n', i], ...(i === 1 ? [] : [['user_id', `u-${i}`] as const])]),
    )
    await chest.write(entries)
    const stored = await place.stored()
    assert.deepEqual(
      sorted(stored),
      sorted(entries.map(entry => ({ ...parts(entry), value: keeps(entry.value) }))),
    )
    assertFacts(stored, records)
  })

  test(title('two requests with one id, and one variable of both'), { skip }, async t => {
    const place = await makePlace(t)
    const chest = place.open()
    t.after(() => chest.close())
    for (const n of [1, 2]) await chest.write(entriesOf(aRecord({ requestId: 'same' }), [['n', n]]))
    assert.deepEqual((await place.stored()).map(({ value }) => value).sort(), [keeps(1), keeps(2)])
  })

  test(title('what comes again is stored once'), { skip: skip || !isIdempotent }, async t => {
    const place = await makePlace(t)
    const [chest, other] = [place.open(), place.open()]
    t.after(() => Promise.all([chest.close(), other.close()]))
    const [first, second, third] = [1, 2, 3].map(n =>
      entriesOf(aRecord(), [
        ['n', n],
        ['m', null],
      ]),
    )
    await chest.write([...first!, ...second!])
    await chest.write([...first!, ...second!])
    await other.write([...second!, ...third!])
    assert.deepEqual(
      sorted(await place.stored()),
      sorted(
        [...first!, ...second!, ...third!].map(entry => ({ ...parts(entry), value: keeps(entry.value) })),
      ),
    )
  })

  test(`FC-25 chest, ${chestName}: tags are kept with each entry, those too that an exporter brings along`, {
    skip,
  }, async t => {
    const place = await makePlace(t)
    const tags = { app: 'shop', region: 'eu "1", a=b', leer: 'é 🦊' }
    const [chest, plain] = [place.open({ tags }), place.open()]
    t.after(() => Promise.all([chest.close(), plain.close()]))
    // What an exporter brings along, and what the chest says itself.
    const brought = { app: 'of another chest', place: 'a' }
    await chest.write([
      ...entriesOf(aRecord(), [['tagged', 1]]),
      ...entriesOf(aRecord({ tags: brought }), [['both', 1]]),
    ])
    await plain.write([
      ...entriesOf(aRecord(), [['plain', 2]]),
      ...entriesOf(aRecord({ tags: brought }), [['brought', 2]]),
    ])
    const expected = new Map<string, object>([
      ['tagged', tags],
      ['both', { ...brought, ...tags }],
      ['plain', {}],
      ['brought', brought],
    ])
    const stored = await place.stored()
    assert.equal(stored.length, expected.size)
    for (const entry of stored) {
      const { name, tags: kept } = entry
      if ('tags' in entry) assert.deepEqual({ ...kept }, expected.get(name), name)
    }
  })
}

function same(value: TrackedValue): TrackedValue {
  return value
}

function parts({ name, requestId }: { readonly name: string; readonly requestId: string }) {
  return { name, requestId }
}

/** What a layout does not keep is not asked for. */
function assertFacts(stored: readonly Stored[], records: readonly TrackedRecord[]): void {
  for (const entry of stored) {
    const record = records.find(({ requestId }) => requestId === entry.requestId)
    assert(record !== undefined, entry.requestId)
    for (const fact of ['timestamp', 'route', 'method', 'status'] as const)
      if (fact in entry) assert.equal(entry[fact], record[fact], `${fact} of ${entry.name}`)
  }
}
