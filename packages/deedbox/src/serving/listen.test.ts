import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect as connectHttp2, createServer as createHttp2Server } from 'node:http2'
import { type AddressInfo, connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { ConfigurationError } from '../safety/index.ts'
import { startChild } from '../testing/ledger-child.ts'
import { type Listening, listen } from './listen.ts'
import { readListen } from './listen-options.ts'

const local = { port: 0, host: '127.0.0.1' }
const ok = (_request: unknown, response: { end(text: string): unknown }): unknown => response.end('ok')

async function listening(t: TestContext, ...given: Parameters<typeof listen>): Promise<Listening> {
  const service = await listen(...given)
  t.after(() => service.close())
  return service
}

test('DF-55 ruling 30 sample 85: the variables and options of listen()', () => {
  const port = (PORT?: string): number => readListen({}, { PORT }).port
  assert.deepEqual([port(), port(''), port('0'), port('8123')], [8000, 8000, 0, 8123])
  assert.equal(readListen({ port: 9 }, { PORT: 'abc' }).port, 9)
  for (const wrong of ['abc', '70000', '-1', '80.5', '0x50', '8000;'])
    assert.throws(() => port(wrong), { code: 'invalid_configuration', setting: 'PORT' }, wrong)
  for (const wrong of [70_000, -1, 1.5, Number.NaN])
    assert.throws(() => readListen({ port: wrong }, {}), { setting: 'port' })
  assert.equal(readListen({}, {}).host, undefined)
  assert.equal(readListen({}, { HOST: '127.0.0.1' }).host, '127.0.0.1')
  assert.equal(readListen({ host: '::1' }, { HOST: '127.0.0.1' }).host, '::1')
  assert.throws(() => readListen({}, { HOST: 'http://here' }), { setting: 'HOST' })
  assert.throws(
    () => readListen({ prot: 1 } as never, {}),
    /prot: there is no such option\. There are: port,/,
  )
  assert.throws(() => readListen({ onDrained: 1 as never }, {}), { setting: 'onDrained' })
  assert.throws(() => readListen({ onDraining: 1 as never }, {}), { setting: 'onDraining' })
})

test('gap 17 the times of a drain, and what they are in Kubernetes', () => {
  const times = (options: object, environment: Record<string, string>): number[] => {
    const { drainDelay, drainTimeout } = readListen(options, environment)
    return [drainDelay, drainTimeout]
  }
  assert.deepEqual(times({}, {}), [0, 15_000])
  assert.deepEqual(times({}, { KUBERNETES_SERVICE_HOST: '10.0.0.1' }), [5_000, 15_000])
  const variables = { DEEDBOX_DRAIN_DELAY: '1.5s', DEEDBOX_DRAIN_TIMEOUT: '800ms' }
  assert.deepEqual(times({}, variables), [1_500, 800])
  assert.deepEqual(times({ drainDelay: 0, drainTimeout: 5 }, variables), [0, 5])
  for (const wrong of ['5', 'soon', '-1s', '9999999999s'])
    assert.throws(() => times({}, { DEEDBOX_DRAIN_DELAY: wrong }), { setting: 'DEEDBOX_DRAIN_DELAY' }, wrong)
  assert.throws(() => times({ drainTimeout: -1 }, {}), { setting: 'drainTimeout' })
})

test('DF-55 it says where it listens, on all interfaces by default, and close() gives everything back', async t => {
  // With the first line ever the log listens to the end of the process as well.
  await (await listen(ok, local)).close()
  const handlers = (): number => process.listenerCount('SIGTERM') + process.listenerCount('SIGINT')
  const before = handlers()
  const service = await listening(t, ok, { port: 0 })
  assert.equal(service.port, (service.server.address() as AddressInfo).port)
  assert.match(service.host, /^(::|0\.0\.0\.0)$/)
  assert.equal(service.url, `http://localhost:${service.port}`)
  assert.equal(await (await fetch(`http://127.0.0.1:${service.port}`)).text(), 'ok')
  assert.equal(handlers(), before + 2)
  const client = connect(service.port, '127.0.0.1')
  await once(client, 'connect')
  await Promise.all([service.close(), once(client, 'close')])
  assert.equal(handlers(), before)
  await assert.rejects(fetch(service.url))
})

test('DF-55 what the system refuses is said by the name of the setting', async t => {
  const { port } = await listening(t, ok, local)
  const taken = await listen(ok, { port, host: '127.0.0.1' }).catch((error: unknown) => error)
  assert(taken instanceof ConfigurationError)
  assert.deepEqual([taken.setting, (taken.cause as NodeJS.ErrnoException).code], ['port', 'EADDRINUSE'])
  assert.match(
    taken.message,
    /is taken: another process listens there\. Set port to another one, or end that process\.$/,
  )
  await assert.rejects(listen(ok, { port: 0, host: '192.0.2.1' }), { setting: 'host' })
  const server = createServer(ok)
  await listening(t, server, local)
  await assert.rejects(listen(server, local), /this server listens already/)
  await assert.rejects(listen({} as never, local), /listen\(\): takes an application/)
  await assert.rejects(listen({ fetch: ok } as never, local), /createAdaptorServer of '@hono\/node-server'/)
})

test('DF-55 a bad PORT ends a service at its start, with the variable named', async () => {
  const child = startChild('listening-service.ts', { PORT: 'abc' })
  assert.equal((await child.ended).code, 1)
  assert.match(child.output(), /ConfigurationError: PORT: "abc" is no port/)
})

test('gap 17 close() lets a request finish, and HTTP/2 streams too', async t => {
  const held: (() => void)[] = []
  const { port, close } = await listening(
    t,
    createServer((_request, response) => held.push(() => response.end('late'))),
    local,
  )
  const answer = fetch(`http://127.0.0.1:${port}`)
  while (held.length === 0) await new Promise(setImmediate)
  const closed = close()
  held[0]?.()
  const response = await answer
  assert.deepEqual([response.headers.get('connection'), await response.text()], ['close', 'late'])
  await closed

  const server = createHttp2Server((_request, response) => held.push(() => response.end('late')))
  const second = await listening(t, server, local)
  const session = connectHttp2(second.url)
  const stream = session.request({ ':path': '/' })
  let body = ''
  stream.setEncoding('utf8').on('data', part => {
    body += part
  })
  while (held.length === 1) await new Promise(setImmediate)
  const ended = second.close()
  await once(session, 'goaway')
  held[1]?.()
  await Promise.all([once(stream, 'close'), ended])
  assert.equal(body, 'late')
})

test('gap 17 requests, the framework and the hooks share one time to drain', { timeout: 60_000 }, async t => {
  let clock = 0
  t.mock.method(performance, 'now', () => clock)
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const never = new Promise(() => {})
  const begun: string[] = []
  const hangs = (name: string) => (): unknown => {
    begun.push(name)
    return never
  }
  const server = createServer(hangs('request'))
  const app = {
    getHttpServer: () => server,
    listen: async (port: number, host: string) => once(server.listen(port, host), 'listening'),
    close: async () => hangs('framework')(),
  }
  const hooks = { onDraining: hangs('onDraining'), onDrained: hangs('onDrained') }
  const service = await listen(app, { ...local, ...hooks, drainTimeout: 600_000 })
  const broken = assert.rejects(fetch(service.url))
  while (begun.length === 0) await new Promise(setImmediate)
  let isClosed = false
  const closed = service.close().then(() => {
    isClosed = true
  })
  await new Promise(setImmediate)
  assert.deepEqual([isClosed, begun], [false, ['request', 'onDraining']])
  clock = 600_000
  t.mock.timers.tick(600_000)
  while (!isClosed) {
    await new Promise(setImmediate)
    t.mock.timers.tick(0)
  }
  await Promise.all([closed, broken])
  assert.deepEqual(begun, ['request', 'onDraining', 'framework', 'onDrained'])
})
