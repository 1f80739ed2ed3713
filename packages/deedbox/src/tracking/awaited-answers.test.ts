import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { type TestContext, test } from 'node:test'
import { observe } from '../frameworks/node-http.ts'
import { tracked } from '../index.ts'
import { type CapturedLog, captureLog } from '../testing/captured-log.ts'
import { client, get, heldService, withoutChance } from '../testing/held-responses.ts'
import { noticesOf } from '../testing/ledger-events.ts'
import { keepAll, until } from '../testing/ledger-stand-in.ts'
import { recordingChest } from '../testing/recording-chest.ts'
import { type Served, serve } from '../testing/served.ts'
import { type Chest, ChestError, type TrackedInput } from './index.ts'

const close = 'Connection: close'
type Handler = (request: IncomingMessage, response: ServerResponse) => unknown

/** A service whose handler is wrapped, and keeps a variable for each request: its path. */
async function wrapped(t: TestContext, input: TrackedInput, handler: Handler): Promise<CapturedLog & Served> {
  const captured = captureLog({ redact: { allow: ['path'] } })
  const { box } = captured
  t.after(() => box.close(0))
  const handle = box.tracked(input, (request: IncomingMessage, response: ServerResponse) => {
    box.set({ path: request.url })
    return handler(request, response)
  })
  return Object.assign(await serve(t, observe(box)(handle)), captured)
}

const dead = (): Chest =>
  recordingChest('dead', () => {
    throw new ChestError('refused', 'Recording(name=dead)', 'password=hunter2 is wrong')
  })

const answers: Readonly<Record<string, Handler>> = {
  'an answer in one piece': (_request, response) => {
    response.setHeader('Set-Cookie', 'session=secret')
    response.end('the secret answer')
  },
  'an answer that comes later': (_request, response) =>
    void setImmediate(() => response.writeHead(201, { ETag: 'secret' }).end('secret')),
  'a stream': (_request, response) => {
    response.write('secret 1')
    setImmediate(() => response.end('secret 2'))
  },
}

for (const [what, handler] of Object.entries(answers)) {
  test(`FC-11 raise: ${what} is replaced when a chest fails, and told`, async t => {
    const service = await wrapped(t, { chests: [dead()], raise: true }, handler)
    const answer = await service.raw(get('/a', 'X-Request-Id: r-1', close))
    const [head = '', body = ''] = answer.split('\r\n\r\n')
    assert.match(head, /^HTTP\/1\.1 500 Internal Server Error\r\n/)
    assert.match(head, /\r\nCache-Control: no-store\r\n/)
    assert.match(head, /\r\nContent-Type: application\/json/)
    assert.match(head, /\r\nX-Request-Id: r-1\r\n/)
    assert.doesNotMatch(answer, /secret|hunter2/)
    const { ok, reason, request_id, message } = JSON.parse(body)
    assert.deepEqual([ok, reason, request_id], [false, 'tracking_failed', 'r-1'])
    assert.match(message, /may have been done/)
    const [record] = await service.recorded(1)
    assert.deepEqual(
      [record?.status, record?.statusSent, record?.outcome, record?.responseLength],
      [500, 500, 'completed', body.length],
    )
    assert(record?.error?.thrown instanceof ChestError)
    assert.equal(service.records.length, 1)
    const line = (await service.lines()).find(({ status_code }) => status_code === 500)
    assert.equal(line?.level, 'ERROR')
    assert.doesNotMatch(JSON.stringify(line), /hunter2/)
  })

  test(`FC-09 await: no byte of ${what} changes, and it leaves when the chest has the row`, async t => {
    const bytes: string[] = []
    for (const how of ['usual', 'await'] as const) {
      const chest = recordingChest('chest')
      const service = await wrapped(t, { chests: [chest], await: how === 'await' }, handler)
      const answer = await service.raw(get('/a', 'X-Request-Id: r-1', close))
      if (how === 'await') assert.deepEqual(chest.of('r-1'), [['path', '/a', 'r-1']])
      bytes.push(withoutChance(answer))
      assert.match(
        (await service.raw('HEAD /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')) || '',
        /^HTTP/,
      )
    }
    assert.equal(bytes[1], bytes[0])
  })
}

test('FC-11 raise: an answer to HEAD is replaced as well, without a body', async t => {
  const service = await wrapped(t, { chests: [dead()], raise: true }, answers['a stream']!)
  const head = await service.raw('HEAD /a HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')
  assert.match(head, /^HTTP\/1\.1 500 /)
  assert.equal(head.split('\r\n\r\n')[1], '')
})

test('FC-10 FC-11 raise: an answer that tells of an error waits, and stays what it is', async t => {
  const slow = Promise.withResolvers<void>()
  const chest = recordingChest('slow', async () => {
    await slow.promise
    throw new ChestError('refused', 'Recording(name=slow)', 'no')
  })
  const service = await wrapped(t, { chests: [chest], raise: true }, (_request, response) => {
    service.box.current()?.fail(new Error('out of stock'))
    response.writeHead(409).end('sold out')
  })
  const asking = client(t, service.port)
  asking.write(get('/a', close))
  await until(() => service.box.current() === undefined && service.box.stats().chests.length > 0)
  assert.equal(asking.received(), '')
  slow.resolve()
  await until(asking.isClosed)
  assert.match(asking.received(), /^HTTP\/1\.1 409 .*sold out/s)
  const [record] = await service.recorded(1)
  assert.match(String(record?.error?.thrown), /out of stock/)
})

test('FC-11 a chest that never answers counts as failing; what it takes later is there once', async t => {
  const answering = Promise.withResolvers<void>()
  const chest = recordingChest('slow', () => answering.promise)
  const service = await wrapped(t, { chests: [chest], raise: true, timeout: 40 }, (_request, response) =>
    response.end('ok'),
  )
  const answer = await service.raw(get('/a', 'X-Request-Id: r-1', close))
  assert.match(answer, /^HTTP\/1\.1 500 /)
  const [record] = await service.recorded(1)
  assert.match(
    String(record?.error?.thrown),
    /slow\): has not taken tracked variables within 40 milliseconds/,
  )
  answering.resolve()
  assert.equal(await service.box.flush(), true)
  assert.equal(new Set(chest.entries.map(({ id }) => id)).size, 1)
  const { failed, delivered } = service.box.stats().chests[0]!
  assert.deepEqual([failed, delivered], [1, 1])
})

test('FA-23 a client that leaves while its response waits leaves one row behind', async t => {
  const answering = Promise.withResolvers<void>()
  let asked = false
  const chest = recordingChest('slow', () => {
    asked = true
    return answering.promise
  })
  const service = await wrapped(t, { chests: [chest], await: true }, (_request, response) =>
    response.end('ok'),
  )
  const leaving = client(t, service.port)
  leaving.write(get('/a', 'X-Request-Id: r-1'))
  await until(() => asked)
  leaving.leave()
  const [record] = await service.recorded(1)
  assert.equal(record?.outcome, 'completed')
  answering.resolve()
  assert.equal(await service.box.flush(), true)
  await until(() => chest.entries.length > 0)
  assert.deepEqual(chest.of('r-1'), [['path', '/a', 'r-1']])
})

test('FC-09 what waits for one chest is written together, one write at a time, and only the culprit is refused', async t => {
  const first = Promise.withResolvers<void>()
  const writes: string[][] = []
  let running = 0
  const chest = recordingChest('chest', async entries => {
    assert.equal(++running, 1)
    writes.push(entries.map(({ value }) => String(value)))
    await (writes.length === 1 ? first.promise : new Promise(setImmediate))
    running--
    if (entries.some(({ value }) => value === '/bad')) throw new ChestError('refused', 'chest', 'bad')
  })
  let handled = 0
  const service = await wrapped(t, { chests: [chest], raise: true }, (_request, response) => {
    response.end('ok')
    handled++
  })
  const one = service.raw(get('/1', close))
  await until(() => writes.length === 1)
  const others = ['/2', '/bad', '/3'].map(path => client(t, service.port).write(get(path, close)))
  assert.equal(others.length, 3)
  const queued = service.box.tracked({ chests: [chest] }, () => service.box.set({ v: 'queued' }))
  service.box.run({ name: 'job' }, queued)
  await until(() => handled === 4)
  first.resolve()
  assert.match(await one, /^HTTP\/1\.1 200 /)
  const statuses = (await service.recorded(4)).map(({ path, status }) => `${path} ${status}`)
  assert.deepEqual(statuses.sort(), ['/1 200', '/2 200', '/3 200', '/bad 500'])
  assert.equal(await service.box.flush(), true)
  assert.deepEqual(chest.entries.map(({ value }) => value).sort(), ['/1', '/2', '/3', 'queued'])
  assert(writes.some(values => values.length > 1))
})

test('X-11 FC-11 audit mode closed: the event tells of the answer that a failing chest gave', async t => {
  const chest = recordingChest('chest', ([entry]) => {
    if (entry?.value === '/bad') throw new ChestError('refused', 'chest', 'no')
  })
  const rule = { chests: [chest], raise: true }
  const service = await heldService(
    t,
    keepAll,
    { mode: 'closed', holdTimeout: 100 },
    (request, response, box) =>
      box.tracked(rule, () => {
        box.set({ path: request.url })
        response.end('ok')
      })(),
  )
  assert.match(await service.raw(get('/good', close)), /^HTTP\/1\.1 200 /)
  assert.match(await service.raw(get('/bad', close)), /^HTTP\/1\.1 500 .*tracking_failed/s)
  await until(() => service.records.length === 2)
  assert.deepEqual(await service.events(), [
    ['http.GET./good', 200],
    ['http.GET./bad', 500],
  ])
  service.ledger.follow(() => ({ status: 422, body: { ok: false, reason: 'invalid_payload' } }))
  assert.match(await service.raw(get('/bad', close)), /^HTTP\/1\.1 503 .*audit_unavailable/s)
  assert.equal(noticesOf(service.lines, 'chest_failed').length, 1)
})

test('FC-11 of two instances that hold a response the one that refuses it says why', async t => {
  const [outer, inner] = [captureLog(), captureLog()]
  t.after(() => Promise.all([outer.box.close(0), inner.box.close(0)]))
  const work = tracked({ chests: [dead()], raise: true }, (_request: object, response: ServerResponse) => {
    inner.box.set({ a: 1 })
    response.end('ok')
  })
  const kept = recordingChest('kept')
  const around = outer.box.tracked(
    { chests: [kept], await: true },
    (request: object, response: ServerResponse) => {
      outer.box.set({ a: 2 })
      return work(request, response)
    },
  )
  const { raw } = await serve(t, observe(outer.box)(observe(inner.box)(around)))
  assert.match(await raw(get('/a', close)), /^HTTP\/1\.1 500 .*tracking_failed/s)
  const [[seen], [own]] = await Promise.all([outer.recorded(1), inner.recorded(1)])
  assert.deepEqual([seen?.status, own?.status], [500, 500])
  assert(own?.error?.thrown instanceof ChestError)
  assert.equal(kept.entries.length, 1)
})
