import assert from 'node:assert/strict'
import { hostname } from 'node:os'
import { test } from 'node:test'
import { serializer } from '../testing/fuzzed-lines.ts'
import { bareHead, callHead, requestHead } from '../testing/sample-heads.ts'
import { ecsLine } from './ecs.ts'
import type { LineHead } from './line.ts'

const format = ecsLine({ service: 'shop', env: 'production' })

const render = (head: LineHead, fields?: Record<string, unknown>, exception?: string): object =>
  JSON.parse(format(head, serializer, fields, exception, () => undefined))

const constant = {
  'ecs.version': '8.11.0',
  'service.name': 'shop',
  'service.environment': 'production',
  'event.dataset': 'shop.log',
  'process.pid': process.pid,
  'host.hostname': hostname(),
}

test('ECS: a log call with an error', () => {
  const failure = { thrown: new TypeError('no card') }
  const line = render(
    { ...callHead, logger: 'shop.till', failure },
    { amount: 5, card: { brand: 'x' } },
    'trace',
  )
  assert.deepEqual(line, {
    '@timestamp': '2025-11-20T18:49:02.000123Z',
    'log.level': 'warning',
    message: 'charging',
    ...constant,
    'log.logger': 'shop.till',
    'log.origin.file.name': 'pay.ts',
    'log.origin.file.line': 12,
    'log.origin.function': 'Till.charge',
    'http.request.id': 'r-1',
    'error.type': 'TypeError',
    'error.message': 'no card',
    'error.stack_trace': 'trace',
    deedbox: { amount: 5, card: { brand: 'x' } },
  })
  assert.deepEqual(Object.keys(line).slice(0, 3), ['@timestamp', 'log.level', 'message'])
})

test('ECS: a request line', () => {
  assert.deepEqual(render(requestHead, { tenant: 't_1' }), {
    '@timestamp': '2025-11-20T18:49:02.000123Z',
    'log.level': 'info',
    message: 'log request',
    ...constant,
    'event.action': 'request.summary',
    'http.request.id': 'r-1',
    'client.address': '2001:db8::1',
    'client.ip': '2001:db8::1',
    'client.port': 5000,
    'url.scheme': 'https',
    'http.version': '2.0',
    'http.request.method': 'GET',
    'url.original': '/orders/7?full=1',
    'url.path': '/orders/7',
    'url.query': 'full=1',
    'http.response.status_code': 200,
    'http.response.body.bytes': 512,
    'event.duration': 1_234_000,
    'http.request.referrer': 'https://shop.example/',
    'user_agent.original': 'curl/8',
    'user.id': 'u_1',
    'trace.id': '0af7651916cd43dd8448eb211c80319c',
    'span.id': 'b7ad6b7169203331',
    'event.outcome': 'success',
    deedbox: {
      ttfb: 0.001,
      route: '/orders/:id',
      remote_address_chain: '2001:db8::1, 10.0.0.9',
      tenant: 't_1',
    },
  })
})

test('ECS: what a request did not say is left out, and an address that is none is no ip', () => {
  const line = render(bareHead) as Record<string, unknown>
  assert.deepEqual([line['event.outcome'], line['client.address']], ['unknown', 'unknown'])
  assert.deepEqual(line.deedbox, { aborted: true })
  for (const name of [
    'client.ip',
    'client.port',
    'url.query',
    'http.request.referrer',
    'user_agent.original',
  ])
    assert(!(name in line), name)
})

test('ECS: requests that failed, late errors and jobs have their outcome, other lines none', () => {
  const outcome = (head: LineHead, exception?: string): unknown =>
    (render(head, {}, exception) as Record<string, unknown>)['event.outcome']
  const failed = { ...requestHead, members: requestHead.members.replace(':200,', ':503,') }
  const missing = { ...requestHead, members: requestHead.members.replace(':200,', ':404,') }
  const late = { ...requestHead, members: `${requestHead.members},"late":true` }
  assert.deepEqual(
    [failed, missing, late].map(head => outcome(head)),
    ['failure', 'success', 'failure'],
  )
  const renamed = { ...requestHead, members: requestHead.members.replace(',"status_code":200', '') }
  assert.equal(outcome(renamed), undefined)
  const job = { ...callHead, type: 'job.summary' }
  assert.deepEqual(
    [outcome(job), outcome(job, 'trace'), outcome(callHead)],
    ['success', 'failure', undefined],
  )
})

test('ECS: what requestFields puts in the place of a member is that member, if it has its type', () => {
  const members = ',"request_id":"r-1"'
  const line = render(
    { ...requestHead, members },
    { status_code: 418, route: '/x', method: 7, elapsed: 'long' },
  )
  const known = line as Record<string, unknown>
  assert.equal(known['http.response.status_code'], 418)
  assert.deepEqual(known.deedbox, { route: '/x', method: 7, elapsed: 'long' })
  const call = render(callHead, { method: 'cash' }) as Record<string, unknown>
  assert.deepEqual([call['http.request.method'], call.deedbox], [undefined, { method: 'cash' }])
})

test('ECS: the service can choose the key of its own fields', () => {
  const own = ecsLine({ service: 'shop', env: 'production', under: 'Shop' })
  assert.match(
    own(callHead, serializer, { a: 1 }, undefined, () => undefined),
    /,"Shop":\{"a":1\}\}$/,
  )
})

test('ECS: an audit event without a ledger keeps its payload as it was made', () => {
  const members =
    ',"request_id":"r-1","type":"audit","payload":{"n":12345678901234567890,"t":"a,\\"}"},"meta":{}'
  const line = format(
    { ...callHead, type: 'audit', members },
    serializer,
    undefined,
    undefined,
    () => undefined,
  )
  assert.match(
    line,
    /"deedbox":\{"type":"audit","payload":\{"n":12345678901234567890,"t":"a,\\"\}"\},"meta":\{\}\}/,
  )
})
