import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { mongo } from 'deedbox/health'
import { MongoClient, type MongoClientOptions } from 'mongodb'
import { silentProxy } from '../chests/silent-proxy.ts'
import { ferretdb, mongod } from '../servers/mongodb.ts'
import { serverFor } from '../servers/running-server.ts'
import { checkedService } from './rounds.ts'

const found = await serverFor(mongod, ferretdb())
const user = { name: 'guard', password: 'what-only-the-guard-knows' }
const guarded = await serverFor(ferretdb({ user }))
const { skip } = found

function clientOf(t: TestContext, port: number, options: MongoClientOptions = {}, who = ''): MongoClient {
  const client = new MongoClient(`mongodb://${who}127.0.0.1:${port}/shop`, options)
  t.after(() => client.close(true))
  return client
}

test('DF-25 DF-28 mongo: a client and a database are well', { skip }, async t => {
  assert(found.skip === false)
  const client = clientOf(t, found.server.port, { monitorCommands: true })
  const asked: string[] = []
  client.on('commandStarted', ({ commandName, databaseName }) => {
    asked.push(`${commandName} ${databaseName}`)
  })
  const { heartbeat } = await checkedService(t, [
    mongo(client),
    mongo(client.db('orders'), { name: 'orders' }),
  ])
  assert.deepEqual((await heartbeat()).checks, { check_database_connected: 'ok', orders: 'ok' })
  assert.deepEqual(asked.filter(each => each.startsWith('ping')).sort(), ['ping orders', 'ping shop'])
  assert.equal(client.listenerCount('serverHeartbeatFailed'), 0)
})

test('DF-25 mongo: stopped, the server is told to be refused long before the driver gives up; started again, all is well', {
  skip,
}, async t => {
  assert(found.skip === false)
  const { server } = found
  const { said, says, recovers } = await checkedService(t, [
    mongo(clientOf(t, server.port), { timeout: 1_000 }),
  ])
  await recovers()
  await server.halt()
  await says(new RegExp(`E008 Database driver error: connect ECONNREFUSED 127.0.0.1:${server.port}`))
  // The client was open before: its next attempts are the same.
  assert.match(String(await said()), /ECONNREFUSED/)
  await server.start()
  await recovers()
})

test('DF-24 DF-25 mongo: a wrong password is told', { skip: guarded.skip }, async t => {
  assert(guarded.skip === false)
  const { port } = guarded.server
  const options = { authSource: 'admin', authMechanism: 'SCRAM-SHA-256' } as const
  const right = await checkedService(t, [mongo(clientOf(t, port, options, `${user.name}:${user.password}@`))])
  await right.recovers()
  const wrong = await checkedService(t, [mongo(clientOf(t, port, options, `${user.name}:not-the-password@`))])
  const [message = ''] = await wrong.said()
  assert.match(message, /^dockerflow.health.E008 Database driver error: the server refused user or password/)
})

test('DF-13 DF-25 mongo: a port that answers nothing is told, however many rounds', { skip }, async t => {
  assert(found.skip === false)
  const proxy = await silentProxy(t, found.server.port)
  proxy.fallSilent()
  let checkouts = 0
  const client = clientOf(t, proxy.port)
  client.on('connectionCheckOutStarted', () => {
    checkouts++
  })
  const { said } = await checkedService(t, [mongo(client, { timeout: 50 })])
  for (let n = 0; n < 5; n++)
    assert.match(String(await said()), /E008 Database driver error: the server has not answered for /)
  assert.equal(checkouts, 0)
  // That of the driver's monitor, which it has of each server.
  assert.equal(proxy.connections(), 1)
})

test('DF-25 mongo: what is no client is refused, without repeating what may have a password', () => {
  for (const given of [undefined, 'mongodb://ann:hunter2hunter2@db/shop', {}])
    assert.throws(
      () => mongo(given as never),
      /^ConfigurationError: mongo\(\): takes a MongoClient, or a Db, of mongodb/,
    )
})
