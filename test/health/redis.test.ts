import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { type TestContext, test } from 'node:test'
import { type RedisCheckClient, redis } from 'deedbox/health'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { silentProxy } from '../chests/silent-proxy.ts'
import { redisServer } from '../servers/redis.ts'
import { serverFor } from '../servers/running-server.ts'
import { checkedService } from './rounds.ts'

const found = await serverFor(redisServer())
const guarded = await serverFor(redisServer({ password: 'what-only-the-guard-knows' }))
const { skip } = found

/** A client of one of the two libraries, that begins to connect. */
type Connecting = (t: TestContext, port: number, password?: string) => RedisCheckClient

const libraries: Readonly<Record<string, Connecting>> = {
  ioredis: (t, port, password) => {
    const client = new Redis({ port, ...(password === undefined ? {} : { password }) })
    client.on('error', () => {})
    t.after(() => client.disconnect())
    return client
  },
  'node-redis': (t, port, password) => {
    const client = createClient({
      url: `redis://127.0.0.1:${port}`,
      ...(password === undefined ? {} : { password }),
    })
    client.on('error', () => {})
    client.connect().catch(() => {})
    t.after(() => client.destroy())
    return client
  },
}

/** How often a server was asked for a command. */
async function calls(port: number, command: string): Promise<number> {
  const socket = connect(port, '127.0.0.1')
  socket.end('INFO commandstats\r\nQUIT\r\n')
  const [, count = '0'] = new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(await text(socket)) ?? []
  return Number(count)
}

function listeners(client: RedisCheckClient): number {
  const { listenerCount } = client as unknown as { listenerCount(name: string): number }
  return ['error', 'ready', 'close', 'end'].reduce((sum, name) => sum + listenerCount.call(client, name), 0)
}

for (const [library, connecting] of Object.entries(libraries)) {
  test(`DF-27 DF-28 redis, ${library}: one PING for each round, under the standard name`, {
    skip,
  }, async t => {
    assert(found.skip === false)
    const client = connecting(t, found.server.port)
    const before = listeners(client)
    const { heartbeat } = await checkedService(t, [redis(client)])
    assert.deepEqual((await heartbeat()).checks, { check_redis_connected: 'ok' })
    const pings = await calls(found.server.port, 'ping')
    for (let n = 0; n < 5; n++) assert.equal((await heartbeat()).code, 200)
    assert.equal((await calls(found.server.port, 'ping')) - pings, 5)
    assert.equal(listeners(client), before)
  })

  test(`DF-27 redis, ${library}: stopped, it is told to be refused, and no PING waits for the server to start again`, {
    skip,
  }, async t => {
    assert(found.skip === false)
    const { server } = found
    const { said, says, recovers } = await checkedService(t, [redis(connecting(t, server.port))])
    await recovers()
    await server.halt()
    await says(
      new RegExp(
        `^dockerflow.health.E004 Could not connect to Redis: connect ECONNREFUSED 127.0.0.1:${server.port}`,
      ),
    )
    for (let n = 0; n < 3; n++) assert.match(String(await said()), /E004/)
    await server.start()
    await recovers()
    // Each of its rounds sends one at most, and only with a connection: that is the one that was well.
    assert((await calls(server.port, 'ping')) <= 1)
  })

  test(`DF-24 DF-27 redis, ${library}: a password that is needed, or wrong`, {
    skip: guarded.skip,
  }, async t => {
    assert(guarded.skip === false)
    const { port } = guarded.server
    const none = await checkedService(t, [redis(connecting(t, port))])
    await none.says(/^dockerflow.health.E010 Redis error: NOAUTH /)
    const wrong = await checkedService(t, [redis(connecting(t, port, 'not-the-password'))])
    await wrong.says(/^dockerflow.health.E010 Redis error: WRONGPASS /)
    const right = await checkedService(t, [redis(connecting(t, port, 'what-only-the-guard-knows'))])
    await right.recovers()
  })

  test(`DF-24 DF-27 redis, ${library}: a user that may not ask is told, and not named`, { skip }, async t => {
    assert(found.skip === false)
    const client = connecting(t, found.server.port)
    const { recovers, said } = await checkedService(t, [redis(client)])
    await recovers()
    const admin = new Redis({ port: found.server.port })
    t.after(() => admin.disconnect())
    await admin.call('ACL', 'SETUSER', 'alice', 'on', 'nopass', '~*', '+@all', '-ping')
    const send = client as RedisCheckClient & {
      call?(...words: string[]): Promise<unknown>
      sendCommand(words: string[]): Promise<unknown>
    }
    const words = ['AUTH', 'alice', 'any'] as const
    await (send.call === undefined ? send.sendCommand([...words]) : send.call(...words))
    assert.deepEqual(await said(), [
      'dockerflow.health.E010 Redis error: NOPERM the user may not use the command PING',
    ])
  })

  test(`DF-13 DF-27 redis, ${library}: a port that answers nothing holds one connection and at most one PING`, {
    skip,
  }, async t => {
    assert(found.skip === false)
    const proxy = await silentProxy(t, found.server.port)
    const client = connecting(t, proxy.port)
    const { said, recovers } = await checkedService(t, [redis(client, { timeout: 200 })])
    await recovers()
    proxy.fallSilent()
    for (let n = 0; n < 3; n++)
      assert.match(
        String(await said()),
        /E004 Could not connect to Redis: the server has not answered PING for /,
      )
    assert.equal(proxy.connections(), 1)
    const late = await checkedService(t, [redis(connecting(t, proxy.port), { timeout: 50 })])
    for (let n = 0; n < 3; n++) assert.match(String(await late.said()), /E004 Could not connect to Redis: /)
    assert.equal(proxy.connections(), 2)
  })
}

test('DF-27 redis: a client of ioredis that connects when it is needed is connected by the check', {
  skip,
}, async t => {
  assert(found.skip === false)
  const client = new Redis({ port: found.server.port, lazyConnect: true })
  t.after(() => client.disconnect())
  const { said } = await checkedService(t, [redis(client)])
  assert.deepEqual(await said(), [])
  client.disconnect()
  await once(client, 'end')
  assert.deepEqual(await said(), ['dockerflow.health.E004 Could not connect to Redis: the client is closed'])
})

test('DF-27 redis: a client of node-redis that nobody connected is told, and stays unconnected', async t => {
  const client = createClient()
  const { said } = await checkedService(t, [redis(client)])
  assert.deepEqual(await said(), ['dockerflow.health.E004 Could not connect to Redis: the client is closed'])
  assert.equal(client.isOpen, false)
})

test('DF-27 redis: an answer that is none, and the promises of a client in legacy mode', async t => {
  const standIn = (answer: unknown, more: object = {}): RedisCheckClient => ({
    ping: async () => answer,
    on: () => {},
    off: () => {},
    ...more,
  })
  const legacy = standIn(undefined, { isOpen: true, isReady: true, v4: { ping: async () => 'PONG' } })
  const { heartbeat } = await checkedService(t, [
    redis(standIn(false)),
    redis(standIn(Buffer.from('PONG')), { name: 'buffers' }),
    redis(legacy, { name: 'legacy' }),
  ])
  const { details, checks } = await heartbeat()
  assert.deepEqual(checks, { check_redis_connected: 'error', buffers: 'ok', legacy: 'ok' })
  assert.deepEqual(details.check_redis_connected?.messages, {
    'dockerflow.health.E007': 'Redis ping failed: the answer was not PONG',
  })
})

test('DF-27 redis: a service that hears no errors of its client is not ended by the check', {
  skip,
}, async t => {
  const source = `
    import { createClient } from 'redis'
    import { Redis } from 'ioredis'
    import { redis } from 'deedbox/health'
    const nothing = { port: 1, host: '127.0.0.1' }
    const idle = createClient({ socket: nothing })
    const lazy = new Redis({ ...nothing, lazyConnect: true, retryStrategy: null })
    for (const client of [idle, lazy])
      console.log((await redis(client).run(new AbortController().signal)).map(({ id }) => id).join())`
  const child = spawn(
    process.execPath,
    ['--conditions=@deedbox/source', '--input-type=module', '-e', source],
    {
      cwd: import.meta.dirname,
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  )
  t.after(() => child.kill('SIGKILL'))
  const [said, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
  assert.deepEqual([code, said], [0, 'dockerflow.health.E004\ndockerflow.health.E004\n'])
})

test('DF-27 redis: what is no client is refused, without repeating what may have a password', () => {
  for (const given of [undefined, 'redis://:hunter2hunter2@cache', {}, createClient().legacy()])
    assert.throws(
      () => redis(given as never),
      /^ConfigurationError: redis\(\): takes a client of ioredis, or one of redis/,
    )
})
