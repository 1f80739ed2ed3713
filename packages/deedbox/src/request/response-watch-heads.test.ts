import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { type TestContext, test } from 'node:test'
import { observe } from '../frameworks/node-http.ts'
import { captureLog } from '../testing/captured-log.ts'
import { serve } from '../testing/served.ts'

/** Node takes more than its types tell. */
type AnyHead = { writeHead(...head: unknown[]): ServerResponse }

const heads: Record<string, (response: AnyHead) => ServerResponse> = {
  'no reason': response => response.writeHead(201, undefined, { 'x-a': '1' }),
  'null as the reason': response => response.writeHead(201, null, { 'x-a': '1' }),
  'two objects': response => response.writeHead(201, { 'x-b': '1' }, { 'x-a': '1' }),
  'null as the headers': response => response.writeHead(201, 'Fine', null),
  'names and values': response => response.writeHead(201, ['x-a', '1', 'X-A', '2', 'set-cookie', 'c']),
  'half a pair': response => response.writeHead(201, ['x-a']),
  'two pairs': response =>
    response.writeHead(201, [
      ['x-a', '1'],
      ['x-b', '2'],
    ]),
  'three pairs': response =>
    response.writeHead(201, 'Fine', [
      ['x-a', '1'],
      ['x-b', '2'],
      ['x-a', '3'],
    ]),
  'no prototype': response =>
    response.writeHead(201, Object.assign(Object.create(null), { 'X-A': '1', 'x-a': '2' })),
  'names of two cases': response => response.writeHead(201, { 'X-A': '1', 'x-a': '2' }),
  'a frozen object': response => response.writeHead(201, Object.freeze({ 'x-a': ['1', '2'] })),
  'a Map': response => response.writeHead(201, new Map([['x-a', '1']])),
  'a getter that throws': response =>
    response.writeHead(201, {
      get 'x-a'() {
        throw new Error('unreadable')
      },
    }),
  'a line break': response => response.writeHead(201, { 'x-a': '1\r\nx-b: 2' }),
}

/** The head and body that a client gets, without what differs from one request to the next. */
async function answers(t: TestContext, wrap: <Handler>(handler: Handler) => Handler): Promise<string[]> {
  const { raw } = await serve(
    t,
    wrap((request: { readonly url?: string }, response: ServerResponse) => {
      try {
        heads[decodeURIComponent(request.url ?? '').slice(1)]?.(response as AnyHead)
        response.end('whole')
      } catch (thrown) {
        response.writeHead(500, 'Failed').end(String(thrown))
      }
    }),
  )
  const texts: string[] = []
  for (const name of Object.keys(heads)) {
    const text = await raw(
      `GET /${encodeURIComponent(name)} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
    )
    texts.push(`${name}: ${text.replace(/^(?:date|x-request-id|x-processed-time): .*\r\n/gim, '')}`)
  }
  return texts
}

test('whatever form the headers of writeHead have, the client gets what Node makes of them', async t => {
  const plain = await answers(t, handler => handler)
  const { box, recorded } = captureLog()
  assert.deepEqual(await answers(t, observe(box) as <Handler>(handler: Handler) => Handler), plain)
  const records = await recorded(plain.length)
  assert.deepEqual(
    records.map(({ statusSent }) => statusSent),
    plain.map(text => Number(/HTTP\/1\.1 (\d+)/.exec(text)?.[1])),
  )
})

test('IF-10 the id of a list of headers is the one that the client keeps', async t => {
  const { box } = captureLog()
  const { url } = await serve(
    t,
    observe(box)((request, response) => {
      const own = request.url === '/pairs' ? [['x-request-id', 'mine']] : ['x-request-id', 'mine']
      response.writeHead(200, own as never).end()
    }),
  )
  for (const path of ['/pairs', '/list']) {
    const { headers } = await fetch(url + path)
    assert.equal(headers.get('x-request-id'), 'mine')
    assert.notEqual(headers.get('x-processed-time'), null)
  }
})
