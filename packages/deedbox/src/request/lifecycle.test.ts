import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { test } from 'node:test'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { observe } from '../frameworks/node-http.ts'
import { captureLog } from '../testing/captured-log.ts'
import { serve } from '../testing/served.ts'

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`

test('X-01 ruling 6: an id that the app set before us is the id; the record keeps the client’s beside it', async t => {
  const { box, recorded } = captureLog({ requestId: { inbound: 'replace' } })
  const watched = observe(box)((_request, response) => void response.end(box.requestId))
  const { url } = await serve(t, (request, response) => {
    if (request.url === '/preset') response.setHeader('X-Request-Id', 'preset-1')
    watched(request, response)
  })
  const headers = { 'x-request-id': 'client-1' }
  const preset = await fetch(`${url}/preset`, { headers })
  assert.deepEqual([await preset.text(), preset.headers.get('x-request-id')], ['preset-1', 'preset-1'])
  const replaced = await (await fetch(url, { headers })).text()
  const [first, second] = await recorded(2)
  assert.deepEqual([first?.requestId, first?.inboundRequestId], ['preset-1', 'client-1'])
  assert.deepEqual([second?.requestId, second?.inboundRequestId], [replaced, 'client-1'])
  assert.notEqual(replaced, 'client-1')
})

test('X-17 two instances on one server each make their own record of each request', async t => {
  const outer = captureLog()
  const inner = captureLog({ requestId: { inbound: 'replace' } })
  const { url } = await serve(
    t,
    observe(outer.box)(
      observe(inner.box)((request: IncomingMessage, response: ServerResponse) => {
        request.resume().on('end', () => {
          outer.box.set({ at: 'outer' })
          inner.box.set({ at: 'inner' })
          response.write('ab')
          response.end('c')
        })
      }),
    ),
  )
  const answer = await fetch(url, { method: 'POST', body: 'body', headers: { 'x-request-id': 'o' } })
  assert.equal(await answer.text(), 'abc')
  const [one] = await outer.recorded(1)
  const [two] = await inner.recorded(1)
  assert.deepEqual([one?.values, two?.values], [{ at: 'outer' }, { at: 'inner' }])
  assert.deepEqual([one?.requestId, answer.headers.get('x-request-id')], ['o', 'o'])
  assert.notEqual(two?.requestId, 'o')
  for (const record of [one, two]) {
    assert.deepEqual([record?.responseLength, record?.status, record?.body?.state], [3, 200, 'read'])
    assert.equal(record?.body?.hash, one?.body?.hash)
  }
  assert.equal(outer.records.length + inner.records.length, 2)
})

test('FA-23 an upload that the client breaks off is an abort, with its error ignored', async t => {
  const { box, recorded, lines } = captureLog()
  const { port } = await serve(
    t,
    observe(box, { unhandled: 'answer' })(async request => {
      for await (const chunk of request) void chunk
    }),
  )
  const socket = connect(port, '127.0.0.1')
  socket.write('POST /up HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nabc')
  await once(socket, 'ready')
  setImmediate(() => socket.destroy())
  const [record] = await recorded(1)
  assert.deepEqual([record?.outcome, record?.status, record?.error], ['aborted', 499, null])
  const [line] = await lines().then(all => all.filter(({ message }) => message === 'log request'))
  assert.deepEqual([line?.level, line?.aborted, line?.status_code], ['WARNING', true, 499])
})

test('FA-23 what the service itself cuts off is its error, not an abort of the client', async t => {
  const { box, recorded } = captureLog()
  const { raw } = await serve(
    t,
    observe(box)((_request, response) => {
      response.on('error', () => undefined)
      response.write('begun')
      response.destroy(new Error('the source broke'))
    }),
  )
  await raw(get('/'))
  const [record] = await recorded(1)
  assert.deepEqual([record?.outcome, record?.status, record?.statusSent], ['errored', 500, 200])
  assert.match(String(record?.error?.thrown), /the source broke/)
})

test('FA-23 a response destroyed with an error failed, also if it is ended or the error is told after that', async t => {
  const error = new Error('the source broke')
  const { box, recorded } = captureLog()
  const { raw } = await serve(
    t,
    observe(box)((request, response) => {
      response.on('error', () => undefined)
      response.write('begun')
      response.destroy(error)
      if (request.url === '/ended') response.end()
      else box.current()?.fail(error)
    }),
  )
  for (const [i, path] of ['/ended', '/told'].entries()) {
    await raw(get(path))
    const record = (await recorded(i + 1))[i]
    assert.deepEqual([record?.outcome, record?.status, record?.error?.thrown], ['errored', 500, error], path)
  }
})

test('FA-14 the scope holds in timers, microtasks, listeners of the request and of the response', async t => {
  const { box, lines, recorded } = captureLog()
  const { url, port } = await serve(
    t,
    observe(box)((request, response) => {
      for (const event of ['data', 'end', 'close']) request.on(event, () => box.log.info(`request ${event}`))
      for (const event of ['finish', 'close']) response.on(event, () => box.log.info(`response ${event}`))
      setTimeout(() => box.log.info('timer'), 1)
      queueMicrotask(() => box.log.info('microtask'))
      request.on('end', () => setImmediate(() => response.end('x')))
    }),
  )
  await fetch(url, { method: 'POST', body: 'b', headers: { 'x-request-id': 'ctx' } }).then(answer =>
    answer.text(),
  )
  const socket = connect(port, '127.0.0.1')
  socket.write('POST / HTTP/1.1\r\nHost: a\r\nX-Request-Id: gone\r\nContent-Length: 5\r\n\r\nab')
  await once(socket, 'ready')
  setImmediate(() => socket.destroy())
  await recorded(2)
  const all = await lines()
  const said = (id: string): unknown[] =>
    all.filter(line => line.request_id === id && line.message !== 'log request').map(line => line.message)
  assert.deepEqual(
    new Set(said('ctx')),
    new Set([
      'microtask',
      'timer',
      'request data',
      'request end',
      'request close',
      'response finish',
      'response close',
    ]),
  )
  assert(said('gone').includes('response close'), 'also when the client leaves')
  assert.deepEqual(
    all.filter(line => String(line.message).includes('close') && line.request_id === undefined),
    [],
  )
})

test('ruling 8: a forwarding header that is ignored is told once, with the setting', async t => {
  const { box, lines, recorded } = captureLog()
  const { url } = await serve(
    t,
    observe(box)((_request, response) => void response.end()),
  )
  for (let n = 0; n < 3; n++) await fetch(url, { headers: { 'x-forwarded-for': '203.0.113.9' } })
  const [record] = await recorded(3)
  assert.deepEqual([record?.client.ip, record?.client.chain], ['127.0.0.1', ['203.0.113.9', '127.0.0.1']])
  const told = (await lines()).filter(line => line.notice === 'forwarding_ignored')
  assert.equal(told.length, 1)
  assert.match(String(told[0]?.message), /DEEDBOX_TRUST_PROXY/)
})

test('IF-13 FA-17 with trust, address and scheme are the forwarded ones, request by request', async t => {
  const { box, recorded } = captureLog({ trustProxy: 'loopback' })
  const { url } = await serve(
    t,
    observe(box)((_request, response) => void response.end()),
  )
  const forwarded = { 'x-forwarded-for': '203.0.113.9', 'x-forwarded-proto': 'https' }
  for (const headers of [{}, forwarded, {}]) await fetch(url, { headers })
  const records = await recorded(3)
  assert.deepEqual(
    records.map(({ client, scheme }) => [client.ip, scheme]),
    [
      ['127.0.0.1', 'http'],
      ['203.0.113.9', 'https'],
      ['127.0.0.1', 'http'],
    ],
  )
})

test('FA-18 RFC 9112 a request target that is a whole URL, or a star, has a path too', async t => {
  const { box, recorded } = captureLog()
  const { raw } = await serve(
    t,
    observe(box)((_request, response) => void response.end()),
  )
  await raw(get('http://proxy.example/a/b?c=1'))
  await raw(get('http://proxy.example'))
  await raw('OPTIONS * HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  const records = await recorded(3)
  assert.deepEqual(
    records.map(({ path, query }) => [path, query]),
    [
      ['/a/b', 'c=1'],
      ['/', ''],
      ['*', ''],
    ],
  )
})

test('ruling 16: the record is frozen and says its schema', async t => {
  const { box, recorded } = captureLog()
  const { url } = await serve(
    t,
    observe(box)((_request, response) => {
      box.set({ a: 1 })
      box.set({ b: 2, a: 3 })
      response.end()
    }),
  )
  await fetch(url, { headers: { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' } })
  const [record] = await recorded(1)
  assert(Object.isFrozen(record) && Object.isFrozen(record?.values))
  assert.deepEqual([record?.schema, record?.values], [1, { a: 3, b: 2 }])
  assert.equal(record?.trace?.traceId, '4bf92f3577b34da6a3ce929d0e0e4736')
})

test('FA-25 an error that comes when the answer has begun makes it a failure, also if it ends well', async t => {
  const { box, recorded } = captureLog()
  t.after(() => box.close())
  const { raw } = await serve(
    t,
    observe(box)((_request, response) => {
      response.write('half')
      box.current()?.fail(new Error('the rest is missing'))
      response.end()
    }),
  )
  await raw('GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n')
  const [record] = await recorded(1)
  assert.deepEqual([record?.outcome, record?.status, record?.statusSent], ['errored', 500, 200])
})

test('a scope that outlives its request, in a timer or at an idle connection, keeps neither request nor response', async t => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const { box, recorded } = captureLog()
  t.after(() => box.close())
  const weak: WeakRef<object>[] = []
  const scopes: unknown[] = []
  const { raw } = await serve(
    t,
    observe(box, { user: request => String(request.headers['x-user'] ?? '') })((request, response) => {
      weak.push(new WeakRef(request), new WeakRef(response))
      scopes.push(box.current())
      response.end()
    }),
  )
  for (let n = 0; n < 5; n++) await raw(get('/'))
  await recorded(5)
  for (let n = 0; n < 50 && weak.some(each => each.deref() !== undefined); n++) {
    await new Promise(setImmediate)
    collect()
  }
  assert.equal(scopes.length, 5)
  assert.deepEqual(weak.filter(each => each.deref() !== undefined).length, 0)
})

test('FA-25 a promise of the handler that others take care of is left alone', async t => {
  const { box, recorded } = captureLog()
  t.after(() => box.close())
  const unhandled: unknown[] = []
  const note = (reason: unknown): number => unhandled.push(reason)
  process.on('unhandledRejection', note)
  t.after(() => process.off('unhandledRejection', note))
  const { raw } = await serve(
    t,
    observe(box)((_request, response) => {
      const work = Promise.reject(new Error('handled'))
      work.catch(() => response.end('handled'))
      return work
    }),
  )
  assert.match(await raw(get('/')), /handled$/)
  const [record] = await recorded(1)
  await new Promise(setImmediate)
  assert.deepEqual([unhandled, record?.error, record?.status], [[], null, 200])
})

test('FA-23 an answer to a connection that the service itself has destroyed was never sent', async t => {
  const { box, recorded } = captureLog()
  t.after(() => box.close())
  const { raw } = await serve(
    t,
    observe(box)((request, response) => {
      request.socket.destroy()
      response.writeHead(200).end('nobody hears')
    }),
  )
  await raw(get('/')).catch(() => undefined)
  const [record] = await recorded(1)
  assert.deepEqual([record?.outcome, record?.status, record?.statusSent], ['aborted', 499, null])
})
