import assert from 'node:assert/strict'
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { test } from 'node:test'
import { setTimeout as pause } from 'node:timers/promises'
import { type ContextEntry, httpWriter, type TrackedValue } from 'deedbox/chests'
import { selfSigned } from '../servers/certificates.ts'
import { aRecord, entriesOf, eventually } from './entries.ts'
import { failureOf } from './failing-write.ts'
import { aServer } from './recording-server.ts'
import { aService } from './service-suite.ts'

/** Sample 39: as the original's, an object by position. */
function byPosition(entries: readonly ContextEntry[]): Record<number, [string, TrackedValue, string]> {
  const payload: Record<number, [string, TrackedValue, string]> = {}
  for (const [i, [name, value, requestId]] of entries.entries()) payload[i] = [name, value, requestId]
  return payload
}

test('FC-07 FC-20 samples 39 and 40 what the generator returns is the body', async t => {
  const { port, requests } = await aServer(t, response => response.writeHead(200).end())
  const chest = httpWriter({
    https: false,
    host: 'localhost',
    port: String(port),
    payloadGenerator: byPosition,
    successStatusCodes: [200],
    verify: false,
    logger: console,
  })
  t.after(() => chest.close())
  t.mock.method(console, 'debug', () => {})
  await chest.write([
    ...entriesOf(aRecord({ requestId: 'r-1' }), [
      ['user', '1'],
      ['total', 2.5],
    ]),
    ...entriesOf(aRecord({ requestId: 'r-2' }), [['user', null]]),
  ])
  assert.deepEqual(requests.map(({ body }) => JSON.parse(body)).sort(), [
    { 0: ['user', '1', 'r-1'], 1: ['total', 2.5, 'r-1'] },
    { 0: ['user', null, 'r-2'] },
  ])
})

test('FC-20 a generator that throws costs its request alone, and is told with the chest and the cause', async t => {
  const { origin, requests } = await aServer(t)
  const thrown = new RangeError('no such currency')
  const odd: Record<string, () => unknown> = {
    throws: () => {
      throw thrown
    },
    circle: () => {
      const circle: unknown[] = []
      circle.push(circle)
      return circle
    },
    nothing: () => undefined,
    bigint: () => 1n,
    promise: () => Promise.reject(new Error('late')),
  }
  const chest = httpWriter({
    url: origin,
    payload: ([entry]) => odd[entry!.name]?.() ?? odd[entry!.name] ?? entry!.name,
  })
  for (const name of ['throws', 'circle', 'bigint', 'promise']) {
    const error = await failureOf(chest, entriesOf(aRecord(), [[name, 1]]))
    assert.equal(error.code, 'refused')
    assert(error.message.startsWith(`HTTP(name=${origin}): the payload could not be made: `), error.message)
    if (name === 'throws') assert.equal(error.cause, thrown)
    assert(error.cause instanceof Error)
  }
  const { box, lines } = aService(t, chest)
  for (const name of ['one', 'throws', 'two', 'circle', 'three'])
    box.run({ name: 'job' }, () => box.set({ [name]: 1 }))
  assert.equal(await box.flush(), true)
  assert.deepEqual(requests.map(({ body }) => body).sort(), ['"one"', '"three"', '"two"'])
  const { delivered, rejected, dropped } = box.stats().chests[0]!
  assert.deepEqual({ delivered, rejected, dropped }, { delivered: 3, rejected: 2, dropped: 0 })
  assert(lines.some(line => line.includes(chest.id) && line.includes('the payload could not be made')))
})

test('FC-21 sample 40 a self-signed certificate is refused by default, accepted with verify false or as authority', async t => {
  const certificate = selfSigned(t)
  const { port, requests } = await aServer(t, undefined, certificate)
  const parts = { https: true, host: '127.0.0.1', port }
  const entries = entriesOf(aRecord(), [['n', 1]])
  for (const options of [parts, { ...parts, verify: true }, { ...parts, tls: { ca: selfSigned(t).cert } }]) {
    const chest = httpWriter(options)
    const { code, message } = await failureOf(chest, entries)
    assert.equal(code, 'unavailable')
    assert.match(message, /self.signed certificate/)
    const [found] = await chest.check()
    assert.match(String(found?.message), /cannot be reached: .*self.signed certificate/)
  }
  assert.equal(requests.length, 0)
  const trusted = [
    { verify: false },
    { tls: { verify: false } },
    { tls: { ca: certificate.cert } },
    { tls: { ca: [Buffer.from(certificate.cert)] } },
  ]
  for (const more of trusted) {
    const chest = httpWriter({ ...parts, ...more })
    t.after(() => chest.close())
    assert.deepEqual(await chest.check(), [])
    await chest.write(entries)
  }
  assert.equal(requests.length, trusted.length, 'and a check posts nothing')
})

test('FC-21 a server that does not answer in time, dies meanwhile, or is none, is asked again', async t => {
  const held: ServerResponse[] = []
  let behave: 'wait' | 'die' | 'stall' = 'wait'
  const { origin } = await aServer(t, response => {
    if (behave === 'die') response.destroy()
    else if (behave === 'stall') response.writeHead(500).write('half a')
    else held.push(response)
  })
  const chest = httpWriter({ url: origin, timeoutMs: 200 })
  t.after(() => chest.close())
  const slow = await failureOf(chest)
  assert.equal(slow.code, 'unavailable')
  assert.match(slow.message, /there was no answer: no answer within 200 ms/)
  behave = 'die'
  assert.equal((await failureOf(chest)).code, 'unavailable')
  behave = 'stall'
  assert.match((await failureOf(chest)).message, /it answered 500: half a/)
  const mute = createServer(socket => socket.end('what?\r\n')).listen(0, '127.0.0.1')
  await once(mute, 'listening')
  t.after(() => mute.close())
  const { port } = mute.address() as AddressInfo
  assert.equal((await failureOf(httpWriter({ host: '127.0.0.1', port }))).code, 'unavailable')
  assert.equal((await failureOf(httpWriter('http://no-such-host.invalid'))).code, 'unavailable')
})

test('FC-21 an answer without an end does not fill the memory, and counts by its status', async t => {
  let left = 256 * 1_048_576
  const { origin } = await aServer(t, response => {
    response.on('error', () => {})
    response.writeHead(200)
    const more = (): void => {
      while (!response.destroyed && left > 0) {
        left -= 65_536
        if (!response.write('x'.repeat(65_536))) return void response.once('drain', more)
      }
      response.end()
    }
    more()
  })
  const chest = httpWriter({ url: origin, timeoutMs: 20_000 })
  t.after(() => chest.close())
  await chest.write(entriesOf(aRecord(), [['n', 1]]))
  assert(left > 200 * 1_048_576, 'what it goes on to say is not read')
})

test('FC-18 a connection that was closed while it was idle costs no failure', async t => {
  let posts = 0
  const bodies: string[] = []
  const server = createServer(socket => {
    let isFirst = true
    socket.on('error', () => {})
    socket.on('data', data => {
      posts++
      if (!isFirst) socket.resetAndDestroy()
      else {
        isFirst = false
        bodies.push(String(data).split('\r\n\r\n')[1] ?? '')
        socket.write('HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\n\r\n')
      }
    })
    t.after(() => socket.destroy())
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const chest = httpWriter({ host: '127.0.0.1', port: (server.address() as AddressInfo).port })
  t.after(() => chest.close())
  for (const n of [1, 2]) await chest.write(entriesOf(aRecord({ requestId: 'r' }), [['n', n]]))
  assert.deepEqual(bodies, ['[["n",1,"r"]]', '[["n",2,"r"]]'])
  assert.equal(posts, 3)
})

test('ruling 22 five posts at once at most, on connections that are kept', async t => {
  let now = 0
  let most = 0
  const server = await aServer(t, async response => {
    most = Math.max(most, ++now)
    await pause(5)
    now--
    response.writeHead(204).end()
  })
  const chest = httpWriter(server.origin)
  t.after(() => chest.close())
  const many = Array.from({ length: 30 }, (_, n) => entriesOf(aRecord(), [['n', n]]))
  await Promise.all([chest.write(many.flat()), ...many.map(entries => chest.write(entries))])
  assert.equal(server.requests.length, 60)
  assert.equal(most, 5)
  assert(server.connections <= 5, String(server.connections))
})

test('ruling 25 its logger is told of each write', async t => {
  const { origin, halt } = await aServer(t)
  const said: string[] = []
  const logger = {
    debug: (message: string) => void said.push(`debug ${message}`),
    warn: (message: string) => void said.push(`warn ${message}`),
  }
  const { box } = aService(t, httpWriter({ url: origin, name: 'vars', logger }))
  const set = (): void => box.run({ name: 'job' }, () => box.set({ a: 1, b: 2 }))
  set()
  assert.equal(await box.flush(), true)
  assert.deepEqual(said, ['debug HTTP(name=vars) took 2 entries'])
  await halt()
  set()
  await eventually(() => said.length > 1)
  assert.match(said[1]!, /^warn HTTP\(name=vars\) did not take 2 entries: .*ECONNREFUSED/)
})
