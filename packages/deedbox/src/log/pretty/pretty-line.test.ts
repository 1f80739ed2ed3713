import assert from 'node:assert/strict'
import { test } from 'node:test'
import { stripVTControlCharacters } from 'node:util'
import { createRedactor, createSerializer, logLimits } from '../../safety/index.ts'
import type { LineHead } from '../line.ts'
import { choosePalette, prettyLine, prettyObject } from './index.ts'

const { palette } = choosePalette({ FORCE_COLOR: '3' }, false)
const serializer = createSerializer(createRedactor(), logLimits)

const head: LineHead = {
  instant: Date.UTC(2026, 10, 29, 23, 41, 7, 123) * 1_000 + 456,
  level: 'INFO',
  number: 20,
  type: 'app.log',
  logger: undefined,
  message: 'hello',
  source: 'a.ts:b:1',
  failure: undefined,
  members: '',
}

function line(changes: Partial<LineHead>, fields?: Record<string, unknown>, exception?: string): string {
  return prettyLine({ palette: undefined })({ ...head, ...changes }, serializer, fields, exception, () => {})
}

test('FA-11 a written line is the flat line laid out, redacted like it, without an end', () => {
  assert.equal(
    line({}, { password: 'hunter2', level: 'FAKE', user: { id: 7 } }),
    [
      '23:41:07.123Z INFO     hello  a.ts:b:1',
      '  password: "[redacted]"',
      '  user: { id: 7 }',
      '  fields: { level: "FAKE" }',
    ].join('\n'),
  )
})

test('FA-11 the exception is several lines of text in both views', () => {
  const exception = 'TypeError: no\n    at f (/srv/a.ts:1:2)'
  for (const view of ['compact', 'json'] as const) {
    const text = prettyLine({ palette: undefined, view })(head, serializer, undefined, exception, () => {})
    assert(text.endsWith('\n  TypeError: no\n      at f (/srv/a.ts:1:2)'), text)
  }
})

test('FA-04 FA-11 levels of the service itself have the colour of their number, loggers their name', () => {
  const format = prettyLine({ palette })
  const notice = format(
    { ...head, level: 'NOTICE', number: 27, logger: 'db' },
    serializer,
    undefined,
    undefined,
    () => {},
  )
  assert(notice.includes('\x1b[38;5;114mNOTICE\x1b[39m'), JSON.stringify(notice))
  assert.match(stripVTControlCharacters(notice), /NOTICE {3}db: hello/)
  const lowest = format({ ...head, level: 'SILLY', number: 1 }, serializer, undefined, undefined, () => {})
  assert(lowest.includes('\x1b[38;5;243mSILLY'))
})

test('FA-11 a line that cannot be read again is written as it is', () => {
  assert.match(line({ members: ',broken' }), /^\{"timestamp":.*,broken\}$/)
})

test('FA-11 nothing in a line reaches the terminal as a control character, and no value passes for a line', () => {
  const hostile = [
    '\x1b[2J\x1b]0;title\x07',
    '\x9b31m',
    '\u202eevil',
    'a\rb\bc\td',
    '\x00\x7f\u2028\u{e0041}\ud800',
    'line\n23:41:07.123Z INFO     forged  a.ts:b:1\r\n\x1b[1A',
    `${'x'.repeat(75)} 23:41:07.123Z INFO forged `.repeat(30),
  ]
  const rows = hostile.flatMap(text => {
    const records = [
      { message: text },
      { level: text, message: 'm' },
      { timestamp: text, source: text, request_id: text, message: 'm' },
      { message: 'm', [text]: text },
      { message: 'm', deep: { [text]: [text, { [text]: text }] } },
      { message: 'm', exception: text },
      { message: 'm', exception: `E\n    at ${text}` },
      { message: 'audit event', type: 'audit', event_name: text, payload: { kind: text, [text]: text } },
      { message: 'log request', method: text, status_code: 200, path_with_query: text, user_agent: text },
    ]
    return records.flatMap(record =>
      (['compact', 'json'] as const).flatMap(view =>
        [40, 80, undefined].flatMap(columns => {
          const coloured = prettyObject(record, palette, { view, columns, logger: text })
          const plain = prettyObject(record, undefined, { view, columns, logger: text })
          assert.equal(coloured.replaceAll(/\x1b\[(?:\d+;)*\d+m/g, ''), plain)
          assert.doesNotMatch(plain, /[^\n\P{Cc}]|[\p{Cs}\u2028\u202e\u{e0041}]/u)
          const [, ...beneath] = plain.split('\n')
          for (const row of beneath) assert.match(row, /^(?: {2}|\}$)/)
          return columns === undefined || view === 'json'
            ? []
            : plain.split('\n').map(row => [row.length, columns])
        }),
      ),
    )
  })
  for (const [length = 0, columns] of rows) assert(length <= Number(columns), `${length} > ${columns}`)
})

test('FA-11 long values are wrapped beneath their key and cut, wide characters counted as two columns', () => {
  const text = prettyObject(
    { message: 'm', text: 'word '.repeat(400), list: [...Array(99).keys()] },
    undefined,
    { columns: 50 },
  )
  const rows = text.split('\n')
  assert(rows.every(row => row.length <= 50))
  assert(rows.length < 50, String(rows.length))
  assert(text.includes('characters'))
  assert(text.includes('… 69 more'))
  const wide = prettyObject({ message: 'm', text: '漢字'.repeat(30) }, undefined, { columns: 50 })
  assert(wide.split('\n').every(row => row.length <= 30))
  const whole = prettyObject({ message: 'm', text: 'word '.repeat(400) }, undefined, {})
  assert.equal(whole.split('\n').length, 2)
})

test('FA-11 a text that looks like something else stands in quotation marks', () => {
  const shown = (value: unknown): string | undefined => prettyObject({ value }, undefined).split('\n')[1]
  assert.equal(shown('seven'), '  value: seven')
  for (const text of ['7', '-1.5e3', 'true', 'NULL', '', ' x', 'x ', '{a', '[a', '"a"']) {
    assert.equal(shown(text), `  value: ${JSON.stringify(text)}`)
  }
  assert.equal(shown(7), '  value: 7')
  assert.equal(shown('2 apples'), '  value: 2 apples')
  assert.equal(shown({}), '  value: {}')
  assert.equal(shown([]), '  value: []')
})

test('FA-11 whatever a line holds is shown, also what is no line of ours', () => {
  const deep = JSON.parse(`${'['.repeat(5_000)}${']'.repeat(5_000)}`) as unknown
  const records = [
    {},
    { level: 30, msg: 'pino', time: 1 },
    { message: { a: 1 } },
    { deep },
    { exception: { a: 1 } },
  ]
  for (const record of records) {
    for (const view of ['compact', 'json'] as const) {
      for (const columns of [undefined, 0, Number.NaN, 1, 30, 200]) {
        assert.equal(typeof prettyObject(record, palette, { view, columns }), 'string')
      }
    }
  }
  assert.equal(prettyObject({ exception: { a: 1 } }, undefined), '\n  exception: { a: 1 }')
})

test('FA-11 the json view is the object itself', () => {
  const record = {
    timestamp: 't',
    message: 'a\x1b[0m\u009b\\',
    empty: {},
    none: [],
    list: [{ a: null }, 'x'],
  }
  const text = prettyObject(record, undefined, { view: 'json' })
  assert.deepEqual(JSON.parse(text), record)
  assert.equal(text, JSON.stringify(record, null, 2).replaceAll('\u009b', '\\u009b'))
})
