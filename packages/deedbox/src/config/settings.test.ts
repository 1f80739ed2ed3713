import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  bytes,
  ConfigurationProblems,
  duration,
  flag,
  integer,
  json,
  list,
  number,
  oneOf,
  optional,
  parsed,
  readConfig,
  type Setting,
  text,
  url,
} from './index.ts'

/** What a variable with this text is read to, or the message if it does not fit. */
function read(setting: Setting<unknown, unknown>, written: string): unknown {
  try {
    return readConfig({ it: setting }, { environment: { IT: written } }).it
  } catch (error) {
    assert(error instanceof ConfigurationProblems)
    assert.deepEqual([error.code, error.problems.length], ['invalid_configuration', 1])
    return error.message.split('\n')[1]?.trim()
  }
}

const rows: readonly [Setting<unknown, unknown>, string, unknown][] = [
  ...['1', 'yes', 'TRUE', 'On'].map((word): [Setting<boolean>, string, boolean] => [flag(), word, true]),
  ...['0', 'No', 'false', 'OFF'].map((word): [Setting<boolean>, string, boolean] => [flag(), word, false]),
  [flag(), 'maybe', 'IT is "maybe". Set it to true or false (also 1, yes, on, 0, no, off).'],
  [flag(), 'constructor', 'IT is "constructor". Set it to true or false (also 1, yes, on, 0, no, off).'],
  [number(), ' 1.5e3 ', 1500],
  [number(), '-.5', -0.5],
  [number({ min: 0 }), '-1', 'IT is "-1". Set it to a number from 0.'],
  [number({ max: 9 }), '0x1', 'IT is "0x1". Set it to a number up to 9.'],
  [number(), 'Infinity', 'IT is "Infinity". Set it to a number.'],
  [number(), '1e999', 'IT is "1e999". Set it to a number.'],
  [integer({ min: 1, max: 65535 }), '65535', 65535],
  [integer({ min: 1, max: 65535 }), '65536', 'IT is "65536". Set it to a whole number from 1 to 65535.'],
  [integer(), '1.0', 'IT is "1.0". Set it to a whole number.'],
  [integer(), '9007199254740993', 'IT is "9007199254740993". Set it to a whole number.'],
  [oneOf(['Fast', 'safe']), 'FAST', 'Fast'],
  [oneOf(['a', 'A']), 'A', 'A'],
  [oneOf(['a', 'b']), 'c', 'IT is "c". Set it to one of a, b.'],
  [text(), ' any ', 'any'],
  [text({ min: 4 }), 'abc', 'IT does not fit. Set it to a text of at least 4 characters.'],
  [text({ pattern: /^[a-z]+$/g }), 'abc', 'abc'],
  [text({ pattern: /^[a-z]+$/ }), 'abc1', 'IT does not fit. Set it to a text that matches /^[a-z]+$/.'],
  [duration(), '500ms', 500],
  [duration(), '1.5h', 5_400_000],
  [duration(), '2 D', 172_800_000],
  [duration(), '0', 0],
  [duration(), '5', 'IT is "5". Set it to a time with its unit, such as 500ms, 5s, 2m or 1h.'],
  [duration(), '-5s', 'IT is "-5s". Set it to a time with its unit, such as 500ms, 5s, 2m or 1h.'],
  [
    duration({ min: '1s', max: 60_000 }),
    '2m',
    'IT is "2m". Set it to a time with its unit, such as 500ms, 5s, 2m or 1h, from 1s to 60000.',
  ],
  [bytes(), '512', 512],
  [bytes(), '64kib', 65_536],
  [bytes(), '1.5MB', 1_500_000],
  [bytes(), '1XB', 'IT is "1XB". Set it to a size such as 512, 64KiB or 10MB.'],
  [list(integer()), '1, 2,,3,', [1, 2, 3]],
  [list(text(), { separator: ';' }), 'a,b;c', ['a,b', 'c']],
  [
    list(integer()),
    '1,x',
    'IT is "1,x": its entry 2 does not fit. Set it to a list with "," between, each a whole number.',
  ],
  [
    list(flag(), { min: 2 }),
    'yes',
    'IT is "yes". Set it to a list of at least 2 entries with "," between, each true or false (also 1, yes, on, 0, no, off).',
  ],
  [json(), '{"a":[1]}', { a: [1] }],
  [json(), '{"a":"hidden"', 'IT does not fit. Set it to JSON of the kind that this service takes.'],
  [
    parsed(written => new Date(`${written}T00:00Z`).toISOString(), { expects: 'a day' }),
    '2026-11-29',
    '2026-11-29T00:00:00.000Z',
  ],
  [
    parsed(written => new Date(written).toISOString(), { expects: 'a day' }),
    'hidden',
    'IT does not fit. Set it to a day.',
  ],
  [optional(integer()), '7', 7],
  [optional(integer()), ' ', undefined],
  [url(), 'postgres://app:hunter2/db:x', 'IT does not fit. Set it to a URL such as https://host/path.'],
  [
    url({ protocols: ['https', 'http'] }),
    'ftp://a',
    'IT does not fit. Set it to a URL such as https://host/path, of https or http.',
  ],
]

for (const [setting, written, expected] of rows) {
  test(`FA-31 DF-54 ${setting.expects}: ${JSON.stringify(written)}`, () => {
    assert.deepEqual(read(setting, written), expected)
  })
}

test('DF-54 a URL is a URL, and each reading has its own', () => {
  const shape = { it: url({ default: 'https://a.example/x' }) }
  const [first, second] = [
    readConfig(shape, { environment: {} }).it,
    readConfig(shape, { environment: {} }).it,
  ]
  assert(first instanceof URL)
  assert.deepEqual([first.host, first === second], ['a.example', false])
})

test('DF-54 lists and JSON are frozen, as is the configuration', () => {
  const environment = { TAGS: 'a', RAW: '{"a":[1]}' }
  const config = readConfig({ tags: list(text()), raw: json<{ a: number[] }>() }, { environment })
  assert([config, config.tags, config.raw, config.raw.a].every(Object.isFrozen))
})

test('DF-54 JSON is checked by a function of the service', () => {
  const check = (value: unknown): number => {
    if (typeof value !== 'number') throw new TypeError(`${value} is no number`)
    return value
  }
  assert.equal(read(json({ check }), '5'), 5)
  assert.equal(
    read(json({ check }), '"hidden"'),
    'IT does not fit. Set it to JSON of the kind that this service takes.',
  )
})

test('DF-54 a long text, one that a terminal obeys, and one with the shape of a secret, is not repeated', () => {
  const long = 'x'.repeat(41)
  const token = 'Bearer abcdef123456789'
  for (const written of [long, token, '5\u009b2J', '\u202e5'])
    assert.equal(read(integer(), written), 'IT does not fit. Set it to a whole number.')
})

test('what cannot work in any environment is an error of the code', () => {
  assert.throws(() => readConfig({ a: integer({ default: 1.5 }) }, { environment: {} }), {
    name: 'TypeError',
    message: 'What the code gives for a does not fit. It has to be a whole number.',
  })
  assert.throws(() => duration({ min: '5x' as '5s' }), { name: 'TypeError' })
  assert.throws(() => oneOf([]), { name: 'TypeError' })
  assert.throws(() => readConfig({ aB: text(), a_b: text() }, { environment: {} }), {
    message: 'The settings aB and a_b read the same variable, A_B. Name one of them.',
  })
  assert.throws(() => readConfig({ toJSON: text() }, { environment: {} }), { name: 'TypeError' })
  assert.throws(() => readConfig({}, { prefix: 'A-', environment: {} }), { name: 'TypeError' })
})
