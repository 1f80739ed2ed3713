import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import { test } from 'node:test'
import fc from 'fast-check'
import { anyLine, partsOf, serializer } from '../testing/fuzzed-lines.ts'
import { bareHead, callHead, requestHead } from '../testing/sample-heads.ts'
import type { LineHead } from './line.ts'
import { otelLine } from './otel.ts'

const format = otelLine({ service: 'shop', env: 'production' })

interface KeyValue {
  readonly key: string
  readonly value: Readonly<Record<string, unknown>>
}

type LogRecord = Readonly<Record<string, unknown>> & { readonly attributes?: readonly KeyValue[] }

/** What the one record of a line says, and of whom. */
function read(line: string): { resource: readonly KeyValue[]; scope: unknown; record: LogRecord } {
  const whole = JSON.parse(line)
  assert.deepEqual(Object.keys(whole), ['resourceLogs'])
  const [{ resource, scopeLogs }, ...resources] = whole.resourceLogs
  const [{ scope, logRecords }, ...scopes] = scopeLogs
  const [record, ...records] = logRecords
  assert.deepEqual([resources, scopes, records], [[], [], []])
  return { resource: resource.attributes, scope, record }
}

const render = (head: LineHead, fields?: Record<string, unknown>, exception?: string) =>
  read(format(head, serializer, fields, exception, () => undefined))

/** Attributes by name, each as `kind:value`. */
const plain = (attributes: readonly KeyValue[] = []): Record<string, string> =>
  Object.fromEntries(
    attributes.map(({ key, value }) => {
      const [[kind, content] = ['', '']] = Object.entries(value)
      return [key, `${kind}:${typeof content === 'object' ? JSON.stringify(content) : content}`]
    }),
  )

/** Fails unless a value is one of OTLP's, of exactly one kind. */
function assertValue(value: Readonly<Record<string, unknown>>): void {
  const [[kind, content] = [], ...more] = Object.entries(value)
  assert.equal(more.length, 0)
  if (kind === 'stringValue') assert.equal(typeof content, 'string')
  else if (kind === 'boolValue') assert.equal(typeof content, 'boolean')
  else if (kind === 'intValue') assert.match(String(content), /^-?\d+$/)
  else if (kind === 'doubleValue') assert.equal(typeof content, 'number')
  else if (kind === 'arrayValue')
    for (const each of (content as { values: Record<string, unknown>[] }).values) assertValue(each)
  else if (kind === 'kvlistValue') assertAttributes((content as { values: KeyValue[] }).values)
  // Null in a list or an object.
  else assert.equal(kind, undefined)
}

function assertAttributes(attributes: readonly KeyValue[]): void {
  const keys = attributes.map(({ key }) => key)
  assert.equal(new Set(keys).size, keys.length, 'keys are unique')
  for (const { value } of attributes) assertValue(value)
}

test('OpenTelemetry: every line is a whole LogsData with one record of typed values', () => {
  fc.assert(
    fc.property(anyLine, plan => {
      const { head, fields, exception } = partsOf(plan)
      const { resource, record } = render(head, fields, exception)
      assertAttributes(resource)
      assertAttributes(record.attributes ?? [])
      assert(record.attributes?.every(({ value }) => Object.keys(value).length === 1) ?? true)
      assert.equal(record.timeUnixNano, String(BigInt(head.instant) * 1000n))
      assert(Number(record.severityNumber) >= 1 && Number(record.severityNumber) <= 24)
    }),
    { numRuns: 2_000, seed: 1 },
  )
})

test('OpenTelemetry: the resource, and a log call with an error', () => {
  const failure = { thrown: new TypeError('no card') }
  const fields = { amount: 5, rate: 0.5, paid: true, none: null, tags: ['a', 1, null], card: { brand: 'x' } }
  const { resource, scope, record } = render({ ...callHead, failure }, fields, 'trace')
  assert.deepEqual(plain(resource), {
    'service.name': 'stringValue:shop',
    'deployment.environment.name': 'stringValue:production',
    'host.name': `stringValue:${hostname()}`,
    'process.pid': `intValue:${process.pid}`,
  })
  assert.deepEqual(scope, { name: 'deedbox' })
  const { attributes, ...rest } = record
  assert.deepEqual(rest, {
    timeUnixNano: '1763664542000123000',
    observedTimeUnixNano: '1763664542000123000',
    severityNumber: 13,
    severityText: 'WARNING',
    body: { stringValue: 'charging' },
  })
  assert.deepEqual(plain(attributes), {
    request_id: 'stringValue:r-1',
    'code.file.path': 'stringValue:pay.ts',
    'code.function.name': 'stringValue:Till.charge',
    'code.line.number': 'intValue:12',
    'exception.type': 'stringValue:TypeError',
    'exception.message': 'stringValue:no card',
    'exception.stacktrace': 'stringValue:trace',
    amount: 'intValue:5',
    rate: 'doubleValue:0.5',
    paid: 'boolValue:true',
    tags: 'arrayValue:{"values":[{"stringValue":"a"},{"intValue":"1"},{}]}',
    card: 'kvlistValue:{"values":[{"key":"brand","value":{"stringValue":"x"}}]}',
  })
  assert.deepEqual(render({ ...callHead, logger: 'shop.till' }).scope, { name: 'shop.till' })
})

test('OpenTelemetry: a request line follows the semantic conventions', () => {
  const { attributes, traceId, spanId, eventName } = render(requestHead, { tenant: 't_1' }).record
  assert.deepEqual(
    [traceId, spanId, eventName],
    ['0af7651916cd43dd8448eb211c80319c', 'b7ad6b7169203331', 'request.summary'],
  )
  assert.deepEqual(plain(attributes), {
    request_id: 'stringValue:r-1',
    'client.address': 'stringValue:2001:db8::1',
    'client.port': 'intValue:5000',
    'url.scheme': 'stringValue:https',
    'network.protocol.version': 'stringValue:2.0',
    'http.request.method': 'stringValue:GET',
    'url.path': 'stringValue:/orders/7',
    'url.query': 'stringValue:full=1',
    'http.response.status_code': 'intValue:200',
    'http.response.body.size': 'intValue:512',
    elapsed: 'doubleValue:0.001234',
    'http.request.header.referer': 'arrayValue:{"values":[{"stringValue":"https://shop.example/"}]}',
    'user_agent.original': 'stringValue:curl/8',
    ttfb: 'doubleValue:0.001',
    'user.id': 'stringValue:u_1',
    'http.route': 'stringValue:/orders/:id',
    remote_address_chain: 'stringValue:2001:db8::1, 10.0.0.9',
    tenant: 'stringValue:t_1',
  })
  const bare = plain(render(bareHead).record.attributes)
  assert.deepEqual(bare, {
    request_id: 'stringValue:r-2',
    'client.address': 'stringValue:unknown',
    'url.scheme': 'stringValue:http',
    'network.protocol.version': 'stringValue:1.1',
    'http.request.method': 'stringValue:_OTHER',
    'http.request.method_original': 'stringValue:PURGE',
    'url.path': 'stringValue:*',
    'http.response.status_code': 'intValue:499',
    'http.response.body.size': 'intValue:0',
    elapsed: 'doubleValue:1',
    aborted: 'boolValue:true',
  })
})

test('OpenTelemetry: severities, by the number of the level', () => {
  const severity = (number: number): unknown =>
    render({ ...callHead, level: 'OTHER', number }).record.severityNumber
  assert.deepEqual([5, 10, 20, 25, 30, 40, 50].map(severity), [1, 5, 9, 10, 13, 17, 21])
  assert.deepEqual([0, 15, 22, 27, 35, 45, 100].map(severity), [1, 5, 9, 10, 13, 17, 21])
})

test('OpenTelemetry: no field takes the place of an attribute of the line', () => {
  const told: string[] = []
  const fields = { 'code.file.path': 'x', 'http.route': '/mine', request_id: 'x', fields: 1 }
  const { record } = read(format(callHead, serializer, fields, undefined, key => told.push(key)))
  const { 'code.file.path': path, 'http.route': route, fields: moved } = plain(record.attributes)
  assert.deepEqual([path, route], ['stringValue:pay.ts', 'stringValue:/mine'])
  assert.match(moved ?? '', /^kvlistValue:.*code\.file\.path.*request_id.*"fields"/)
  assert.deepEqual(told, ['code.file.path', 'request_id'])
})

test('OpenTelemetry: an audit event without a ledger keeps its payload as it was made', () => {
  const members = ',"request_id":"r-1","type":"audit","payload":{"n":12345678901234567890}'
  const { attributes } = render({ ...callHead, type: 'audit', members }).record
  assert.equal(plain(attributes).payload, 'stringValue:{"n":12345678901234567890}')
})
