import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Line, numberText, ratiosOf, ratioText, spreadText, table } from './report.ts'

test('numbers have as many digits as mean something', () => {
  assert.deepEqual([0.123, 1.5, 12.34, 123.4, 1234567].map(numberText), [
    '0.12',
    '1.50',
    '12.3',
    '123',
    '1,234,567',
  ])
  assert.equal(numberText(Number.NaN), 'none')
})

test('a spread shows its range, one round alone has none', () => {
  assert.equal(spreadText([1200, 1000, 1300]), '1,200 (1,000–1,300)')
  assert.equal(spreadText([1200]), '1,200')
  assert.equal(ratioText([0.5, 2, 0.61]), '0.61 × (0.50–2.00)')
  assert.equal(ratioText([12.34]), '12.3 ×')
})

test('less CPU time for one request is a ratio above 1', () => {
  const ours = { values: [100, 100], cpu: [0.5, 1] }
  const theirs = { values: [50, 200], cpu: [1, 4] }
  assert.deepEqual(ratiosOf(ours, theirs), { measured: [2, 0.5], cpu: [2, 4] })
})

test('CPU time that is not known for every round gives no ratio', () => {
  const ours = { values: [100, 100], cpu: [0.5, undefined] }
  assert.deepEqual(ratiosOf(ours, { values: [50, 50], cpu: [1, 1] }).cpu, [])
  assert.deepEqual(ratiosOf({ values: [100] }, { values: [50] }).cpu, [])
})

test('a table has a row for each comparison, and one for a figure with an aim of its own', () => {
  const lines: Line[] = [
    {
      what: 'batches',
      unit: 'events/s',
      measured: { values: [100, 300, 200], cpu: [1, 1, 1] },
      aim: '≥ 150',
      against: [
        { what: 'ceiling', peer: { values: [200, 400, 400], cpu: [0.5, 0.5, 0.25] }, aim: '≥ 0.6' },
        { what: 'pg', peer: { missing: 'no server | here' }, aim: '≥ 5' },
      ],
    },
    { what: 'waits', unit: 'ms', measured: { values: [1.25] } },
    {
      what: 'singles',
      unit: 'events/s',
      measured: { values: [10] },
      against: [{ what: 'bare', peer: { values: [20] } }],
    },
  ]
  assert.deepEqual(table(lines).split('\n').slice(2), [
    '| batches | 200 (100–300) events/s |  |  |  | ≥ 150 |',
    '|  |  | ceiling: 400 | 0.50 × (0.50–0.75) | 0.50 × (0.25–0.50) | ≥ 0.6 |',
    '|  |  | pg | not measured: no server \\| here |  | ≥ 5 |',
    '| waits | 1.25 ms |  |  |  |  |',
    '| singles | 10.0 events/s | bare: 20.0 | 0.50 × |  |  |',
  ])
})
