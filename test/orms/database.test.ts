import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { database } from 'deedbox/health'
import { MongoClient } from 'mongodb'
import { DataSource } from 'typeorm'
import { guardedMariadb } from '../servers/mariadb.ts'
import { guard, guardedPostgres } from '../servers/postgres.ts'
import { type RunningServer, serverFor } from '../servers/running-server.ts'
import { type Beat, heartbeatOf } from './heartbeat.ts'
import { type Library, onMysql, onPostgres, type Place } from './instances.ts'

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

async function beatOf(
  t: TestContext,
  library: Library,
  place: Place,
): Promise<{ library: string; ask: () => Promise<Beat> }> {
  const { instance, close } = await library.open(place)
  t.after(close)
  return { library: library.name, ask: heartbeatOf(t, database(instance)) }
}
