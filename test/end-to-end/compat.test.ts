import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { ImmutableLogAudit, sendEventsBatch, sendEventWithRetry } from 'deedbox/compat/immutablelog'
import express from 'express'
import { assertVerdict, printedKey, startLedger, stopLedger, tempFolder } from './ledger-process.ts'

/** What the ledger answers for one event. */
interface Stored {
  readonly tx_id: string
  readonly payload: string
  readonly meta: Readonly<Record<string, unknown>>
}

test('IF-02 IF-04 IF-18 IF-27 IF-29 a service written as for the original, and a ledger process: one event for each request', async t => {
  const folder = tempFolder(t)
  const ledger = await startLedger(t, folder)
  const key = /deed_live_[\w-]+/.exec(ledger.stdout())?.[0] ?? ''
  const app = express()
  app.set('env', 'test')
  const audit = new ImmutableLogAudit({
    app,
    api_key: key,
    api_url: ledger.url,
    service_name: 'shop',
    env: 'staging',
    skip_paths: ['/health'],
    deedbox: { flushOnSignal: false },
  })
  app.get(['/orders/:id', '/health'], (_request, response) => response.json({ ok: true }))
  app.get('/old', (_request, response) => response.redirect('/new'))
  app.post('/broken', () => {
    throw new RangeError('out of stock')
  })
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  for (const [method, path] of [
    ['GET', '/orders/7?page=2'],
    ['GET', '/health'],
    ['GET', '/old'],
    ['GET', '/nowhere'],
    ['POST', '/broken'],
  ] as const) {
    const answer = await fetch(url + path, {
      method,
      redirect: 'manual',
      headers: { 'x-request-id': 'one-id' },
    })
    await answer.text()
  }
  assert.equal(await audit.box.flush(10_000), true)
  const { delivered, rejected, retried, duplicate } = audit.box.stats().audit
  assert.deepEqual(
    { delivered, rejected, retried, duplicate },
    { delivered: 4, rejected: 0, retried: 0, duplicate: 0 },
  )

  const found = await search(ledger.url, key, 'service=shop')
  const told = found.map(({ payload, meta }) => {
    const { kind, severity, message, error, success, info } = JSON.parse(payload)
    return [
      meta.event_name,
      meta.type,
      meta.request_id,
      meta.env,
      kind,
      severity,
      message,
      error ?? success ?? info,
    ]
  })
  const of = (name: string): unknown => told.find(each => each[0] === name)
  const common = ['one-id', 'staging'] as const
  assert.equal(told.length, 4)
  assert.deepEqual(of('http.GET./orders/7'), [
    ...['http.GET./orders/7', 'success', ...common, 'success', 'low', 'GET /orders/7 completed successfully'],
    { status_code: 200, result: 'ok' },
  ])
  assert.deepEqual(of('http.GET./old'), [
    ...['http.GET./old', 'info', ...common, 'info', 'low', 'GET /old processed'],
    { status_code: 302, action: 'get' },
  ])
  assert.deepEqual(of('http.GET./nowhere'), [
    ...['http.GET./nowhere', 'error', ...common, 'error', 'high', 'GET /nowhere returned error 404'],
    { status_code: 404, retryable: false },
  ])
  assert.deepEqual(of('http.POST./broken'), [
    ...[
      'http.POST./broken',
      'error',
      ...common,
      'error',
      'high',
      'POST /broken failed with exception: RangeError',
    ],
    { status_code: 500, retryable: true, exception: 'RangeError', exception_message: 'out of stock' },
  ])
  await audit.box.close()
  server.closeAllConnections()
  server.close()

  Object.assign(process.env, { IMTBL_API_KEY: key, IMTBL_URL: ledger.url })
  const answer = await sendEventWithRetry('payment.settled', { id: 'p1' }, { service: 'pay' })
  assert.deepEqual([answer?.status, answer?.duplicate, typeof answer?.index], ['accepted', false, 'number'])
  const results = await sendEventsBatch(
    Array.from({ length: 12 }, (_, n) => ({ event_name: 'order.created', payload: { n }, service: 'pay' })),
    { max_workers: 3 },
  )
  assert.ok(results.every(({ ok }) => ok))
  const sent = await search(ledger.url, key, 'service=pay')
  assert.deepEqual(
    new Set(sent.map(({ tx_id }) => tx_id)),
    new Set([answer?.tx_id, ...results.map(({ tx_id }) => tx_id)]),
  )
  const verifier = printedKey(ledger)
  await stopLedger(ledger)
  await assertVerdict(folder, verifier, 'ok')
})

async function search(url: string, key: string, query: string): Promise<readonly Stored[]> {
  const response = await fetch(`${url}/v1/events?${query}&limit=100`, {
    headers: { authorization: `Bearer ${key}` },
  })
  assert.equal(response.status, 200)
  return ((await response.json()) as { events: Stored[] }).events
}
