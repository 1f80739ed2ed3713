import assert from 'node:assert/strict'
import { test } from 'node:test'
import { contextEntry, type TrackedRecord, type TrackedValue } from '../tracking/index.ts'
import { portionsOf, sqlRows } from './sql-row.ts'

const record: TrackedRecord = {
  id: '0190d3a4-7c00-7000-8000-000000000001',
  requestId: 'r\0',
  timestamp: Date.UTC(2026, 0, 31, 12) * 1_000 + 7,
  ...{ service: 's', env: 'e', route: '/\0', method: 'GET', status: 200, error: null },
}
const row = (value: TrackedValue) =>
  sqlRows([contextEntry(record, 3, 'a\0b', value)], 'PostgreSQL(name=x)', {})[0]!

test('FC-24 an entry becomes columns, its time in microseconds', () => {
  const { entry_id, name, record: ofRequest } = row(1)
  const { created_at, request_id, route } = ofRequest
  assert.equal(created_at, '2026-01-31 12:00:00.000007')
  assert.equal(entry_id, '0190d3a4-7c00-7000-8000-000000000001.3')
  assert.deepEqual([request_id, name, route], ['r␀', 'a␀b', '/␀'])
})

test('FC-24 JSON goes into a column of its own where every server takes it there', () => {
  const nested = (levels: number): TrackedValue => (levels === 0 ? 1 : [nested(levels - 1)])
  const values: TrackedValue[] = [{}, [], { a: ['b'] }, nested(30)]
  for (const value of values) assert.equal(row(value).is_json, true)
  for (const value of ['{}', 'a\0', 1, null, true, { a: '\0' }, { '\0': 1 }, nested(31)])
    assert.equal(row(value).is_json, false)
})

test('an id that no column could hold is refused, not cut', () => {
  const entry = contextEntry({ ...record, id: 'x'.repeat(260) }, 0, 'a', 1)
  assert.throws(() => sqlRows([entry], 'MySQL(name=x)', {}), { code: 'refused', chest: 'MySQL(name=x)' })
})

test('rows are divided in their order, and one that is too large stands alone', () => {
  const divided = (sizes: number[], most: number) => portionsOf(sizes, size => size, most)
  assert.deepEqual(divided([], 10), [])
  assert.deepEqual(divided([4, 6, 1, 30, 2, 8], 10), [[4, 6], [1], [30], [2, 8]])
})

test('FC-25 tags are one text, or none; the chest adds its own to those that were brought along', () => {
  const tagsOf = (brought: Record<string, string> | undefined, own: Record<string, string>) =>
    sqlRows([contextEntry({ ...record, tags: brought }, 0, 'a', 1)], 'MySQL(name=x)', own)[0]?.record.tags
  assert.equal(tagsOf(undefined, {}), null)
  assert.equal(tagsOf(undefined, { a: 'b\0', __proto__: 'c' } as never), '{"a":"b␀"}')
  assert.equal(tagsOf({ a: 'old', place: 'x' }, { a: 'b' }), '{"a":"b","place":"x"}')
})
