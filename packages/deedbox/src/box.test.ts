import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type TestContext, test } from 'node:test'
import { deedbox } from './box.ts'
import { observe } from './frameworks/node-http.ts'
import { ConfigurationError, SendError } from './index.ts'
import type { Deedbox } from './instance.ts'
import { aBox, aLedger, noticesOf, taken } from './testing/ledger-events.ts'
import { keepAll, type LedgerStandIn, singlePostsOnly, until } from './testing/ledger-stand-in.ts'

const quick = { linger: 1, backoff: { base: 1, cap: 3 } }

function to(ledger: LedgerStandIn): { url: string; apiKey: string } {
  return { url: ledger.url, apiKey: 'deed_live_test' }
}

/** A service observed by the instance; gives the base URL. */
async function aService(
  t: TestContext,
  box: Deedbox,
  work: (path: string) => unknown = () => {},
): Promise<string> {
  const server = createServer(
    observe(box, { unhandled: 'answer' })(async (request, response) => {
      await work(request.url ?? '')
      response.end('ok')
    }),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function ask(url: string, count: number): Promise<number[]> {
  const statuses: number[] = []
  for (let i = 0; i < count; i++) {
    const response = await fetch(`${url}/${i}`)
    await response.text()
    statuses.push(response.status)
  }
  return statuses
}

test('IF-02 ruling 1 without a ledger events become log lines, said once; explicit ones are acknowledged as logged', async t => {
  const { box, lines } = aBox(t, { ledger: undefined, log: { level: 'CRITICAL' } })
  const url = await aService(t, box)
  await ask(url, 3)
  const { status, txId, payloadHash } = await box.send('said', 'plain\ntext')
  assert.deepEqual([status, txId], ['logged', null])
  assert.equal(payloadHash, createHash('sha256').update('plain\ntext').digest('hex'))
  await until(() => box.stats().audit.logged === 4)
  const audit = lines.filter(({ type }) => type === 'audit')
  assert.deepEqual(audit.map(({ event_name }) => event_name).sort(), [
    'http.GET./0',
    'http.GET./1',
    'http.GET./2',
    'said',
  ])
  const said = audit.find(({ event_name }) => event_name === 'said')!
  assert.equal(said.payload, 'plain\ntext')
  assert.deepEqual(said.meta, {
    type: 'info',
    event_name: 'said',
    service: 'tests',
    request_id: said.request_id,
    env: 'testing',
  })
  assert.equal(noticesOf(lines, 'no_ledger').length, 1)
  // Who says that there is none need not be told.
  const chosen = aBox(t, { ledger: null })
  await chosen.box.flush()
  assert.equal(noticesOf(chosen.lines, 'no_ledger').length, 0)
})

test('IF-33 X-11 IF-32 a ledger that never answers: every request is served, the events wait', async t => {
  const ledger = await aLedger(t, () => 'never')
  const { box } = aBox(t, { ledger: to(ledger), audit: { ...quick, timeout: 60 } })
  const url = await aService(t, box)
  assert.deepEqual(await ask(url, 50), Array(50).fill(200))
  await until(() => ledger.calls.length >= 2 && box.stats().audit.retried > 0)
  await until(() => box.stats().audit.queued === 50)
  assert.deepEqual([box.stats().audit.delivered, box.stats().audit.dropped], [0, 0])
  assert.ok(ledger.mostAtOnce <= 2, 'one call at a time, and perhaps the one just given up')
})

test('IF-35 the ledger is down for 1,000 requests: all served, warnings bounded, nothing lost unseen', async t => {
  const ledger = await aLedger(t, () => 'cut')
  const { box, lines } = aBox(t, { ledger: to(ledger), audit: { ...quick, capacity: 600 } })
  const url = await aService(t, box)
  const served = await Promise.all(Array.from({ length: 10 }, () => ask(url, 100)))
  assert.deepEqual(new Set(served.flat()), new Set([200]))
  await until(() => box.stats().records === 1_000 && box.stats().audit.retried > 0)
  await until(() => box.stats().audit.queued + box.stats().audit.dropped === 1_000)
  const { queued, dropped, delivered } = box.stats().audit
  assert.equal(delivered, 0)
  assert.ok(dropped > 0 && dropped <= 400)
  assert.equal(noticesOf(lines, 'audit_dropped').length, 1)
  assert.equal(noticesOf(lines, 'audit_delayed').length, 1)

  ledger.follow(keepAll)
  assert.equal(await box.flush(5_000), true)
  assert.equal(ledger.stored.size, queued)
  assert.equal(box.stats().audit.delivered, queued)
})

test('IF-16 IF-30 200 requests at once, each with its own name, all with one id: no crossing, none lost', async t => {
  const ledger = await aLedger(t, keepAll)
  const { box } = aBox(t, { ledger: to(ledger), audit: quick })
  const url = await aService(t, box, async path => {
    await Promise.resolve()
    box.event(`named${path}`)
  })
  const headers = { 'X-Request-Id': 'same-for-all' }
  await Promise.all(
    Array.from({ length: 200 }, async (_, i) => (await fetch(`${url}/${i}`, { headers })).text()),
  )
  await until(() => box.stats().records === 200)
  assert.equal(await box.flush(), true)
  const stored = [...ledger.stored.values()]
  assert.equal(new Set(stored.map(({ meta }) => meta.event_name)).size, 200)
  for (const { payload, meta } of stored) {
    assert.equal(meta.event_name, `named${JSON.parse(payload).request.path}`)
    assert.equal(meta.request_id, 'same-for-all')
  }
})

test('IF-31 a path that is not ASCII arrives, with a name that is not ASCII', async t => {
  const ledger = await aLedger(t, keepAll)
  const { box } = aBox(t, { ledger: to(ledger), audit: quick, eventNames: 'path' })
  const url = await aService(t, box, () => box.event('http.GET./日本'))
  await ask(`${url}/日本`, 1)
  await until(() => box.stats().records === 1)
  assert.equal(await box.flush(), true)
  const [item] = ledger.stored.values()
  assert.equal(item!.meta.event_name, 'http.GET./日本')
  assert.equal(JSON.parse(item!.payload).request.path, `/${encodeURIComponent('日本')}/0`)
})

test('IP-15 what is sent inside a request carries its id; outside it gets a new one', async t => {
  const ledger = await aLedger(t, keepAll)
  const { box } = aBox(t, { ledger: to(ledger), audit: quick })
  const url = await aService(t, box, async () => {
    await Promise.resolve()
    await box.send('inside', {})
    await box.send('elsewhere', {}, { requestId: 'chosen' })
  })
  const response = await fetch(url)
  await response.text()
  const outside = await box.send('outside', {})
  await until(() => box.stats().records === 1)
  assert.equal(await box.flush(), true)
  const ids = new Map([...ledger.stored.values()].map(({ meta }) => [meta.event_name, meta.request_id]))
  const id = response.headers.get('x-request-id')
  assert.equal(ids.get('inside'), id)
  assert.equal(ids.get('http.GET./'), id)
  assert.equal(ids.get('elsewhere'), 'chosen')
  assert.equal(ids.get('outside'), outside.requestId)
  assert.notEqual(outside.requestId, id)
})

for (const [kind, script] of [
  ['batches', keepAll],
  ['single posts', singlePostsOnly],
] as const) {
  test(`IP-09 sendAll over ${kind}: 50 events, 5 failing, 50 results in their order, five sockets at most`, async t => {
    const ledger = await aLedger(t, script)
    const { box } = aBox(t, { ledger: to(ledger), audit: quick })
    const inputs = Array.from({ length: 50 }, (_, i) => ({
      name: i % 10 === 9 ? '' : `n${i}`,
      payload: { i },
    }))
    const results = await box.sendAll(inputs)
    assert.deepEqual(
      results.map(({ event }) => event),
      inputs,
    )
    assert.deepEqual(
      results.flatMap((result, i) => (result.ok ? [] : [[i, result.error.code]])),
      [9, 19, 29, 39, 49].map(i => [i, 'invalid_event']),
    )
    for (const result of results) {
      if (!result.ok) continue
      const stored = ledger.stored.get(result.acknowledgement.idempotencyKey)
      assert.equal(stored?.meta.event_name, result.event.name)
    }
    assert.equal(ledger.stored.size, 45)
    assert.ok(ledger.mostAtOnce <= 5)
  })
}

test('IP-09 sendAll never rejects, whatever it is given', async t => {
  const { box } = aBox(t, { ledger: { appendBatch: async items => items.map(taken) } })
  const hostile = {
    get timestamp(): string {
      throw new Error('cannot be read')
    },
  }
  const results = await box.sendAll([
    { name: 'x', payload: hostile },
    null as never,
    { name: 'y', payload: {} },
  ])
  assert.deepEqual(
    results.map(result => (result.ok ? 'ok' : result.error.code)),
    ['invalid_event', 'invalid_event', 'ok'],
  )
  assert.ok(results[0]!.ok === false && results[0]!.error.message.includes('cannot be read'))
  await assert.rejects(box.send('', {}), SendError)
})

test('ruling 5 a job: its id on lines and events, its result and its error unchanged', async t => {
  const ledger = await aLedger(t, keepAll)
  const { box, lines } = aBox(t, { ledger: to(ledger), audit: quick })
  const result = box.run({ name: 'nightly', requestId: 'job-1' }, () => {
    box.event('report.made')
    box.log.info('working')
    return 42
  })
  assert.equal(result, 42)
  const failure = new RangeError('no paper')
  await assert.rejects(
    box.run({ name: 'printing' }, async () => {
      box.event('print.tried')
      await box.send('print.step', {})
      throw failure
    }),
    error => error === failure,
  )
  assert.throws(
    () =>
      box.run({ name: 'silent' }, () => {
        throw failure
      }),
    error => error === failure,
  )
  assert.throws(() => box.run({ name: 'x', requestId: 'not an id' }, () => {}), RangeError)
  assert.equal(await box.flush(), true)
  const stored = [...ledger.stored.values()].map(({ payload, meta }) => ({ ...JSON.parse(payload), meta }))
  const named = (name: string): (typeof stored)[number] => stored.find(({ meta }) => meta.event_name === name)
  assert.equal(stored.length, 3, 'a job that names no event sends none')
  assert.deepEqual(
    [named('report.made').meta.request_id, named('report.made').job.name],
    ['job-1', 'nightly'],
  )
  assert.equal(named('print.tried').error.exception, 'RangeError')
  assert.equal(named('print.tried').meta.request_id, named('print.step').meta.request_id)
  assert.equal(lines.find(({ message }) => message === 'working')?.request_id, 'job-1')
  assert.deepEqual(
    lines.filter(line => 'job' in line).map(({ job, level }) => [job, level]),
    [
      ['nightly', 'INFO'],
      ['printing', 'ERROR'],
      ['silent', 'ERROR'],
    ],
  )
})

test('X-11 a rule, a field function and a listener that throw do not reach the service or each other', async t => {
  const ledger = await aLedger(t, keepAll)
  const fails = (): never => {
    throw new Error('ours')
  }
  const { box, lines } = aBox(t, { ledger: to(ledger), audit: quick, log: { requestFields: fails } })
  const seen: string[] = []
  const undo = box.onRecord(fails)
  box.onRecord(({ path }) => seen.push(path))
  const url = await aService(t, box)
  assert.deepEqual(await ask(url, 2), [200, 200])
  undo()
  await until(() => box.stats().records === 2)
  assert.equal(await box.flush(), true)
  assert.deepEqual(seen, ['/0', '/1'])
  assert.equal(ledger.stored.size, 2)
  assert.equal(noticesOf(lines, 'sink_failed').length, 1)
})

test('X-11 a ledger that cannot be opened is told, and the service lives', async t => {
  const { box, lines } = aBox(t, { ledger: Promise.reject(new Error('disk full')), audit: quick })
  const url = await aService(t, box)
  assert.deepEqual(await ask(url, 2), [200, 200])
  assert.match(String(noticesOf(lines, 'ledger_not_opened')[0]!.message), /disk full/)
  await assert.rejects(
    box.send('told.at.once', {}, { timeout: 60_000 }),
    error => error instanceof SendError && error.code === 'no_ledger' && /disk full/.test(error.message),
  )
  assert.equal(await box.close(20), false)
  assert.deepEqual([box.stats().audit.dropped, box.stats().audit.queued], [3, 0])
})

test('IF-37 close() flushes; afterwards sends reject, log calls still work, requests are still served', async t => {
  const ledger = await aLedger(t, keepAll)
  const { box, lines } = aBox(t, { ledger: to(ledger), audit: { linger: 60_000 } })
  const url = await aService(t, box)
  await ask(url, 5)
  await until(() => box.stats().records === 5)
  assert.equal(await box.close(), true)
  assert.equal(ledger.stored.size, 5)
  await assert.rejects(box.send('late', {}), error => error instanceof SendError && error.code === 'closed')
  box.log.info('still here')
  assert.equal(lines.at(-1)!.message, 'still here')
  assert.deepEqual(await ask(url, 1), [200])
  await until(() => box.stats().audit.dropped === 2)
  assert.equal(noticesOf(lines, 'audit_dropped').length, 1)
  assert.equal(await box.close(), true)
})

test('IF-17 audit.requests: false sends only what is named', async t => {
  const ledger = await aLedger(t, keepAll)
  const { box } = aBox(t, { ledger: to(ledger), audit: { ...quick, requests: false } })
  const url = await aService(t, box, () => box.send('named', {}))
  await ask(url, 2)
  await until(() => box.stats().records === 2)
  assert.equal(await box.flush(), true)
  assert.deepEqual(
    [...ledger.stored.values()].map(({ meta }) => meta.event_name),
    ['named', 'named'],
  )
})

test('IF-02 a bad option ends deedbox() with a ConfigurationError', () => {
  assert.throws(
    () => deedbox({ audit: { linger: Number.NaN } }),
    (error: unknown) => error instanceof ConfigurationError && error.setting === 'audit.linger',
  )
})
