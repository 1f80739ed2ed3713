import assert, { AssertionError } from 'node:assert'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { observe } from '../frameworks/node-http.ts'
import {
  assertEvent,
  assertLine,
  assertNoEvent,
  assertNoSecret,
  assertOneEventPerRequest,
  captureLog,
  memoryLedger,
} from './index.ts'

function failureOf(run: () => unknown): AssertionError {
  try {
    run()
  } catch (error) {
    assert.ok(error instanceof AssertionError, String(error))
    return error
  }
  return assert.fail('it passed')
}

test('assertEvent returns the event that fits, and tells what each of the others lacks', async () => {
  const ledger = memoryLedger()
  const { box } = captureLog({ ledger })
  const pattern = { event_name: 'order.paid', payload: { order: 7, lines: [{ id: 1 }] } }
  assert.match(
    failureOf(() => assertEvent(ledger, pattern)).message,
    /There is no event at all\..*requests: true/,
  )
  await box.send('order.paid', { order: 8, lines: [], note: 'n' })
  await box.send('order.sent', {})
  const { message, actual, expected, operator } = failureOf(() => assertEvent(ledger, pattern))
  assert.equal(
    message,
    "No event is { event_name: 'order.paid', payload: { order: 7, lines: [ { id: 1 } ] } }. There are 2:\n" +
      '  0 order.paid: payload.order is 8 and not 7\n' +
      '  1 order.sent: event_name is "order.sent" and not "order.paid"',
  )
  assert.deepEqual(expected, pattern)
  assert.deepEqual((actual as unknown[])[0], { event_name: 'order.paid', payload: { order: 8, lines: [] } })
  assert.equal(operator, 'assertEvent')
  await box.send('order.paid', { order: 7, lines: [{ id: 1, more: true }] }, { kind: 'success' })
  assert.equal(assertEvent(ledger, { ...pattern, type: 'success', meta: { service: /^test/ } }).index, 2)
  await box.close()
})

test('assertNoEvent shows the event that should not be', async () => {
  const ledger = memoryLedger()
  assertNoEvent(ledger)
  await ledger.appendBatch([{ payload: 'p', meta: { type: 'info', event_name: 'a', service: 's' } }])
  assertNoEvent(ledger, { event_name: 'b' })
  assert.match(failureOf(() => assertNoEvent(ledger)).message, /Event 0, a, is \{\}/)
})

test('assertLine finds a line by its fields', () => {
  const lines = [
    { level: 'INFO', message: 'log request', status_code: 200 },
    { level: 'ERROR', message: 'failed', exception: 'Error: no\n  at x' },
  ]
  assert.equal(assertLine(lines, { level: 'ERROR', exception: /^Error: no/ }), lines[1])
  const { message } = failureOf(() => assertLine(lines, { message: 'log request', status_code: 500 }))
  assert.match(message, /0 log request: status_code is 200 and not 500/)
  assert.match(failureOf(() => assertLine([], { level: 'INFO' })).message, /no line at all/)
})

test('assertNoSecret finds a secret in lines and events, in any of its forms, and never tells it', async () => {
  const secret = 'pa"ss/wörd, two?>>'
  const found = (captured: Parameters<typeof assertNoSecret>[0]) => {
    const { message, stack } = failureOf(() => assertNoSecret(captured, secret))
    assert.ok(!`${message}${stack}`.includes(secret))
    return message
  }
  for (const form of [
    secret,
    JSON.stringify({ secret }),
    encodeURIComponent(secret),
    Buffer.from(secret).toString('base64'),
  ])
    assert.match(found(['clean', `before ${form} after`]), /^The secret stands in item 1: .*‹the secret›/)
  const amid = (before: string, alphabet: 'base64' | 'base64url') =>
    Buffer.from(`${before}${secret}:more`).toString(alphabet)
  const request = JSON.stringify({ body: JSON.stringify({ secret }) })
  for (const form of [
    ...['', 'a', 'ab', 'abc'].flatMap(before => [amid(before, 'base64'), amid(before, 'base64url')]),
    JSON.stringify({ authorization: amid('user:', 'base64').replaceAll('/', '\\/') }),
    `?${new URLSearchParams({ authorization: amid('user:', 'base64') })}`,
    request,
    JSON.stringify({ request }),
    request.replaceAll('ö', '\\u00f6'),
    encodeURIComponent(secret).toLowerCase(),
    String(new URLSearchParams({ secret })),
    JSON.stringify({ query: `a=%zz&b=${encodeURIComponent(secret)}` }),
  ])
    assert.match(found(['clean', `before ${form} after`]), /^The secret stands in item 1: .*‹the secret›/)
  assert.match(found([new Error(secret)]), /item 0/)
  assert.match(found([{ deep: { er: [secret] } }]), /item 0/)
  const ledger = memoryLedger()
  const captured = captureLog({ ledger })
  captured.box.log.info('signed in', { password: secret })
  await captured.box.send('signed.in', { password: secret })
  await captured.lines()
  assertNoSecret(captured, secret)
  assertNoSecret(ledger, secret)
  captured.box.log.info(`signed in with ${secret}`)
  await captured.box.send('signed.in', { words: secret })
  await captured.lines()
  assert.match(found(captured), /line 1/)
  assert.match(found(ledger), /event 1, signed\.in/)
  assert.throws(() => assertNoSecret([], 'abc'), RangeError)
  assertNoSecret(['%', 'a+b', '\\', Buffer.from('another').toString('base64')], secret)
  await captured.box.close()
})

test('ruling 23 assertNoSecret says nothing of a log that captured nothing', async () => {
  const captured = captureLog({ log: { sink: { write: () => undefined } } })
  captured.box.log.info('with my-own-secret')
  await captured.lines()
  assert.match(failureOf(() => assertNoSecret(captured, 'my-own-secret')).message, /No line was captured/)
  await captured.box.close()
})

test('IF-29 assertOneEventPerRequest counts automatic events by their requests', async t => {
  const ledger = memoryLedger()
  const captured = captureLog({ ledger, audit: { requests: true }, skipPaths: ['/ping'] })
  const server = createServer(
    observe(captured.box)((request, response) => {
      // On a skipped path only what does not go well is recorded.
      if (request.url === '/ping') response.statusCode = 500
      response.end('ok')
    }),
  )
  t.after(() => server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  for (const path of ['/a', '/ping', '/b'])
    await (await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close' } })).text()
  await captured.recorded(3)
  await captured.box.send('by.hand', { order: 7 })
  await ledger.received(3)
  assertOneEventPerRequest(captured, ledger)
  // An event that somebody waits for goes before those that gather.
  const first = captured.records.find(({ path }) => path === '/a')!
  const second = captured.records.find(({ path }) => path === '/b')!
  const isOwn = ({ meta }: (typeof ledger.events)[number]): boolean => meta.request_id === first.requestId
  const own = ledger.events.filter(isOwn)
  const others = ledger.events.filter(event => !isOwn(event))
  const missing = failureOf(() => assertOneEventPerRequest(captured, { events: others }))
  assert.match(missing.message, new RegExp(`GET /a \\(${first.requestId}\\) has 0 and not 1`))
  const twice = { events: [...ledger.events, ...own] }
  assert.match(failureOf(() => assertOneEventPerRequest(captured, twice)).message, /has 2 and not 1/)
  const strange = { records: captured.records.filter(record => record !== second) }
  assert.match(
    failureOf(() => assertOneEventPerRequest(strange, ledger)).message,
    new RegExp(`${second.requestId}, which was not recorded, has 1`),
  )
  await captured.box.close()
})
