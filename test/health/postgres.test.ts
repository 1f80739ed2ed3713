import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { postgres } from 'deedbox/health'
import pg from 'pg'
import { silentProxy } from '../chests/silent-proxy.ts'
import { guard, guardedPostgres } from '../servers/postgres.ts'
import { serverFor } from '../servers/running-server.ts'
import { checkedService } from './rounds.ts'

const kind = guardedPostgres(() => {})
const found = await serverFor({
  ...kind,
  // It writes what it is asked beside what it says, which tells its own start.
  args: start => [
    ...kind.args(start),
    ...['-c', 'logging_collector=on', '-c', 'log_directory=asked', '-c', 'log_statement=all'],
    ...['-c', 'log_connections=on'],
  ],
  ready: /redirecting log output/,
})
const { skip } = found

function pool(t: TestContext, options: pg.PoolConfig = {}): pg.Pool {
  assert(found.skip === false)
  const { host, port } = found.server
  const opened = new pg.Pool({ host, port, user: 'postgres', database: 'postgres', max: 2, ...options })
  opened.on('error', () => {})
  // Not awaited: connections that a silent port holds never end.
  t.after(() => void opened.end())
  return opened
}

test('DF-25 DF-28 postgres: a Pool and a Client are well under the standard name', { skip }, async t => {
  const one = pool(t)
  const { heartbeat, recovers } = await checkedService(t, [postgres(one)])
  await recovers()
  assert.deepEqual(await heartbeat(), {
    code: 200,
    status: 'ok',
    checks: { check_database_connected: 'ok' },
    details: {},
  })
  const client = await one.connect()
  const listeners = client.listenerCount('error')
  const other = await checkedService(t, [postgres(client, { name: 'orders', timeout: 5_000 })])
  const { checks } = await other.heartbeat()
  client.release()
  assert.deepEqual(checks, { orders: 'ok' })
  assert.equal(listeners, 0)
})

/** All that the server has written that it was asked, up to a mark that is asked for now. */
async function asked(): Promise<string> {
  assert(found.skip === false)
  const { host, port, folder } = found.server
  const mark = `SELECT 'mark ${++marks}'`
  const client = new pg.Client({ host, port, user: 'postgres', database: 'postgres' })
  await client.connect()
  await client.query(mark)
  await client.end()
  for (;;) {
    const text = globSync('data/asked/*', { cwd: folder })
      .map(name => readFileSync(join(folder, name), 'utf8'))
      .join('')
    if (text.includes(mark)) return text.slice(0, text.indexOf(mark))
    await setTimeout(5)
  }
}
let marks = 0

test('DF-06 DF-25 one SELECT 1 for each heartbeat, and nothing for /__lbheartbeat__', { skip }, async t => {
  const { origin, heartbeat, recovers } = await checkedService(t, [postgres(pool(t))])
  await recovers()
  const before = await asked()
  for (let n = 0; n < 20; n++) assert.equal((await fetch(`${origin}/__lbheartbeat__`)).status, 200)
  const afterwards = await asked()
  // What asks for the mark connects as well.
  const own = /connection (received|authenticated|authorized)|statement: $/
  const more = afterwards.slice(before.length).split('\n').slice(1)
  assert.deepEqual(
    more.filter(line => line.includes('LOG: ') && !own.test(line)),
    [],
  )
  assert.equal(more.filter(line => line.includes('connection received')).length, 1)
  for (let n = 0; n < 5; n++) assert.equal((await heartbeat()).code, 200)
  const last = (await asked()).slice(afterwards.length)
  assert.equal(last.match(/SELECT 1$/gm)?.length, 5)
  assert.equal(last.match(/statement: |execute /g)?.length, 5 + 1)
})

test('DF-25 postgres: stopped, the server is told to be refused; started again, all is well', {
  skip,
}, async t => {
  assert(found.skip === false)
  const { server } = found
  const { heartbeat, said, recovers } = await checkedService(t, [postgres(pool(t))])
  await recovers()
  await server.halt()
  assert.deepEqual(await said(), [
    `dockerflow.health.E008 Database driver error: connect ECONNREFUSED 127.0.0.1:${server.port}`,
  ])
  assert.equal((await heartbeat()).code, 500)
  await server.start()
  await recovers()
})

test('DF-24 DF-25 postgres: a wrong password and a wrong database are told apart', { skip }, async t => {
  await (await checkedService(t, [postgres(pool(t))])).recovers()
  const password = 'not-the-password-of-the-guard'
  const refused = await checkedService(t, [postgres(pool(t, { user: guard.user, password }))])
  assert.deepEqual(await refused.said(), [
    'dockerflow.health.E008 Database driver error: the server refused user or password (28P01)',
  ])
  const noPassword = await checkedService(t, [postgres(pool(t, { user: guard.user }))])
  assert.deepEqual(await noPassword.said(), [
    'dockerflow.health.E008 Database driver error: the server refused user or password',
  ])
  const missing = await checkedService(t, [postgres(pool(t, { database: 'shop' }))])
  assert.deepEqual(await missing.said(), [
    'dockerflow.health.E008 Database driver error: database "shop" does not exist (3D000)',
  ])
  const ended = new pg.Pool()
  await ended.end()
  const misused = await checkedService(t, [postgres(ended)])
  assert.deepEqual(await misused.said(), [
    'dockerflow.health.E009 Database misconfigured: Cannot use a pool after calling end on the pool',
  ])
})

test('DF-25 postgres: a pool that is in use is told, and gets one request however many rounds', {
  skip,
}, async t => {
  const one = pool(t)
  const { said, recovers } = await checkedService(t, [postgres(one, { timeout: 50 })])
  await recovers()
  const taken = [await one.connect(), await one.connect()]
  for (let n = 0; n < 5; n++) {
    const [message = ''] = await said()
    assert.match(
      message,
      /^dockerflow.health.E008 Database driver error: all connections of the pool were in use for \d+\.\d s$/,
    )
    assert.equal(one.waitingCount, 1)
  }
  for (const client of taken) client.release()
  await recovers()
  assert.deepEqual([one.waitingCount, one.idleCount], [0, one.totalCount])
  const impatient = pool(t, { max: 1, connectionTimeoutMillis: 20 })
  const only = await impatient.connect()
  const other = await checkedService(t, [postgres(impatient)])
  const told = await other.said()
  only.release()
  assert.deepEqual(told, [
    'dockerflow.health.E008 Database driver error: timeout exceeded when trying to connect',
  ])
})

test('DF-13 DF-25 postgres: a port that answers nothing holds one connection, however many rounds', {
  skip,
}, async t => {
  assert(found.skip === false)
  const proxy = await silentProxy(t, found.server.port)
  proxy.fallSilent()
  const one = pool(t, { port: proxy.port, max: 10 })
  const { said } = await checkedService(t, [postgres(one, { timeout: 50 })])
  for (let n = 0; n < 5; n++) {
    assert.match(
      String(await said()),
      /E008 Database driver error: no connection could be opened for \d+\.\d s$/,
    )
    assert.equal(one.totalCount, 1)
  }
  const impatient = await checkedService(t, [
    postgres(pool(t, { port: proxy.port, connectionTimeoutMillis: 20 })),
  ])
  assert.deepEqual(await impatient.said(), [
    'dockerflow.health.E008 Database driver error: Connection terminated due to connection timeout',
  ])
})

test('DF-25 postgres: a connection that has fallen silent is closed, and the pool opens another one', {
  skip,
}, async t => {
  assert(found.skip === false)
  const proxy = await silentProxy(t, found.server.port)
  const one = pool(t, { port: proxy.port })
  const { said, recovers } = await checkedService(t, [postgres(one, { timeout: 200 })])
  await recovers()
  proxy.fallSilent()
  assert.match(String(await said()), /E008 Database driver error: the server has not answered for \d+\.\d s$/)
  assert.equal(one.totalCount, 0)
  proxy.recover()
  await recovers()
  assert.equal(one.totalCount, 1)
})

test('DF-25 postgres: a connection that died in its pool is replaced within the same round', {
  skip,
}, async t => {
  const one = pool(t)
  const broken = await one.connect()
  broken.on('error', () => {})
  const { rows } = await broken.query('SELECT pg_backend_pid() AS pid')
  let asked = 0
  // What a pool does that has not yet seen the end of a connection.
  const stale = {
    idleCount: 1,
    waitingCount: 0,
    connect: async () => (++asked === 1 ? broken : one.connect()),
    query: one.query.bind(one),
  }
  await one.query(`SELECT pg_terminate_backend(${rows[0].pid})`)
  const { said } = await checkedService(t, [postgres(stale)])
  assert.deepEqual(await said(), [])
  assert.equal(asked, 2)
  assert.deepEqual([one.totalCount, one.idleCount], [1, 1])
})

test('DF-25 postgres: what is no pool is refused, without repeating what may have a password', () => {
  for (const [given, what] of [
    [undefined, 'undefined'],
    ['postgres://ann:hunter2hunter2@db/shop', 'a string'],
    [{}, 'another object'],
  ] as const)
    assert.throws(() => postgres(given as never), {
      name: 'ConfigurationError',
      message: `postgres(): takes a Pool or a Client of pg, and was given ${what}.`,
    })
  assert.throws(() => postgres(new pg.Pool(), { tiemout: 5 } as never), /there is no such option/)
})
