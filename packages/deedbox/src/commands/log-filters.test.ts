import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readEntries } from './log-entry.ts'
import { type FilterValues, readFilters } from './log-filters.ts'
import { UsageError } from './usage-error.ts'

const now = Date.parse('2026-11-29T18:10:00Z')

const lines = [
  {
    timestamp: '2026-11-29T18:00:00.000Z',
    level: 'INFO',
    message: 'a',
    request_id: 'r-1',
    n: 5,
    user: { id: 'u' },
  },
  { timestamp: '2026-11-29T18:05:00.000Z', level: 'WARNING', message: 'Time-out', request_id: 'r-2', n: 12 },
  {
    timestamp: '2026-11-29T18:09:00.000Z',
    level: 'INFO',
    message: 'b',
    exception: 'Error: x',
    source: 'src/b.ts:f:2',
  },
  { timestamp: '2026-11-29T18:10:00.000Z', level: 'ERROR', message: 'c', status_code: 503, 'user.id': 'v' },
]
  .map(line => JSON.stringify(line))
  .concat('no JSON: Time-out')

/** The places of the lines that fit. */
function fitting(values: FilterValues): number[] {
  const choice = readFilters(values, now)
  return lines.flatMap((line, i) => {
    const bytes = Buffer.from(line)
    return choice.mayFit(bytes) && readEntries(bytes).every(choice.fits) ? [i] : []
  })
}

test('FA-57 filters: each one, and several together', () => {
  const expected: readonly (readonly [FilterValues, number[]])[] = [
    [{}, [0, 1, 2, 3, 4]],
    [{ 'json-only': true }, [0, 1, 2, 3]],
    [{ level: 'warn' }, [1, 3]],
    [{ 'request-id': ['r-1'] }, [0]],
    [{ 'request-id': ['r-1', 'r-2'] }, [0, 1]],
    [{ 'request-id': ['r'] }, []],
    [{ since: '5m' }, [1, 2, 3]],
    [{ since: '2026-11-29T18:09:00Z', until: '2026-11-29T18:10:00Z' }, [2]],
    [{ message: 'Time' }, [1, 4]],
    [{ message: '/^time.OUT$/i' }, [1]],
    [{ message: '/Time/g' }, [1, 4]],
    [{ source: 'b.ts' }, [2]],
    [{ status: ['5xx'] }, [3]],
    [{ status: ['404', '500-599'] }, [3]],
    [{ status: ['4xx'] }, []],
    [{ errors: true }, [2, 3]],
    [{ field: ['n>5'] }, [1]],
    [{ field: ['n>=5', 'n<12'] }, [0]],
    [{ field: ['n=5.0'] }, [0]],
    [{ field: ['user.id=v'] }, [3]],
    [{ field: ['user.id!=u'] }, [1, 2, 3]],
    [{ field: ['message<=1'] }, []],
    [{ level: 'INFO', since: '6m', message: 'b' }, [2]],
  ]
  for (const [values, places] of expected) assert.deepEqual(fitting(values), places, JSON.stringify(values))
})

test('FA-57 an id that JSON writes otherwise is found as well', () => {
  const id = 'a"b\\ü'
  const bytes = Buffer.from(JSON.stringify({ request_id: id }))
  const choice = readFilters({ 'request-id': [id] }, now)
  assert(choice.mayFit(bytes) && readEntries(bytes).every(choice.fits))
})

test('FA-57 filters that cannot be read are called wrong', () => {
  for (const values of [
    { level: 'loud' },
    { since: 'yesterday' },
    { until: '2026-13-45T00:00:00Z' },
    { message: '/(/' },
    { status: ['6xx'] },
    { status: ['abc'] },
    { field: ['n'] },
    { field: ['=5'] },
    { field: ['n>'] },
    { field: ['n>many'] },
  ]) {
    assert.throws(() => readFilters(values, now), UsageError, JSON.stringify(values))
  }
})
