import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readEntries } from './log-entry.ts'

const read = (line: object | string) =>
  readEntries(Buffer.from(typeof line === 'string' ? line : JSON.stringify(line)))

const at = Date.parse('2026-11-29T18:00:00.123Z')

/** The same warning in the formats that services write. */
const warnings: Readonly<Record<string, object>> = {
  flat: {
    timestamp: '2026-11-29T18:00:00.123456+00:00',
    level: 'WARNING',
    message: 'stock low',
    source: 'src/a.ts:f:1',
    request_id: 'r-1',
  },
  mozlog: {
    Timestamp: (at * 1000 + 456) * 1000,
    Type: 'app.log',
    Logger: 'shop',
    EnvVersion: '2.0',
    Severity: 4,
    Fields: { rid: 'r-1', msg: 'stock low', source: 'src/a.ts:f:1' },
  },
  'ECS, dotted': {
    '@timestamp': '2026-11-29T18:00:00.123456Z',
    'log.level': 'warn',
    message: 'stock low',
    'http.request.id': 'r-1',
  },
  'ECS, nested': {
    '@timestamp': '2026-11-29T18:00:00.123456Z',
    log: { level: 'warn' },
    message: 'stock low',
    http: { request: { id: 'r-1' } },
  },
  OTLP: {
    timeUnixNano: String(BigInt(at) * 1_000_000n + 456_000n),
    severityNumber: 13,
    body: { stringValue: 'stock low' },
    attributes: [{ key: 'request_id', value: { stringValue: 'r-1' } }],
  },
  pino: { level: 40, time: at + 0.456, pid: 1, hostname: 'h', reqId: 'r-1', msg: 'stock low' },
  winston: {
    level: 'warn',
    message: 'stock low',
    timestamp: '2026-11-29T18:00:00.123456Z',
    requestId: 'r-1',
  },
  zap: { level: 'warn', ts: at / 1000 + 0.000456, msg: 'stock low', request_id: 'r-1' },
  'Cloud Logging': {
    severity: 'WARNING',
    message: 'stock low',
    time: '2026-11-29T18:00:00.123456Z',
    labels: { request_id: 'r-1' },
  },
  Loguru: {
    text: '…',
    record: {
      message: 'stock low',
      level: { name: 'WARNING', no: 30 },
      time: { timestamp: at / 1000 + 0.000456 },
      extra: { request_id: 'r-1' },
    },
  },
}

for (const [format, line] of Object.entries(warnings)) {
  test(`FA-57 a line of ${format} tells its time, level, message and request id`, () => {
    const [entry, ...more] = read(line)
    assert(entry !== undefined && more.length === 0)
    assert.equal(entry.level?.name, 'WARNING')
    assert.equal(entry.level.number, 30)
    assert.equal(entry.message, 'stock low')
    assert.equal(entry.requestId, 'r-1')
    assert(Math.abs((entry.time ?? 0) - at - 0.456) < 0.002, `${entry.time}`)
    assert.equal(entry.exception, undefined)
  })
}

test('FA-57 an OTLP export of several records is several entries, of one record the line itself', () => {
  const record = (text: string) => ({ timeUnixNano: '1', severityNumber: 9, body: { stringValue: text } })
  const line = (...records: object[]) => ({ resourceLogs: [{ scopeLogs: [{ logRecords: records }] }] })
  const several = read(line(record('a'), record('b')))
  assert.deepEqual(
    several.map(({ message }) => message),
    ['a', 'b'],
  )
  const [one] = read(line(record('a')))
  assert.equal(one?.bytes.toString(), JSON.stringify(line(record('a'))))
})

test('FA-57 the line of a request says what it was: flat, mozlog, ECS and pino', () => {
  const facts = { method: 'GET', target: '/a', status: 503, seconds: 0.012, job: undefined }
  for (const line of [
    { method: 'GET', path_with_query: '/a', status_code: 503, elapsed: 0.012 },
    {
      Timestamp: 1.7e18,
      Type: 'request.summary',
      Severity: 3,
      Fields: { method: 'GET', path: '/a', code: 503, t: 12 },
    },
    {
      '@timestamp': '2026-11-29T18:00:00Z',
      'http.request.method': 'GET',
      'url.path': '/a',
      'http.response.status_code': 503,
      'event.duration': 12_000_000,
    },
    { req: { method: 'GET', url: '/a' }, res: { statusCode: 503 }, responseTime: 12 },
  ]) {
    assert.deepEqual(read(line)[0]?.request, facts)
  }
  assert.equal(read({ method: 'GET', path_with_query: '/a' })[0]?.request, undefined)
  assert.equal(read({ job: 'nightly', elapsed: 1 })[0]?.request?.job, 'nightly')
})

test('FA-57 what is no JSON object is all message, and has nothing else', () => {
  for (const text of ['plain text', '{"cut":', '[1]', '"text"', '{]}', '']) {
    const [entry] = read(text)
    assert.equal(entry?.message, text)
    assert.equal(entry?.object, undefined)
    assert.equal(entry?.level ?? entry?.time ?? entry?.requestId ?? entry?.request, undefined)
  }
  // Members of an odd kind harm nobody.
  const [odd] = read({
    timestamp: {},
    level: [],
    message: { a: 1 },
    request_id: null,
    status: 'x',
    elapsed: 'y',
  })
  assert.deepEqual(
    [odd?.time, odd?.level, odd?.message, odd?.requestId, odd?.status, odd?.request],
    [undefined, undefined, '{"a":1}', undefined, undefined, undefined],
  )
})

test('FA-57 levels by name and number: those of others among ours, unknown ones as INFO', () => {
  const number = (level: unknown) => read({ level })[0]?.level?.number
  assert.deepEqual(
    ['trace', 'Warn', 'FATAL', 'notice', 'emerg', 'audit', 10, 35, 60, 3, 7].map(number),
    [5, 30, 50, 25, 50, 20, 5, 20, 50, 40, 10],
  )
})

test('FA-57 what a format wraps stands at top level: the fields of ECS, mozlog, OTLP and Loguru', () => {
  const order = (line: object) => read(line)[0]?.fields.order
  assert.equal(order({ '@timestamp': '2026-11-29T18:00:00Z', deedbox: { order: 42 } }), 42)
  assert.equal(order({ Timestamp: 1.7e18, Fields: { order: 42 } }), 42)
  const attributes = [
    { key: 'order', value: { intValue: '42' } },
    { key: 'list', value: { arrayValue: { values: [{ boolValue: true }, { doubleValue: 0.5 }] } } },
    { key: 'deep', value: { kvlistValue: { values: [{ key: 'a', value: { stringValue: 'b' } }] } } },
  ]
  const [otlp] = read({ timeUnixNano: '1', severityNumber: 18, severityText: 'AUDIT', attributes })
  assert.deepEqual([otlp?.fields.order, otlp?.fields.list, otlp?.fields.deep], [42, [true, 0.5], { a: 'b' }])
  assert.deepEqual(otlp?.level, { name: 'AUDIT', number: 40 })
  const [loguru] = read({
    text: '18:00 | AUDIT | a - two\nlines\nError: x\n    at y\n',
    record: {
      level: { name: 'AUDIT', no: 35 },
      message: 'two\nlines',
      exception: { type: 'Error', value: 'x', traceback: true },
      extra: { order: 42 },
      file: { name: 'a.ts' },
      function: 'f',
      line: 3,
    },
  })
  assert.deepEqual(
    [loguru?.level, loguru?.exception, loguru?.source, loguru?.fields.order],
    [{ name: 'AUDIT', number: 35 }, 'Error: x\n    at y', 'a.ts:f:3', 42],
  )
})
