import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Cell, cellOf } from './cell.ts'
import { type Reading, readMorgan, readPino } from './reading.ts'
import { type Scenario, scenarios } from './scenarios.ts'
import { sectionOf, withSection } from './tables.ts'

const [answered, throws, leaves] = scenarios as [Scenario, Scenario, Scenario]
const record: Reading = {
  path: '/',
  isRecord: true,
  status: 200,
  level: 'info',
  toldAbort: false,
  error: undefined,
}
const failed: Reading = { ...record, status: 500, level: 'error', error: 'Error: the till is jammed' }
const invented: Reading = { ...failed, level: 'info', error: 'failed with status code 500' }
const onTheWay: Reading = { ...record, isRecord: false, status: undefined }

const cases: readonly [string, Scenario, Reading[], number | undefined, Cell][] = [
  ['the status that was sent is right', answered, [record], 200, { text: '200, info', right: true }],
  ['another status is wrong', answered, [record], 204, { text: '200, info', right: false }],
  ['no line is wrong', answered, [], 200, { text: 'nothing', right: false }],
  ['no record is wrong', answered, [onTheWay], 200, { text: 'only that it came', right: false }],
  [
    'lines on the way are counted and do no harm',
    answered,
    [onTheWay, record],
    200,
    { text: '200, info (2 lines)', right: true },
  ],
  [
    'two records are wrong',
    answered,
    [record, record],
    200,
    { text: '200, info; 200, info (2 lines)', right: false },
  ],
  ['the real error is right', throws, [failed], 500, { text: '500, error, the real error', right: true }],
  [
    'a failure without its error is wrong',
    throws,
    [{ ...failed, error: undefined }],
    500,
    { text: '500, error, no error', right: false },
  ],
  [
    'an invented error is wrong',
    throws,
    [invented],
    500,
    { text: '500, info, an invented error', right: false },
  ],
  [
    'an invented error is wrong beside the real one too',
    throws,
    [{ ...failed, isRecord: false }, invented],
    500,
    { text: '500, info, an invented error, the real error on another line (2 lines)', right: false },
  ],
  [
    'the real error may stand on another line',
    throws,
    [
      { ...failed, isRecord: false },
      { ...failed, error: undefined },
    ],
    500,
    { text: '500, error, the real error on another line (2 lines)', right: true },
  ],
  [
    'an abort that is told is right, whatever the status',
    leaves,
    [{ ...record, toldAbort: true }],
    undefined,
    { text: '200, info, aborted', right: true },
  ],
  [
    '499 tells an abort',
    leaves,
    [{ ...record, status: 499 }],
    undefined,
    { text: '499, info, aborted', right: true },
  ],
  [
    'an abort that is not told is wrong',
    leaves,
    [record],
    undefined,
    { text: '200, info, looks fine', right: false },
  ],
]

for (const [what, scenario, readings, sent, cell] of cases) {
  test(`the rule of the comparison: ${what}`, () => {
    assert.deepEqual(cellOf(scenario, readings, sent), cell)
  })
}

test('lines of pino without a path belong to the request whose id they carry; stack traces are passed over', () => {
  const lines = [
    '{"level":30,"reqId":"req-1","req":{"url":"/a?b=c"},"msg":"incoming request"}',
    'Error: printed by the framework',
    '    at somewhere',
    '{"level":50,"reqId":"req-1","res":{"statusCode":500},"responseTime":1,"msg":"request completed"}',
    '{"level":30,"msg":"Server listening"}',
  ]
  assert.deepEqual(
    readPino(lines.join('\n')).map(({ path, isRecord, status, level }) => [path, isRecord, status, level]),
    [
      ['/a', false, undefined, 'info'],
      ['/a', true, 500, 'error'],
    ],
  )
})

test('a status of - in the log of morgan tells an abort', () => {
  const [reading] = readMorgan('127.0.0.1 - - [20/Nov/2026:20:24:28 +0000] "GET /a HTTP/1.1" - - "-" "-"\n')
  assert.deepEqual([reading?.path, reading?.status, reading?.toldAbort], ['/a', undefined, true])
})

test('a section of a page is what stands between its two marks, and a page without them is reported', () => {
  const page = 'before\n<!-- a: written by x -->\nold\n<!-- end of a -->\nafter\n'
  assert.equal(sectionOf(page, 'a'), 'old')
  assert.equal(
    withSection(page, 'a', 'new $& one'),
    'before\n<!-- a: written by x -->\nnew $& one\n<!-- end of a -->\nafter\n',
  )
  assert.throws(() => sectionOf(page, 'b'), /no place for "b"/)
})
