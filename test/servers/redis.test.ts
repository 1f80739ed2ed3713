import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { Redis, type RedisOptions } from 'ioredis'
import { redisServer } from './redis.ts'
import { serverFor } from './running-server.ts'

const open = await serverFor(redisServer())
const guarded = await serverFor(
  redisServer({ password: 'what only "everybody" knows', user: { name: 'guard', password: 'the-guard-s' } }),
)

function client(t: TestContext, port: number, more: RedisOptions = {}): Redis {
  const redis = new Redis({ host: '127.0.0.1', port, retryStrategy: null, ...more })
  // It tells as an event too what its commands reject with.
  redis.on('error', () => {})
  t.after(() => redis.disconnect())
  return redis
}

test('Redis that is halted keeps its data, and has it when it is started again', {
  skip: open.skip,
}, async t => {
  if (open.skip !== false) return
  const { server } = open
  await client(t, server.port).set('kept', '1')
  await server.halt()
  await assert.rejects(client(t, server.port).get('kept'))
  await server.start()
  assert.equal(await client(t, server.port).get('kept'), '1')
})

test('Redis with a password and a user refuses everybody else', { skip: guarded.skip }, async t => {
  if (guarded.skip !== false) return
  const { port } = guarded.server
  await assert.rejects(client(t, port).get('key'), /NOAUTH/)
  await assert.rejects(client(t, port, { password: 'wrong' }).get('key'), /NOAUTH|WRONGPASS/)
  assert.equal(await client(t, port, { password: 'what only "everybody" knows' }).set('key', '2'), 'OK')
  assert.equal(await client(t, port, { username: 'guard', password: 'the-guard-s' }).get('key'), '2')
})
