import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import { connect as connectHttp2, createServer as createHttp2, constants as http2 } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { observe } from '../frameworks/node-http.ts'
import { captureLog } from '../testing/captured-log.ts'
import { serve } from '../testing/served.ts'

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`

test('FA-19 response_length counts the bytes of the body, however it is written', async t => {
  const { box, records, recorded } = captureLog()
  const writers: Record<string, (response: ServerResponse) => void> = {
    '/end': response => response.end('süß'),
    '/latin1': response => response.end('süß', 'latin1'),
    '/bytes': response => response.end(new Uint8Array(300)),
    '/chunks': response => {
      response.write('süß')
      response.write(Buffer.alloc(70_000))
      response.end('!')
    },
    '/none': response => response.end(),
    '/callback': response => response.end(() => undefined),
    '/204': response => response.writeHead(204).end(),
    '/304': response => response.writeHead(304).end('ignored'),
  }
  const { raw } = await serve(
    t,
    observe(box)((request, response) => writers[request.url ?? '']?.(response)),
  )
  for (const path of Object.keys(writers)) await raw(get(path))
  await raw(get('/end').replace('GET', 'HEAD'))
  await recorded(9)
  assert.deepEqual(
    records.map(({ path, method, responseLength }) => [method, path, responseLength]),
    [
      ['GET', '/end', 5],
      ['GET', '/latin1', 3],
      ['GET', '/bytes', 300],
      ['GET', '/chunks', 70_006],
      ['GET', '/none', 0],
      ['GET', '/callback', 0],
      ['GET', '/204', 0],
      ['GET', '/304', 0],
      ['HEAD', '/end', 0],
    ],
  )
})

test('FA-17 FA-19 FA-23 IF-12 over HTTP/2 the same facts come out', async t => {
  const { box, recorded } = captureLog()
  const server = createHttp2(
    observe(box)(async (request: Http2ServerRequest, response: Http2ServerResponse) => {
      if (request.url === '/hang') {
        response.write('begun')
        return
      }
      let text = ''
      for await (const chunk of request) text += chunk
      response.write('<')
      response.end(text)
    }),
  ).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const session = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  t.after(() => {
    session.destroy()
    server.close()
  })
  const post = session.request({ ':path': '/echo?a=1', ':method': 'POST' })
  const answered = once(post, 'response')
  post.end('hello')
  const [headers] = (await answered) as [Record<string, string>]
  let body = ''
  for await (const chunk of post) body += chunk
  assert.equal(body, '<hello')
  const aborted = session.request({ ':path': '/hang' })
  aborted.on('error', () => undefined)
  await once(aborted, 'data')
  aborted.close(http2.NGHTTP2_CANCEL)
  const [first, second] = await recorded(2)
  assert.equal(headers['x-request-id'], first?.requestId)
  assert.match(headers['x-processed-time'] ?? '', /^\d+\.\d{6}$/)
  assert.deepEqual(
    [first?.protocol, first?.path, first?.query, first?.status, first?.outcome, first?.responseLength],
    ['2', '/echo', 'a=1', 200, 'completed', 6],
  )
  assert.deepEqual([first?.body?.state, first?.body?.length, first?.body?.hash?.length], ['read', 5, 64])
  assert.deepEqual(
    [second?.status, second?.statusSent, second?.outcome, second?.responseLength, second?.body],
    [499, 200, 'aborted', 5, null],
  )
})

test('FA-22 X-02 X-Processed-Time is the record’s ttfb; each header can be turned off, and the app’s own id wins', async t => {
  const on = captureLog()
  const servedOn = await serve(
    t,
    observe(on.box)((request, response) => {
      if (request.url === '/own') response.setHeader('X-Request-Id', 'of-the-app')
      response.writeHead(200, ['X-Kind', 'array']).end()
    }),
  )
  const answer = await fetch(servedOn.url)
  const [record] = await on.recorded(1)
  assert.equal(Number(answer.headers.get('x-processed-time')), record?.ttfb)
  assert.deepEqual(
    [answer.headers.get('x-request-id'), answer.headers.get('x-kind')],
    [record?.requestId, 'array'],
  )
  assert.equal((await fetch(`${servedOn.url}/own`)).headers.get('x-request-id'), 'of-the-app')

  const off = captureLog({ processedTime: false, requestId: { echo: false } })
  const servedOff = await serve(
    t,
    observe(off.box)((_request, response) => void response.end()),
  )
  const plain = await fetch(servedOff.url)
  assert.deepEqual([plain.headers.get('x-processed-time'), plain.headers.get('x-request-id')], [null, null])
})

test('FA-17 over HTTP/2 the scheme is that of the connection, which is unknown when the response is over', async t => {
  const { box, recorded } = captureLog()
  const server = createHttp2(
    observe(box)((_request: Http2ServerRequest, response: Http2ServerResponse) => response.end()),
  )
  // What a TLS socket says of itself.
  server.on('session', session => Reflect.set(session.socket, 'encrypted', true))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connectHttp2(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  t.after(() => {
    client.close()
    server.close()
  })
  client.request({ ':path': '/' }).resume().end()
  const [record] = await recorded(1)
  assert.equal(record?.scheme, 'https')
})
