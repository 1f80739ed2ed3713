import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { type BuiltInOptions, database } from 'deedbox/health'
import { MongoClient } from 'mongodb'
import { DataSource } from 'typeorm'
import { silentProxy } from '../chests/silent-proxy.ts'
import { guardedMariadb } from '../servers/mariadb.ts'
import { guard, guardedPostgres } from '../servers/postgres.ts'
import { type RunningServer, serverFor } from '../servers/running-server.ts'
import { type Beat, heartbeatOf } from './heartbeat.ts'
import { type Library, type Opened, onMysql, onPostgres, type Place } from './instances.ts'

const driverError = 'dockerflow.health.E008'
const libraryError = 'dockerflow.health.E009'

const kinds = [
  {
    title: 'PostgreSQL',
    libraries: onPostgres,
    found: await serverFor(guardedPostgres(() => {})),
    user: 'postgres',
    database: 'postgres',
  },
  {
    title: 'MariaDB',
    libraries: onMysql,
    found: await serverFor(guardedMariadb(() => {})),
    user: 'root',
    database: 'mysql',
  },
] as const

for (const { title, libraries, found, user, database: name } of kinds) {
  const place = (): Place => {
    const { host, port } = serverOf(found)
    return { host, port, database: name, user }
  }

  test(`DF-25 DF-28 ruling 29: ${title} is connected, is stopped, and comes back`, {
    skip: found.skip,
  }, async t => {
    const server = serverOf(found)
    const asked = await Promise.all(libraries.map(each => beatOf(t, each, place())))
    for (const { library, ask } of asked) {
      assert.deepEqual(await ask(), { status: 200, messages: {} }, library)
    }
    await server.halt()
    try {
      for (const { library, ask } of asked) {
        const { status, messages } = await ask()
        assert.equal(status, 500, library)
        assert.deepEqual(Object.keys(messages), [driverError], library)
      }
    } finally {
      await server.start()
    }
    for (const { library, ask } of asked) {
      // A pool may yet hold a connection whose end it has not seen.
      let beat = await ask()
      for (let round = 0; beat.status !== 200 && round < 20; round++) beat = await ask()
      assert.deepEqual(beat, { status: 200, messages: {} }, library)
    }
  })

  test(`DF-25 ${title}: a connection that has fallen silent is left behind once the network is back`, {
    skip: found.skip,
  }, async t => {
    const { port } = serverOf(found)
    const proxy = await silentProxy(t, port)
    const through = { ...place(), port: proxy.port }
    const asked = await Promise.all(
      libraries.map(each => beatOf(t, unawaited(each), through, { timeout: 1_000 })),
    )
    await Promise.all(asked.map(({ ask, library }) => wellAgain(ask, library)))
    proxy.fallSilent()
    for (const { messages } of await Promise.all(asked.map(({ ask }) => ask())))
      assert.match(messages[driverError] ?? '', /the server has not answered for \d+\.\d s$/)
    proxy.recover()
    await Promise.all(asked.map(({ ask, library }) => wellAgain(ask, library)))
  })

  test(`DF-25 ${title} refuses a password, which no message repeats`, { skip: found.skip }, async t => {
    const password = 'not-what-the-guard-knows'
    // A DataSource is made by connecting.
    for (const library of libraries.filter(each => each.name !== 'TypeORM')) {
      const { ask } = await beatOf(t, library, { ...place(), user: guard.user, password })
      const { status, messages } = await ask()
      assert.equal(status, 500, library.name)
      assert.match(messages[driverError] ?? '', /^Database driver error: the server refused user or password/)
      assert.doesNotMatch(JSON.stringify(messages), new RegExp(`${password}|${guard.user}`), library.name)
    }
  })
}

test('DF-25 a DataSource that was never initialised is misconfigured', async t => {
  const source = new DataSource({ type: 'postgres', host: '127.0.0.1', port: 1 })
  const { status, messages } = await heartbeatOf(t, database(source))()
  assert.equal(status, 500)
  assert.match(messages[libraryError] ?? '', /^Database misconfigured: /)
})

test('ruling 29 an SQLite database and a MongoClient are asked as sqlite() and mongo() do', async t => {
  const db = new DatabaseSync(':memory:')
  const ask = heartbeatOf(t, database(db))
  assert.deepEqual(await ask(), { status: 200, messages: {} })
  db.close()
  assert.equal((await ask()).status, 500)
  for (const place of [(client: MongoClient) => client, (client: MongoClient) => client.db('shop')]) {
    const client = new MongoClient('mongodb://127.0.0.1:1', { serverSelectionTimeoutMS: 100 })
    t.after(() => client.close())
    const { messages } = await heartbeatOf(t, database(place(client)))()
    assert.match(messages[driverError] ?? '', /ECONNREFUSED/)
  }
})

test('ruling 29 what nobody knows is refused with a list of what is taken, and not repeated', () => {
  for (const wrong of [{ url: 'postgres://shop:secret@db/shop' }, 'postgres://shop:secret@db/shop', null]) {
    assert.throws(
      () => database(wrong as never),
      (error: Error) =>
        error.name === 'ConfigurationError' &&
        /Kysely.*Drizzle.*Prisma.*Knex.*TypeORM.*Sequelize.*MikroORM.*pg.*mysql2.*sqlite.*mongodb/.test(
          error.message,
        ) &&
        !error.message.includes('secret'),
    )
  }
})

function serverOf(found: Awaited<ReturnType<typeof serverFor>>): RunningServer {
  if (found.skip !== false) throw new Error(found.skip)
  return found.server
}

/** The same library; what a silent proxy holds of it never ends well. */
function unawaited({ name, open }: Library): Library {
  const quietly = async (place: Place): Promise<Opened> => {
    const { instance, close } = await open(place)
    return { instance, close: () => void Promise.resolve(close()).catch(() => {}) }
  }
  return { name, open: quietly }
}

/** Asks until all is well. */
async function wellAgain(ask: () => Promise<Beat>, library: string): Promise<void> {
  let beat = await ask()
  for (const deadline = performance.now() + 60_000; beat.status !== 200; beat = await ask()) {
    if (performance.now() > deadline) assert.fail(`${library} was never well: ${JSON.stringify(beat)}`)
    await setTimeout(20)
  }
}

async function beatOf(
  t: TestContext,
  library: Library,
  place: Place,
  options: BuiltInOptions = {},
): Promise<{ library: string; ask: () => Promise<Beat> }> {
  const { instance, close } = await library.open(place)
  t.after(close)
  return { library: library.name, ask: heartbeatOf(t, database(instance, options)) }
}
