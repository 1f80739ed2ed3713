import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { StoredEvent } from '../stored-event.ts'
import { readChoice } from './choice-options.ts'
import { EventTable } from './event-table.ts'
import { type ServerSentEvent, serverSentEvents } from './server-sent-events.ts'
import { type Stats, statsPicture } from './stats-picture.ts'
import { bar, cellsOf, fitted, painter, printable } from './terminal-text.ts'

const plain = painter(false, {})

function stored(n: number, meta: object = {}): StoredEvent {
  return {
    index: n,
    tx_id: `tx_${String(n).padStart(24, '0')}`,
    at: '2026-11-20T18:00:00.000Z',
    kind: 'event',
    payload: '',
    payload_hash: null,
    meta: { type: 'error', event_name: 'demo.done', service: 'demo', ...meta },
    principal: 'p',
    request_id: `request-${n}`,
  }
}

test('what somebody else wrote steers no terminal: controls, line ends and direction marks are escaped', () => {
  assert.equal(
    printable('a\u001b[31m\r\n\u202eb\u0085\u2028'),
    'a\\u001b[31m\\u000d\\u000a\\u202eb\\u0085\\u2028',
  )
  assert.equal(printable('é 订单 🎉'), 'é 订单 🎉')
  assert.equal(printable('\ud800'), '\ufffd')
})

test('texts are measured and cut in cells', () => {
  assert.deepEqual(['abc', '订单', 'é', 'e\u0301', '🎉'].map(cellsOf), [3, 4, 1, 1, 2])
  assert.equal(fitted('ab', 4), 'ab  ')
  assert.equal(fitted('abcdef', 4), 'abc…')
  assert.equal(fitted('订单已', 4), '订… ')
  assert.equal(cellsOf(fitted('订单已', 5)), 5)
  assert.deepEqual([bar(0, 9, 5), bar(9, 9, 5), bar(1, 1_000, 5)], ['', '█████', '▏'])
})

test('the table of events is never wider than the terminal, and shows what matters first', () => {
  const rows = [
    stored(1, { event_name: 'x'.repeat(200), actor: { id: 'u'.repeat(90) }, outcome: 'failure' }),
    stored(2, { event_name: 'a\nb' }),
  ]
  for (const width of [20, 40, 60, 80, 100, 120, 200]) {
    for (const goesOn of [false, true]) {
      const text = new EventTable(width, plain, goesOn).lines(rows)
      const lines = text.split('\n')
      assert.equal(lines.length, 4)
      for (const line of lines) assert(cellsOf(line) <= Math.max(width, 44), `${width}: ${line}`)
    }
  }
  const head = (width: number) => new EventTable(width, plain, false).lines([]).trim().split(/ {2,}/)
  assert.deepEqual(head(80), ['time (UTC)', 'type', 'event', 'actor', 'outcome'])
  assert.deepEqual(head(120), ['time (UTC)', 'type', 'event', 'actor', 'outcome', 'request id', 'tx_id'])
})

test('colours are for terminals, and NO_COLOR turns them off', () => {
  assert.equal(painter(true, {})('red', 'x'), '\u001b[31mx\u001b[0m')
  assert.equal(painter(true, { NO_COLOR: '' })('red', 'x'), '\u001b[31mx\u001b[0m')
  for (const env of [{ NO_COLOR: '1' }, { TERM: 'dumb' }]) assert.equal(painter(true, env)('red', 'x'), 'x')
  assert.equal(painter(false, {})('red', 'x'), 'x')
})

test('--since and --until are spans or RFC 3339 times', () => {
  const now = Date.parse('2026-11-20T18:00:00Z')
  const since = (text: string) => readChoice({ since: text }, now).since
  assert.equal(since('90s'), '2026-11-20T17:58:30.000Z')
  assert.equal(since('2w'), '2026-11-06T18:00:00.000Z')
  assert.equal(since('2026-11-20T18:00:00+01:00'), '2026-11-20T18:00:00+01:00')
  for (const wrong of ['1y', '1.5h', '-1h', '', '2026-11-20', '2026-13-20T18:00:00Z']) {
    assert.throws(() => since(wrong), { code: 'invalid_usage' }, wrong)
  }
})

test('server-sent events are put together wherever the bytes were cut', async () => {
  const text =
    ': here\nid: 4\n\nid: 5\nevent: event\ndata: {"ü":1}\n\ndata:a\ndata: b\n\nid: 9\ndata: unfinished'
  const bytes = Buffer.from(text)
  for (const size of [1, 2, 3, 10, bytes.length]) {
    const found: ServerSentEvent[] = []
    const pieces = async function* () {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
    }
    for await (const message of serverSentEvents(pieces())) found.push(message)
    assert.deepEqual(found, [
      { event: 'message', data: '', id: '4' },
      { event: 'event', data: '{"ü":1}', id: '5' },
      { event: 'message', data: 'a\nb', id: undefined },
    ])
  }
})

test('the picture of the figures fits 80 cells, draws hours without events and says what was left out', () => {
  const figures: Stats = {
    place: '/data',
    origin: `${'0'.repeat(32)}.deedbox.invalid/main`,
    size: 1_234_567,
    first_at: '2026-11-18T10:00:00.000Z',
    newest_at: '2026-11-20T18:00:00.000Z',
    file_bytes: 3_500_000_000,
    api_keys: 3,
    checkpoint: { size: 1_234_000, covers_until: '2026-11-20T17:59:00.000Z' },
    guard: { good: false, says: 'none on this machine' },
    counted: 1_000_000,
    from: 234_567,
    to: 1_234_567,
    complete: false,
    interval: 'hour',
    buckets: [
      { from: '2026-11-20T10:00:00.000Z', count: 999_000, by_type: { error: 1, info: 998_999 } },
      { from: '2026-11-20T18:00:00.000Z', count: 1_000, by_type: { error: 1_000 } },
    ],
    facets: [
      {
        field: 'event_name',
        values: [{ value: `订单\u001b${'x'.repeat(100)}`, count: 1_000_000 }],
        different: 9,
        complete: true,
        from: 0,
      },
    ],
  }
  const text = statsPicture(figures, { width: 80, paint: plain, now: Date.parse('2026-11-20T18:00:30Z') })
  const lines = text.split('\n')
  for (const line of lines.slice(0, -3)) assert(cellsOf(line) <= 80, line)
  assert(!text.includes('\u001b'))
  for (const part of [
    '1,234,567 entries',
    '3.3 GiB',
    '30 seconds ago',
    'public at 1,234,000, 567 behind',
    '1,000 errors',
    'Event names, 1 of 9',
    'Counted from index 234,567 on',
  ]) {
    assert(text.includes(part), part)
  }
  assert.equal(lines.filter(line => line.startsWith('2026-11-20 1')).length, 9)
})
