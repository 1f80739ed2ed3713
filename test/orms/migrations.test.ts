import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { migrations } from 'deedbox/health'
import { guard, guardedPostgres } from '../servers/postgres.ts'
import { serverFor } from '../servers/running-server.ts'
import { folderTools, prismaTable } from './folder-tools.ts'
import { heartbeatOf } from './heartbeat.ts'
import { type Place, pgPool } from './instances.ts'
import { libraryTools, write } from './tools.ts'

const unapplied = 'dockerflow.health.W001'
const cannotCheck = 'dockerflow.health.I001'
const unknown = 'deedbox.health.W232'

const found = await serverFor(guardedPostgres(() => {}))
const { skip } = found

for (const { name, names, kept = names[2], open } of [...libraryTools, ...folderTools]) {
  test(`DF-26 DF-28 ${name}: nothing applied, a part, all, and more than the service brings`, {
    skip,
  }, async t => {
    const place = await emptyDatabase(t, name)
    const folder = emptyFolder(t)
    const tool = await open(place, folder)
    t.after(() => tool.close())
    const ask = heartbeatOf(t, migrations(tool.source))
    const before = await objects(place)

    const first = await ask()
    assert.equal(first.status, 200)
    assert.deepEqual(Object.keys(first.messages), [unapplied])
    assert.match(first.messages[unapplied] ?? '', /^Unapplied migrations: |^No migration was ever applied: /)
    assert.deepEqual(await objects(place), before, 'the check reads alone')

    await tool.apply(1)
    assert.deepEqual(await ask(), {
      status: 200,
      messages: { [unapplied]: `Unapplied migrations: ${names[1]}, ${names[2]}` },
    })
    await tool.apply(3)
    assert.deepEqual(await ask(), { status: 200, messages: {} })

    await onlyReading(place)
    const later = await open(place, folder)
    t.after(() => later.close())
    const askLater = heartbeatOf(t, migrations(later.source))
    assert.deepEqual(await askLater(), { status: 200, messages: {} }, 'nothing is created if it is not there')

    if (later.forget === undefined) return
    later.forget()
    assert.deepEqual(await askLater(), {
      status: 200,
      messages: { [unknown]: `The database has migrations that this service does not bring: ${kept}` },
    })
  })
}

test('DF-26 a wrong password, and a stopped server: I001, and the status stays 200', { skip }, async t => {
  if (found.skip !== false) throw new Error(found.skip)
  const { host, port } = found.server
  const refused = { host, port, database: 'postgres', user: guard.user, password: 'not-this-one' }
  // A DataSource is made by connecting.
  for (const { name, open } of [...libraryTools, ...folderTools].filter(each => each.name !== 'TypeORM')) {
    const tool = await open(refused, emptyFolder(t))
    t.after(() => tool.close())
    assert.deepEqual(
      await heartbeatOf(t, migrations(tool.source))(),
      {
        status: 200,
        messages: {
          [cannotCheck]: 'Migrations cannot be checked: the server refused user or password (28P01)',
        },
      },
      name,
    )
  }
  const opened = []
  for (const { name, open } of [...libraryTools, ...folderTools]) {
    const place = await emptyDatabase(t, `stopped ${name}`)
    const tool = await open(place, emptyFolder(t))
    t.after(() => tool.close())
    opened.push({ name, ask: heartbeatOf(t, migrations(tool.source)) })
  }
  await found.server.halt()
  try {
    for (const { name, ask } of opened) {
      const { status, messages } = await ask()
      assert.equal(status, 200, name)
      assert.deepEqual(Object.keys(messages), [cannotCheck], name)
    }
  } finally {
    await found.server.start()
  }
})

test('DF-26 Prisma: failed, begun again and rolled back migrations', { skip }, async t => {
  const pool = pgPool(await emptyDatabase(t, 'prisma'))
  t.after(() => pool.end())
  const folder = emptyFolder(t)
  for (const name of ['1_a', '2_b', '3_c']) write(folder, { [`${name}/migration.sql`]: '' })
  await pool.query(prismaTable)
  const attempt = (id: string, name: string, finished: string, rolledBack: string) =>
    pool.query(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, rolled_back_at)
       VALUES ('${id}', '', '${name}', ${finished}, ${rolledBack})`,
    )
  await attempt('1', '1_a', 'NULL', 'now()')
  await attempt('2', '1_a', 'now()', 'NULL')
  await attempt('3', '2_b', 'NULL', 'NULL')
  const ask = heartbeatOf(t, migrations({ prisma: pool, folder }))
  assert.deepEqual(await ask(), {
    status: 200,
    messages: {
      [unapplied]: 'Unapplied migrations: 3_c',
      'deedbox.health.W233': 'Migrations that failed half-way: 2_b',
    },
  })
  await pool.query(`UPDATE _prisma_migrations SET rolled_back_at = now() WHERE migration_name = '2_b'`)
  assert.deepEqual((await ask()).messages, { [unapplied]: 'Unapplied migrations: 2_b, 3_c' })
})

test('DF-26 a server that takes connections and says nothing is Info, and asked once', { skip }, async t => {
  const sockets: Socket[] = []
  const server = createServer(socket => void sockets.push(socket)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const pool = pgPool({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres' })
  t.after(async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await pool.end()
  })
  const check = migrations({ sql: pool, folder: emptyFolder(t), table: 'versions' }, { timeout: 50 })
  const ask = heartbeatOf(t, check)
  for (const round of ['the first', 'the second']) {
    const { status, messages } = await ask()
    assert.equal(status, 200, round)
    assert.match(messages[cannotCheck] ?? '', /the database has not answered for/, round)
  }
  assert.equal(sockets.length, 1)
})

function emptyFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'deedbox-migrations-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

async function emptyDatabase(t: TestContext, name: string): Promise<Place> {
  if (found.skip !== false) throw new Error(found.skip)
  const { host, port } = found.server
  const pool = pgPool({ host, port, user: 'postgres', database: 'postgres' })
  t.after(() => pool.end())
  await pool.query(`CREATE DATABASE "${name}"`)
  return { host, port, user: 'postgres', database: name }
}

/** Later connections to this database cannot write. */
async function onlyReading(place: Place): Promise<void> {
  const pool = pgPool(place)
  await pool.query(`ALTER DATABASE "${place.database}" SET default_transaction_read_only = on`)
  await pool.end()
}

/** All that a service could have created, and who holds locks. */
async function objects(place: Place): Promise<unknown[]> {
  const pool = pgPool(place)
  try {
    const { rows } = await pool.query(
      `SELECT schemaname || '.' || tablename AS name FROM pg_tables WHERE schemaname <> 'pg_catalog'
       UNION ALL SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg_%'
       UNION ALL SELECT 'lock ' || locktype FROM pg_locks WHERE locktype = 'advisory'
       ORDER BY name`,
    )
    return rows
  } finally {
    await pool.end()
  }
}
