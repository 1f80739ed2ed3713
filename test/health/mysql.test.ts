import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { mysql } from 'deedbox/health'
import callbacks from 'mysql2'
import promises from 'mysql2/promise'
import { silentProxy } from '../chests/silent-proxy.ts'
import { guardedMariadb } from '../servers/mariadb.ts'
import { guard } from '../servers/postgres.ts'
import { serverFor } from '../servers/running-server.ts'
import { checkedService } from './rounds.ts'

const found = await serverFor(guardedMariadb(() => {}))
const { skip } = found

function pool(t: TestContext, options: promises.PoolOptions = {}): promises.Pool {
  assert(found.skip === false)
  const { host, port } = found.server
  const opened = promises.createPool({ host, port, user: 'root', connectionLimit: 2, ...options })
  // Not awaited: connections that a silent port holds never end.
  t.after(() => void opened.end().catch(() => {}))
  return opened
}

/** How many queries the server has been asked, this one among them. */
async function questions(t: TestContext): Promise<number> {
  const [rows] = await pool(t).query<promises.RowDataPacket[]>("SHOW GLOBAL STATUS LIKE 'Com_select'")
  return Number(rows[0]?.Value)
}

test('DF-25 DF-28 mysql: pools and connections are well, whether they take callbacks or return promises', {
  skip,
}, async t => {
  assert(found.skip === false)
  const { host, port } = found.server
  const own = pool(t)
  const { heartbeat, recovers } = await checkedService(t, [mysql(own)])
  await recovers()
  assert.deepEqual((await heartbeat()).checks, { check_database_connected: 'ok' })
  const taking = callbacks.createPool({ host, port, user: 'root' })
  const connection = await promises.createConnection({ host, port, user: 'root' })
  const takingOne = callbacks.createConnection({ host, port, user: 'root' })
  t.after(() => {
    taking.end()
    connection.destroy()
    takingOne.destroy()
  })
  const all = await checkedService(t, [
    mysql(taking, { name: 'a' }),
    mysql(connection, { name: 'b' }),
    mysql(takingOne, { name: 'c' }),
  ])
  assert.deepEqual((await all.heartbeat()).checks, { a: 'ok', b: 'ok', c: 'ok' })
  const before = await questions(t)
  for (let n = 0; n < 5; n++) assert.equal((await heartbeat()).code, 200)
  assert.equal((await questions(t)) - before, 5)
})

test('DF-25 mysql: stopped, the server is told to be refused; started again, all is well', {
  skip,
}, async t => {
  assert(found.skip === false)
  const { server } = found
  const { said, recovers } = await checkedService(t, [mysql(pool(t))])
  await recovers()
  await server.halt()
  assert.deepEqual(await said(), [
    `dockerflow.health.E008 Database driver error: connect ECONNREFUSED 127.0.0.1:${server.port}`,
  ])
  await server.start()
  await recovers()
})

test('DF-24 DF-25 mysql: a wrong password and a wrong database are told apart', { skip }, async t => {
  const password = 'not-the-password-of-the-guard'
  const refused = await checkedService(t, [mysql(pool(t, { user: guard.user, password }))])
  assert.deepEqual(await refused.said(), [
    'dockerflow.health.E008 Database driver error: the server refused user or password (ER_ACCESS_DENIED_ERROR)',
  ])
  const missing = await checkedService(t, [mysql(pool(t, { database: 'shop' }))])
  assert.deepEqual(await missing.said(), [
    "dockerflow.health.E008 Database driver error: Unknown database 'shop' (ER_BAD_DB_ERROR)",
  ])
  const ended = promises.createPool({})
  await ended.end()
  assert.deepEqual(await (await checkedService(t, [mysql(ended)])).said(), [
    'dockerflow.health.E009 Database misconfigured: Pool is closed.',
  ])
})

test('DF-25 mysql: a pool that is in use is told, and gets one request however many rounds', {
  skip,
}, async t => {
  const one = pool(t)
  let queued = 0
  one.on('enqueue', () => {
    queued++
  })
  const { said, recovers } = await checkedService(t, [mysql(one, { timeout: 50 })])
  await recovers()
  const taken = [await one.getConnection(), await one.getConnection()]
  for (let n = 0; n < 5; n++)
    assert.match(
      String(await said()),
      /E008 Database driver error: all connections of the pool were in use for /,
    )
  assert.equal(queued, 1)
  assert.equal(one.listenerCount('enqueue'), 1)
  for (const connection of taken) connection.release()
  await recovers()
  const impatient = pool(t, { connectionLimit: 1, waitForConnections: false })
  const only = await impatient.getConnection()
  assert.deepEqual(await (await checkedService(t, [mysql(impatient)])).said(), [
    'dockerflow.health.E008 Database driver error: No connections available.',
  ])
  only.release()
})

test('DF-13 DF-25 mysql: a port that answers nothing holds one connection, however many rounds', {
  skip,
}, async t => {
  assert(found.skip === false)
  const proxy = await silentProxy(t, found.server.port)
  proxy.fallSilent()
  const { said } = await checkedService(t, [mysql(pool(t, { port: proxy.port }), { timeout: 50 })])
  for (let n = 0; n < 5; n++)
    assert.match(String(await said()), /E008 Database driver error: no connection could be opened for /)
  assert.equal(proxy.connections(), 1)
  const impatient = await checkedService(t, [mysql(pool(t, { port: proxy.port, connectTimeout: 20 }))])
  assert.deepEqual(await impatient.said(), [
    'dockerflow.health.E008 Database driver error: connect ETIMEDOUT',
  ])
})

test('DF-25 mysql: a connection that has fallen silent is closed, and the pool opens another one', {
  skip,
}, async t => {
  assert(found.skip === false)
  const proxy = await silentProxy(t, found.server.port)
  const { said, recovers } = await checkedService(t, [mysql(pool(t, { port: proxy.port }), { timeout: 200 })])
  await recovers()
  proxy.fallSilent()
  assert.match(String(await said()), /E008 Database driver error: the server has not answered for /)
  proxy.recover()
  await recovers()
  assert.equal(proxy.connections(), 2)
})

test('DF-25 mysql: what is no pool is refused, without repeating what may have a password', () => {
  for (const given of [undefined, 'mysql://ann:hunter2hunter2@db/shop', {}])
    assert.throws(
      () => mysql(given as never),
      /^ConfigurationError: mysql\(\): takes a pool or a connection of mysql2/,
    )
})
