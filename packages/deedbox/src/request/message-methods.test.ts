import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, get, IncomingMessage, type RequestListener, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { test } from 'node:test'
import { observe } from '../frameworks/node-http.ts'
import { captureLog } from '../testing/captured-log.ts'
import { serve } from '../testing/served.ts'
import { watchResponse } from './response-watch.ts'

// Who else has methods on requests and responses. (Decision 0069)

test('X-02 what nobody observes answers as it did, and its messages emit what they are given', async t => {
  const log = captureLog()
  const observed = await serve(
    t,
    observe(log.box)((_request, response) => void response.end('seen')),
  )
  await (await fetch(observed.url)).text()
  const heard: unknown[][] = []
  const { raw } = await serve(t, (request, response) => {
    request.on('thing', (...values: unknown[]) => heard.push(values))
    response.on('thing', (...values: unknown[]) => heard.push(values))
    assert.equal(request.emit('thing', 1, 2, 3, 4, 5), true)
    assert.equal(response.emit('thing'), true)
    assert.equal(response.emit('unheard', 1), false)
    response.setHeader('X-A', '1')
    assert.deepEqual([response.getHeader('x-a'), response.hasHeader('X-A')], ['1', true])
    assert.deepEqual([response.getHeaderNames(), { ...response.getHeaders() }], [['x-a'], { 'x-a': '1' }])
    response.writeHead(201, 'Made', { 'X-B': '2', Date: 'today' })
    response.write('s\u00fc', 'latin1')
    response.end('\u00df', 'latin1', () => heard.push(['ended']))
  })
  const text = await raw('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  assert.deepEqual(heard, [[1, 2, 3, 4, 5], [], ['ended']])
  assert.match(text, /^HTTP\/1\.1 201 Made\r\nX-A: 1\r\nX-B: 2\r\nDate: today\r\n/)
  assert.match(text, /\r\n2\r\ns\u00fc\r\n1\r\n\u00df\r\n0\r\n/)
  assert.doesNotMatch(text, /x-request-id/i)
  assert.equal((await log.recorded(1)).length, 1)
})

test('X-02 responses of a client emit in the context they came in', async t => {
  const log = captureLog()
  const inner = await serve(t, (_request, response) => void response.end('inside'))
  const seen: unknown[] = []
  const { url } = await serve(
    t,
    observe(log.box)((_request, response) => {
      get(inner.url, answer => {
        answer.on('data', chunk => seen.push(String(chunk), log.box.requestId))
        answer.on('end', () => response.end())
      })
    }),
  )
  await (await fetch(url)).text()
  assert.deepEqual(seen, ['inside', (await log.recorded(1))[0]?.requestId])
})

for (const name of ['write', 'end', 'writeHead'] as const) {
  test(`FA-14 FA-19 ${name} that somebody puts on all responses after us is called, and nothing counts twice`, async t => {
    const log = captureLog()
    const handler: RequestListener = (_request, response) => {
      response.setHeader('X-A', '1')
      response.write('ab')
      response.end('c')
    }
    const { raw } = await serve(t, observe(log.box)(handler))
    const ask = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'
    await raw(ask)
    const { mock } = t.mock.method(ServerResponse.prototype, name)
    const text = await raw(ask)
    assert.equal(mock.callCount(), 1)
    mock.restore()
    await raw(ask)
    const records = await log.recorded(3)
    assert.equal(text.match(/^x-request-id: /gim)?.length, 1)
    assert.deepEqual(
      records.map(({ responseLength, status }) => [responseLength, status]),
      [
        [3, 200],
        [3, 200],
        [3, 200],
      ],
    )
  })
}

test('FA-14 FA-19 a kind of response of the service’s own is counted once, with its own methods', async t => {
  const log = captureLog()
  const calls: string[] = []
  class Answer extends ServerResponse {
    override write(...values: unknown[]): boolean {
      calls.push('write')
      return Reflect.apply(super.write, this, values)
    }
    override end(...values: unknown[]): this {
      calls.push('end')
      return Reflect.apply(super.end, this, values)
    }
  }
  class Question extends IncomingMessage {
    override emit(...values: [string, ...unknown[]]): boolean {
      if (values[0] === 'close') calls.push('closed')
      return Reflect.apply(super.emit, this, values)
    }
  }
  const server = createServer(
    { ServerResponse: Answer, IncomingMessage: Question },
    observe(log.box)((_request, response) => {
      response.write('ab')
      response.end('c')
    }),
  )
  await once(server.listen(0, '127.0.0.1'), 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const response = await fetch(`http://127.0.0.1:${port}`, { headers: { connection: 'close' } })
  assert.equal(await response.text(), 'abc')
  const [record] = await log.recorded(1)
  assert.equal(response.headers.get('x-request-id'), record?.requestId)
  assert.equal(record?.responseLength, 3)
  assert.deepEqual(calls, ['write', 'end', 'closed'])
})

test('FA-14 two copies of this package watch one response, and each is told once', async t => {
  const copy = (await import(`${import.meta.resolve('./response-watch.ts')}?copy=2`)) as {
    watchResponse: typeof watchResponse
  }
  const told: string[] = []
  const watcher = (name: string): Parameters<typeof watchResponse>[1] => ({
    headerLines: () => undefined,
    beforeHeaders: () => told.push(`${name} before`),
    headersMade: () => told.push(`${name} made`),
    wrote: bytes => told.push(`${name} ${bytes}`),
  })
  for (const [first, second] of [
    [watchResponse, copy.watchResponse],
    [copy.watchResponse, watchResponse],
  ] as const) {
    told.length = 0
    const { url } = await serve(t, (_request, response) => {
      first(response, watcher('first'))
      second(response, watcher('second'))
      response.end('abc')
    })
    assert.equal(await (await fetch(url)).text(), 'abc')
    assert.deepEqual(told.toSorted(), [
      'first 3',
      'first before',
      'first made',
      'second 3',
      'second before',
      'second made',
    ])
  }
})

const readers: Record<string, (response: ServerResponse) => unknown> = {
  getHeader: response => response.getHeader('X-Request-Id'),
  getHeaders: response => response.getHeaders()['x-request-id'],
  getHeaderNames: response => response.getHeaderNames().includes('x-request-id'),
  getRawHeaderNames: response =>
    (Reflect.get(response, 'getRawHeaderNames') as () => string[]).call(response).includes('X-Request-Id'),
  hasHeader: response => response.hasHeader('X-Request-Id'),
}

for (const [name, read] of Object.entries(readers)) {
  for (const when of ['at once', 'when it has finished', 'when all is over']) {
    test(`X-02 FA-22 ${name} sees our headers after the head is made, ${when}`, async t => {
      const log = captureLog()
      const looked = Promise.withResolvers<unknown[]>()
      const { url } = await serve(
        t,
        observe(log.box)((_request, response) => {
          const look = (): void =>
            looked.resolve([read(response), typeof response.getHeader('X-Processed-Time')])
          response.setHeader('X-A', '1')
          if (when === 'when it has finished') response.on('finish', look)
          if (when === 'when all is over') response.on('close', () => setImmediate(look))
          response.end('x')
          if (when === 'at once') look()
        }),
      )
      const response = await fetch(url)
      await response.text()
      const [record] = await log.recorded(1)
      assert.deepEqual(await looked.promise, [
        name.includes('Names') || name === 'hasHeader' ? true : record?.requestId,
        'string',
      ])
    })
  }
}
