import assert from 'node:assert/strict'
import { EventEmitter } from 'node:events'
import { OutgoingMessage, type ServerResponse } from 'node:http'
import { test } from 'node:test'
import { observe } from '../frameworks/node-http.ts'
import { captureLog } from '../testing/captured-log.ts'
import { serve } from '../testing/served.ts'
import { findTableKey } from './header-table.ts'
import { canTakeLines } from './response-watch.ts'

/** A service that sets headers in some way, and what the client is to get: its ids, and how often our time. */
interface Way {
  readonly answer: (response: ServerResponse) => void
  /** Absent for ours. */
  readonly ids?: readonly string[]
}

const plain = { 'Content-Type': 'text/plain' }
function failsOnce(response: ServerResponse): void {
  assert.throws(() => response.writeHead(200, { 'X-A': 'a\nb' }), { code: 'ERR_INVALID_CHAR' })
}

/** Headers that one way has seen through a `setHeader` of its own. */
const seen: string[] = []

const ways: Record<string, Way> = {
  'nothing of its own': { answer: response => void response.end('x') },
  'headers set one by one': { answer: response => void response.setHeader('X-A', '1').end('x') },
  'headers for writeHead': { answer: response => void response.writeHead(200, plain).end('x') },
  'both of them': { answer: response => void response.setHeader('X-A', '1').writeHead(200, plain).end('x') },
  'a list for writeHead': { answer: response => void response.writeHead(200, ['X-A', '1']).end('x') },
  'a reason': { answer: response => void response.writeHead(200, 'Fine', plain).end('x') },
  'an id set': {
    answer: response => void response.setHeader('x-request-ID', 'mine').end('x'),
    ids: ['mine'],
  },
  'an id for writeHead': {
    answer: response => void response.writeHead(200, { 'X-REQUEST-ID': 'mine' }).end('x'),
    ids: ['mine'],
  },
  'an id in a list': {
    answer: response => void response.writeHead(200, ['X-REQUEST-ID', 'mine']).end('x'),
    ids: ['mine'],
  },
  'a time set': { answer: response => void response.setHeader('x-processed-time', 'never').end('x') },
  'a time for writeHead': {
    answer: response => void response.writeHead(200, { 'X-Processed-Time': 'never' }).end('x'),
  },
  'a head that fails first': {
    answer: response => {
      failsOnce(response)
      response.writeHead(200, plain).end('x')
    },
  },
  'a head that fails ahead of a list': {
    answer: response => {
      failsOnce(response)
      response.writeHead(200, ['X-A', '1']).end('x')
    },
  },
  'a head that fails ahead of an id': {
    answer: response => {
      failsOnce(response)
      response.setHeader('X-Request-Id', 'mine').end('x')
    },
    ids: ['mine'],
  },
  'a status that fails first': {
    answer: response => {
      assert.throws(() => response.writeHead(9999, plain), { code: 'ERR_HTTP_INVALID_STATUS_CODE' })
      response.setHeader('X-Request-Id', 'mine').end('x')
    },
    ids: ['mine'],
  },
  'a setHeader of its own': {
    answer: response => {
      const { setHeader } = response
      response.setHeader = (name, value) => {
        seen.push(name)
        return setHeader.call(response, name, value)
      }
      response.end('x')
    },
  },
}

test('FA-22 X-02 however a service sets its headers, the client gets one id and one time', async t => {
  const log = captureLog()
  const { raw } = await serve(
    t,
    observe(log.box)((request, response) =>
      ways[decodeURIComponent(request.url ?? '').slice(1)]?.answer(response),
    ),
  )
  let asked = 0
  for (const [name, { ids }] of Object.entries(ways)) {
    const text = await raw(
      `GET /${encodeURIComponent(name)} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`,
    )
    const record = (await log.recorded(++asked))[asked - 1]
    const [head = ''] = text.split('\r\n\r\n')
    const [status = '', ...lines] = head.split('\r\n')
    const values = (wanted: string): string[] =>
      lines
        .filter(line => line.toLowerCase().startsWith(`${wanted}: `))
        .map(line => line.slice(wanted.length + 2))
    assert.match(status, /^HTTP\/1\.1 200 /, name)
    assert.deepEqual(values('x-request-id'), ids ?? [record?.requestId], name)
    assert.deepEqual(values('x-processed-time').map(Number), [record?.ttfb], name)
  }
  assert.deepEqual(seen, ['X-Request-Id', 'X-Processed-Time'])
})

test('FA-22 X-02 what logs of others read from the response is there, unless writeHead was given all headers', async t => {
  const log = captureLog()
  const read: Record<string, unknown>[] = []
  const { url } = await serve(
    t,
    observe(log.box)((request, response) => {
      response.on('finish', () => {
        const asked: Record<string, () => unknown> = {
          '/has': () => response.hasHeader('X-Request-Id'),
          '/names': () => response.getHeaderNames().includes('x-request-id'),
          '/raw': () =>
            (Reflect.get(response, 'getRawHeaderNames') as () => string[])
              .call(response)
              .includes('X-Request-Id'),
          '/get': () => response.getHeader('x-ReQuest-id') !== undefined,
        }
        assert.notEqual(asked[request.url ?? '']?.(), false, request.url)
        read.push({ ...response.getHeaders() })
      })
      if (request.url !== '/') response.setHeader('X-A', '1')
      if (request.url === '/id') response.setHeader('x-request-id', 'mine')
      if (request.url === '/time') response.setHeader('x-processed-time', 'never')
      if (request.url === '/both') response.writeHead(200, { 'X-B': '2' })
      response.end('x')
    }),
  )
  const paths = ['/', '/set', '/id', '/time', '/both', '/has', '/names', '/raw', '/get']
  for (const path of paths) await (await fetch(url + path)).text()
  const records = await log.recorded(paths.length)
  const own = records.map(({ requestId, ttfb }) => [requestId, ttfb])
  const found = read.map(headers => [headers['x-request-id'], Number(headers['x-processed-time'])])
  assert.deepEqual(found.toSpliced(2, 1), own.toSpliced(2, 1))
  assert.deepEqual(found[2], ['mine', own[2]?.[1]])

  const { url: givenUrl } = await serve(
    t,
    observe(log.box)((_request, response) => {
      response.on('finish', () => read.push({ ...response.getHeaders() }))
      response.writeHead(200, plain).end('x')
    }),
  )
  await (await fetch(givenUrl)).text()
  assert.deepEqual(read.at(-1), {})
})

test('X-02 an id header of an unusual name is known again', async t => {
  const log = captureLog({ requestId: { header: '_rid' } })
  const { raw } = await serve(
    t,
    observe(log.box)((_request, response) => void response.writeHead(200, { _RID: 'mine' }).end('x')),
  )
  const text = await raw('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  assert.deepEqual(text.match(/^_rid: .*$/gim), ['_RID: mine'])
})

test('FA-14 emit passes on just what it is given, however much, and tells whether it was heard', async t => {
  const log = captureLog()
  const heard: unknown[][] = []
  const answers: boolean[] = []
  const { url } = await serve(
    t,
    observe(log.box)((request, response) => {
      request.on('thing', (...values: unknown[]) => heard.push([...values, log.box.requestId]))
      answers.push(request.emit('thing'))
      answers.push(request.emit('thing', undefined))
      answers.push(request.emit('thing', 1, undefined))
      answers.push(request.emit('thing', 1, 2, 3, 4))
      answers.push(request.emit('nothing', 1))
      response.end()
    }),
  )
  await (await fetch(url)).text()
  const id = (await log.recorded(1))[0]?.requestId
  assert.deepEqual(heard, [[id], [undefined, id], [1, undefined, id], [1, 2, 3, 4, id]])
  assert.deepEqual(answers, [true, true, true, true, false])
})

test('X-02 this version of Node takes headers behind the status line, and keeps them where they are written to', () => {
  assert.equal(canTakeLines(), true)
  const key = findTableKey()
  assert.ok(key !== undefined)
  const message = new OutgoingMessage()
  message.setHeader('X-A', '1')
  Object.assign(Reflect.get(message, key), { 'x-b': ['X-B', '2'] })
  assert.deepEqual({ ...message.getHeaders() }, { 'x-a': '1', 'x-b': '2' })
})

test('FA-14 an emit that somebody has put in the place of Node’s is told of events that nobody hears', async t => {
  const log = captureLog()
  const { url } = await serve(
    t,
    observe(log.box)((request, response) => {
      request.emit('unheard', 1)
      response.end()
    }),
  )
  const { emit } = EventEmitter.prototype
  const told: unknown[] = []
  EventEmitter.prototype.emit = function (this: EventEmitter, event: string | symbol, ...values: unknown[]) {
    if (event === 'unheard') told.push(...values)
    return emit.call(this, event, ...values)
  } as typeof emit
  t.after(() => {
    EventEmitter.prototype.emit = emit
  })
  await (await fetch(url)).text()
  assert.deepEqual(told, [1])
})
