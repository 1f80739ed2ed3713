import assert from 'node:assert/strict'
import { get, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import { type TestContext, test } from 'node:test'
import { observe } from '../frameworks/node-http.ts'
import type { DeedboxOptions } from '../index.ts'
import { captureLog } from '../testing/captured-log.ts'
import { serve } from '../testing/served.ts'
import { propagationTest } from './propagation.ts'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'

/** A service that asks another one, by `fetch` or by `node:http`, and the headers that the other one gets. */
async function chain(t: TestContext, propagate: (url: string) => DeedboxOptions['propagate']) {
  const heard: IncomingHttpHeaders[] = []
  const other = await serve(t, (request, response) => {
    heard.push(request.headers)
    response.end('ok')
  })
  const passed = propagate(other.url)
  const { box, recorded } = captureLog(passed === undefined ? {} : { propagate: passed })
  t.after(() => box.close())
  const front = await serve(
    t,
    observe(box)(async (request, response) => {
      if (request.url === '/fetch') await (await fetch(other.url)).text()
      else if (request.url === '/own')
        await (await fetch(other.url, { headers: { 'X-Request-Id': 'own', traceparent: 'own' } })).text()
      else
        await new Promise<void>(done =>
          get(other.url, answer => {
            answer.resume()
            answer.on('end', done)
          }),
        )
      response.end()
    }),
  )
  const ask = async (path: string, traced: boolean): Promise<IncomingHttpHeaders> => {
    const trace = traced ? `traceparent: 00-${traceId}-00f067aa0ba902b7-01\r\ntracestate: a=b\r\n` : ''
    await front.raw(
      `GET ${path} HTTP/1.1\r\nhost: x\r\nx-request-id: r-1\r\nconnection: close\r\n${trace}\r\n`,
    )
    return heard.at(-1) ?? {}
  }
  return { ask, recorded, otherUrl: other.url }
}

for (const path of ['/fetch', '/node']) {
  test(`X-01 FA-14 a request made by ${path.slice(1)} carries id and trace of the request it is made for`, async t => {
    const { ask, recorded } = await chain(t, url => [url])
    const headers = await ask(path, true)
    assert.equal(headers['x-request-id'], 'r-1')
    const [, passedTrace, spanId = '', flags] = String(headers.traceparent).split('-')
    assert.deepEqual([passedTrace, flags, headers.tracestate], [traceId, '01', 'a=b'])
    assert.match(spanId, /^[0-9a-f]{16}$/)
    assert.notEqual(spanId, '00f067aa0ba902b7', 'the parent is this request, not its caller')
    const [record] = await recorded(1)
    assert.equal(record?.trace?.spanId, spanId)
    const untraced = await ask(path, false)
    assert.deepEqual([untraced['x-request-id'], untraced.traceparent], ['r-1', undefined])
  })
}

test('X-01 nothing is passed on unless it was asked for, nor to other origins, nor over headers of the caller', async t => {
  const silent = await chain(t, () => undefined)
  assert.equal((await silent.ask('/fetch', true))['x-request-id'], undefined)
  const elsewhere = await chain(t, () => ['https://billing.internal', /^https:/])
  assert.equal((await elsewhere.ask('/node', true)).traceparent, undefined)
  const all = await chain(t, () => true)
  const own = await all.ask('/own', true)
  assert.deepEqual([own['x-request-id'], own.traceparent, own.tracestate], ['own', 'own', undefined])
})

test('X-01 a Host header of the service decides nothing, nor does a trace of its own take a span', async t => {
  const heard: IncomingHttpHeaders[] = []
  const other = await serve(t, (request, response) => {
    heard.push(request.headers)
    response.end('ok')
  })
  const { box, recorded } = captureLog({ propagate: ['http://billing.internal'] })
  const { box: all, recorded: recordedByAll } = captureLog({ propagate: true })
  const asking = (headers: Record<string, string>) => async (_: unknown, response: ServerResponse) => {
    await new Promise(done => get(other.url, { headers }, answer => answer.resume().on('end', done)))
    response.end()
  }
  const spoofed = await serve(t, observe(box)(asking({ Host: 'billing.internal' })))
  const traced = await serve(t, observe(all)(asking({ traceparent: 'own' })))
  const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01`, tracestate: 'a=b' }
  await fetch(spoofed.url, { headers })
  await fetch(traced.url, { headers })
  assert.deepEqual([heard[0]?.['x-request-id'], heard[0]?.traceparent], [undefined, undefined])
  assert.deepEqual([heard[1]?.traceparent, heard[1]?.tracestate], ['own', undefined])
  const [record] = [...(await recorded(1)), ...(await recordedByAll(1))].slice(-1)
  assert.equal(record?.trace?.spanId, null)
})

test('X-01 deliveries to the ledger serve many requests, and carry the id of none', async t => {
  const heard: IncomingHttpHeaders[] = []
  const ledger = await serve(t, (request, response) => {
    heard.push(request.headers)
    request.resume().on('end', () => response.writeHead(500).end())
  })
  const { box, recorded } = captureLog({
    propagate: true,
    ledger: { url: ledger.url, apiKey: 'a-key-of-some-ledger' },
    audit: { requests: true },
  })
  const { url } = await serve(
    t,
    observe(box)(async (_request, response) => {
      await box.send('order.paid', { message: 'paid' }, { timeout: 200 }).catch(() => undefined)
      response.end()
    }),
  )
  await fetch(url)
  await recorded(1)
  await box.close(200)
  assert.ok(heard.length > 0)
  assert.deepEqual([...new Set(heard.map(headers => headers['x-request-id']))], [undefined])
})

test('X-01 an origin that is none is refused by name', () => {
  assert.throws(() => propagationTest(['billing']), /"billing" is no origin/)
  assert.ok(propagationTest(['https://a.example/path'])('https://a.example'))
})
