import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createReadStream } from 'node:fs'
import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { test } from 'node:test'
import { setImmediate as turn } from 'node:timers/promises'
import { createGzip } from 'node:zlib'
import type { AuditMode } from '../index.ts'
import { client, get, heldService, waitingLedger, withoutChance } from '../testing/held-responses.ts'
import { keepAll, until } from '../testing/ledger-stand-in.ts'

const closed = { mode: 'closed' } as const
const close = 'Connection: close'

test('X-11 IF-33 closed: no byte leaves before the ledger has the event, and the event tells the status', async t => {
  const { script, answer } = waitingLedger()
  const { port, ledger, held, events, records } = await heldService(t, script, closed, (_request, response) =>
    response.writeHead(201, { 'Content-Type': 'text/plain' }).end('made'),
  )
  const { write, received, isClosed } = client(t, port)
  write(get('/orders', close))
  await until(() => ledger.calls.length === 1)
  await turn()
  assert.equal(received(), '')
  assert.equal(records.length, 0)
  answer()
  await until(isClosed)
  assert.match(
    received(),
    /^HTTP\/1\.1 201 Created\r\n[\s\S]*X-Request-Id: [\s\S]*\r\n\r\n4\r\nmade\r\n0\r\n\r\n$/,
  )
  assert.deepEqual(await events(), [['http.GET./orders', 201]])
  assert.deepEqual(held(), { waited: 1, refused: 0, unkept: 0 })
  assert.equal(records[0]?.status, 201)
})

const writers: Readonly<Record<string, (response: ServerResponse) => unknown>> = {
  '/end': response => response.end('süß'),
  '/nothing': response => response.end(),
  '/json': response => response.writeHead(200, { 'content-type': 'application/json' }).end('{"a":1}'),
  '/chunks': response => {
    response.write('süß')
    response.write(Buffer.from('bytes'))
    response.end('!')
  },
  '/later': async response => {
    response.write('one')
    await turn()
    response.write('two')
    await turn()
    response.end()
  },
  '/flushed': async response => {
    response.setHeader('X-Early', '1')
    response.flushHeaders()
    await turn()
    response.end('body')
  },
  '/bytes': response => response.end(new Uint8Array(70_000)),
  '/length': response => {
    response.setHeader('Content-Length', 3)
    response.end('abc')
  },
  '/204': response => response.writeHead(204).end(),
  '/304': response => response.writeHead(304).end('ignored'),
  '/trailers': response => {
    if (response.req.httpVersion === '1.1' && response.req.method !== 'HEAD')
      response.writeHead(200, { Trailer: 'X-Sum' })
    response.write('body')
    response.addTrailers({ 'X-Sum': '7' })
    response.end()
  },
  '/hints': response => {
    response.writeEarlyHints({ link: '</style.css>; rel=preload' })
    response.end('hinted')
  },
  '/pairs': response => response.writeHead(200, ['x-a', '1', 'x-a', '2'] as never).end('pairs'),
  '/piped': response => Readable.from(['a', 'b', 'c']).pipe(response),
  '/pipeline': response => pipeline(Readable.from(['a', 'b', 'c']), response),
  '/file': response => createReadStream(import.meta.filename, { end: 99_999 }).pipe(response),
  '/gzip': response => {
    response.setHeader('Content-Encoding', 'gzip')
    return pipeline(Readable.from(['a'.repeat(100_000), 'b']), createGzip(), response)
  },
  '/sse': async response => {
    response.writeHead(200, { 'Content-Type': 'text/event-stream' })
    for (const n of [1, 2, 3]) {
      response.write(`data: ${n}\n\n`)
      await turn()
    }
    response.end()
  },
  '/corked': response => {
    response.cork()
    response.write('a')
    response.write('b')
    response.uncork()
    response.end('c')
  },
  '/callbacks': response => {
    response.write('a', () => response.write('b', () => response.end('c')))
  },
}

test('X-11 what is let go is what leaves without us waiting, byte for byte', async t => {
  const answers: string[] = []
  for (const mode of ['open', 'buffer', 'closed'] as const) {
    const { raw, events } = await heldService(t, keepAll, { mode }, (request, response) =>
      writers[request.url ?? '']?.(response),
    )
    let all = ''
    for (const path of Object.keys(writers)) {
      all += await raw(get(path, close))
      all += await raw(get(path, close).replace('GET', 'HEAD'))
      all += await raw(get(path).replace('1.1', '1.0'))
    }
    answers.push(withoutChance(all))
    assert.equal((await events()).length, 3 * Object.keys(writers).length)
  }
  const [open, buffer, held] = answers
  assert.ok(open !== undefined && open.length > 140_000)
  assert.equal(buffer, open)
  assert.equal(held, open)
})

test('X-11 pipelined requests are answered in their order, whichever event is acknowledged first', async t => {
  const answers: string[] = []
  const routes: Record<string, AuditMode>[] = [{}, { '/b': 'closed', '/c': 'buffer' }]
  for (const modes of routes) {
    const { port, events } = await heldService(t, keepAll, { modes }, async (request, response) => {
      if (request.url === '/a') for (let n = 0; n < 50; n++) await turn()
      response.end(`this is ${request.url}`)
    })
    const { write, received, isClosed } = client(t, port)
    write(get('/a') + get('/b') + get('/c') + get('/b') + get('/a', close))
    await until(isClosed)
    answers.push(withoutChance(received()))
    assert.equal((await events()).length, 5)
  }
  assert.deepEqual(answers[0]?.match(/this is ../g), [
    'this is /a',
    'this is /b',
    'this is /c',
    'this is /b',
    'this is /a',
  ])
  assert.equal(answers[1], answers[0])
})

test('X-11 a held response takes no more than a connection that is slow, and goes on with drain', async t => {
  const { script, answer } = waitingLedger()
  const total = 4_000_000
  let taken = 0
  const { port, ledger, held } = await heldService(t, script, closed, async (_request, response) => {
    const piece = Buffer.alloc(10_000, 'x')
    for (let n = 0; n * piece.length < total; n++) {
      taken += piece.length
      if (!response.write(piece)) await once(response, 'drain')
    }
    response.end()
  })
  const { write, received, isClosed } = client(t, port)
  write(get('/big', close))
  await until(() => ledger.calls.length === 1)
  for (let n = 0; n < 20; n++) await turn()
  assert.ok(taken <= 100_000, `${taken} bytes were taken`)
  assert.equal(received(), '')
  answer()
  await until(isClosed)
  assert.equal(received().match(/x/g)?.length, total)
  assert.equal(held().waited, 1)
})

test('FA-23 a client that leaves while its response is held: one event, and a line that tells it', async t => {
  for (const mode of ['closed', 'buffer'] as const) {
    const { script, answer } = waitingLedger()
    const service = await heldService(t, script, { mode }, (_request, response) => response.end('ok'))
    const { write, leave } = client(t, service.port)
    write(get('/a'))
    await until(() => service.ledger.calls.length === 1)
    leave()
    await until(() => service.records.length === 1)
    answer()
    assert.deepEqual(await service.events(), [['http.GET./a', 200]])
  }
})

test('FA-23 a client that leaves while its response is held by a ledger that takes nothing: the event of the end', async t => {
  const service = await heldService(
    t,
    () => 'never',
    { ...closed, holdTimeout: 200, timeout: 300 },
    (_request, response) => response.end('ok'),
  )
  const { write, leave } = client(t, service.port)
  write(get('/a'))
  await until(() => service.ledger.calls.length === 1)
  leave()
  await until(() => service.held().refused === 1)
  service.ledger.follow(keepAll)
  const events = await service.events()
  assert.equal(events.length, 1)
})

test('FA-25 an error after the response was let go makes a second event', async t => {
  const service = await heldService(t, keepAll, closed, async (_request, response, box) => {
    const scope = box.current()
    response.write('begun')
    await until(() => service.ledger.stored.size === 1)
    scope?.fail(new Error('broke in the middle'))
    response.destroy(new Error('broke in the middle'))
  })
  await service.raw(get('/a'))
  await until(() => service.records.length === 1)
  const events = await service.events()
  assert.deepEqual(events, [
    ['http.GET./a', 200],
    ['http.GET./a', 500],
  ])
  assert.match([...service.ledger.stored.values()][1]?.payload ?? '', /"late":true.*broke in the middle/)
})
