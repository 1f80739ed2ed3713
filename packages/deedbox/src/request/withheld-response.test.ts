import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { observe } from '../frameworks/node-http.ts'
import type { RequestRecord } from '../index.ts'
import { client, get, heldService, impatient } from '../testing/held-responses.ts'
import { aBox, aLedger, noticesOf } from '../testing/ledger-events.ts'
import { keepAll, type LedgerStandIn, type Script, until } from '../testing/ledger-stand-in.ts'
import { serve } from '../testing/served.ts'

const closed = { mode: 'closed' } as const
const close = 'Connection: close'

/** Has a ledger keep everything from now on, once no attempt for a withheld response is under way any more. */
async function comesBack(ledger: LedgerStandIn): Promise<void> {
  await until(
    () => ledger.calls.at(-1)?.items.every(({ payload }) => payload.includes('"status_code":503')) === true,
  )
  ledger.follow(keepAll)
}

const refusals: Readonly<Record<string, Script>> = {
  'is cut off': () => 'cut',
  'never answers': () => 'never',
  'answers 500': () => ({ status: 500, body: { ok: false, reason: 'storage_error' } }),
  'refuses for good': () => ({ status: 422, body: { ok: false, reason: 'invalid_payload' } }),
  'has no quota left': () => ({ status: 429, body: { ok: false, reason: 'quota' } }),
}

for (const [what, script] of Object.entries(refusals)) {
  test(`X-11 closed: a ledger that ${what} has the response withheld, and told`, async t => {
    const service = await heldService(
      t,
      script,
      { ...closed, holdTimeout: 60, quotaPause: 1, timeout: 100 },
      (_request, response) => {
        response.setHeader('Set-Cookie', 'session=secret')
        response.end('the secret answer')
      },
    )
    const { records, ledger, lines } = service
    const answer = await service.raw(get('/transfers', 'X-Request-Id: r-1', close))
    const [head = '', body = ''] = answer.split('\r\n\r\n')
    assert.match(head, /^HTTP\/1\.1 503 Service Unavailable\r\n/)
    assert.match(head, /\r\nRetry-After: 1\r\n/)
    assert.match(head, /\r\nX-Request-Id: r-1\r\n/)
    assert.match(head, /\r\nX-Processed-Time: [\d.]+\r\n/)
    const told = JSON.parse(body) as Record<string, unknown>
    assert.deepEqual([told.ok, told.reason, told.request_id], [false, 'audit_unavailable', 'r-1'])
    assert.doesNotMatch(answer, /secret/)
    await until(() => records.length === 1)
    const [record] = records
    assert.deepEqual(
      [record?.status, record?.statusSent, record?.outcome, record?.responseLength],
      [503, 503, 'completed', body.length],
    )
    assert.deepEqual(service.held(), { waited: 1, refused: 1, unkept: 0 })
    assert.equal(noticesOf(lines, 'audit_refused').length, 1)
    assert.equal(ledger.stored.size, 0)
    // Once the ledger is back it gets the event of what was answered, and only that one.
    if (what === 'refuses for good') return
    await comesBack(ledger)
    assert.deepEqual(await service.events(), [['http.GET./transfers', 503]])
  })
}

test('X-11 closed: a ledger whose answers are lost has the event of the withheld answer, and the one of the 503', async t => {
  const storesAndCuts: Script = (call, _nth, ledger) => {
    ledger.keep(call)
    return 'cut'
  }
  const service = await heldService(t, storesAndCuts, { ...closed, holdTimeout: 60 }, (_request, response) =>
    response.end('ok'),
  )
  assert.match(await service.raw(get('/a', close)), /^HTTP\/1\.1 503 /)
  service.ledger.follow(keepAll)
  assert.deepEqual(await service.events(), [
    ['http.GET./a', 200],
    ['http.GET./a', 503],
  ])
})

test('IF-34 closed: one lost answer is asked for again under the same key, and the response goes', async t => {
  const service = await heldService(
    t,
    (call, nth, ledger) => {
      const deed = ledger.keep(call)
      return nth === 1 ? 'cut' : deed
    },
    closed,
    (_request, response) => response.end('ok'),
  )
  assert.match(await service.raw(get('/a', close)), /^HTTP\/1\.1 200 /)
  assert.deepEqual(await service.events(), [['http.GET./a', 200]])
  assert.equal(service.box.stats().audit.duplicate, 1)
})

test('X-11 closed: a stream that never ends is withheld too, and its connection ends', async t => {
  let writable = true
  const service = await heldService(
    t,
    () => 'cut',
    { ...closed, holdTimeout: 40 },
    async (_request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' })
      response.on('close', () => {
        writable = false
      })
      while (writable) {
        response.write('data: secret\n\n')
        await turn()
      }
    },
  )
  const answer = await service.raw(get('/sse'))
  assert.match(answer, /^HTTP\/1\.1 503 [\s\S]*Connection: close[\s\S]*audit_unavailable/)
  assert.doesNotMatch(answer, /secret/)
  await until(() => service.records.length === 1)
  assert.deepEqual([service.records[0]?.status, service.records[0]?.error], [503, null])
  await comesBack(service.ledger)
  assert.deepEqual(await service.events(), [['http.GET./sse', 503]])
})

test('X-11 closed: pipelined requests that are withheld keep their connection and their order', async t => {
  const finished: string[] = []
  const service = await heldService(
    t,
    () => 'cut',
    { modes: { '/a': 'closed' }, holdTimeout: 40 },
    (request, response) => {
      response.on('finish', () => finished.push(`${request.url} ${response.statusCode}`))
      response.end(`this is ${request.url}`)
    },
  )
  const { write, received, isClosed } = client(t, service.port)
  write(get('/a') + get('/b') + get('/a').replace('GET', 'HEAD') + get('/b', close))
  await until(isClosed)
  assert.deepEqual(received().match(/HTTP\/1\.1 \d+|this is ../g), [
    'HTTP/1.1 503',
    'HTTP/1.1 200',
    'this is /b',
    'HTTP/1.1 503',
    'HTTP/1.1 200',
    'this is /b',
  ])
  assert.equal(received().match(/audit_unavailable/g)?.length, 1)
  assert.deepEqual(finished, ['/a 503', '/b 200', '/a 503', '/b 200'])
})

test('X-17 X-11 two instances on one server: the response goes once both let it go, else both tell the 503', async t => {
  const outerLedger = await aLedger(t, keepAll)
  const outer = aBox(t, {
    ledger: { url: outerLedger.url, apiKey: 'key' },
    audit: { ...impatient, ...closed },
  })
  const innerLedger = await aLedger(t, (call, nth, ledger) =>
    nth === 1 ? { status: 422, body: { ok: false, reason: 'invalid_payload' } } : ledger.keep(call),
  )
  const inner = aBox(t, {
    ledger: { url: innerLedger.url, apiKey: 'key' },
    audit: { ...impatient, ...closed },
  })
  const records: RequestRecord[] = []
  for (const { box } of [outer, inner]) box.onRecord(record => records.push(record))
  const { raw } = await serve(
    t,
    observe(outer.box)(observe(inner.box)((_request, response) => response.end('ok'))),
  )
  assert.match(await raw(get('/a', close)), /^HTTP\/1\.1 503 /)
  await until(() => records.length === 2)
  assert.deepEqual(
    records.map(({ status }) => status),
    [503, 503],
  )
  assert.match(await raw(get('/a', close)), /^HTTP\/1\.1 200 [\s\S]*ok$/)
  await until(() => records.length === 4)
  assert.deepEqual([outer.box.stats().held.refused, inner.box.stats().held.refused], [0, 1])
  for (const [ledger, statuses] of [
    [outerLedger, [200, 200, 503]],
    [innerLedger, [200, 503]],
  ] as const) {
    await until(() => ledger.stored.size === statuses.length)
    const told = [...ledger.stored.values()].map(({ payload }) => JSON.parse(payload).metrics.status_code)
    assert.deepEqual(told.sort(), statuses)
  }
})
