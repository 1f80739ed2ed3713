import assert from 'node:assert/strict'
import { get, type IncomingHttpHeaders } from 'node:http'
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
  assert.deepEqual([own['x-request-id'], own.traceparent, own.tracestate], ['own', 'own', 'a=b'])
})

test('X-01 an origin that is none is refused by name', () => {
  assert.throws(() => propagationTest(['billing']), /"billing" is no origin/)
  assert.ok(propagationTest(['https://a.example/path'])('https://a.example'))
})
