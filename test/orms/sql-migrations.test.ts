import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { database, migrations } from 'deedbox/health'
import { drizzle } from 'drizzle-orm/sqlite-proxy'
import { silentProxy } from '../chests/silent-proxy.ts'
import { mariadb } from '../servers/mariadb.ts'
import { postgres } from '../servers/postgres.ts'
import { serverFor } from '../servers/running-server.ts'
import { heartbeatOf } from './heartbeat.ts'
import { onMysql, onPostgres } from './instances.ts'
import { write } from './tools.ts'

const unapplied = 'dockerflow.health.W001'
const cannotCheck = 'dockerflow.health.I001'

const kinds = [
  { title: 'PostgreSQL', libraries: onPostgres, found: await serverFor(postgres), user: 'postgres' },
  { title: 'MariaDB', libraries: onMysql, found: await serverFor(mariadb), user: 'root' },
] as const

for (const { title, libraries, found, user } of kinds) {
  for (const { name, open } of libraries) {
    test(`DF-26 ruling 29: files of SQL, asked on ${title} through ${name}`, {
      skip: found.skip,
    }, async t => {
      if (found.skip !== false) throw new Error(found.skip)
      const { host, port } = found.server
      const databaseName = title === 'MariaDB' ? 'information_schema' : 'postgres'
      const { instance, close } = await open({ host, port, user, database: databaseName })
      t.after(close)
      const folder = files(t)
      const schema = `s_${name.replace(/\W/g, '_').toLowerCase()}`
      const ask = heartbeatOf(t, migrations({ sql: instance, folder, schema, table: 'versions' }))
      assert.deepEqual(await ask(), {
        status: 200,
        messages: { [unapplied]: 'Unapplied migrations: 1_a, 2_b' },
      })
      await statements({ host, port, user, database: databaseName }, title, [
        `CREATE SCHEMA ${schema}`,
        `CREATE TABLE ${schema}.versions (version varchar(100))`,
        `INSERT INTO ${schema}.versions VALUES ('1_a.sql')`,
      ])
      assert.deepEqual((await ask()).messages, { [unapplied]: 'Unapplied migrations: 2_b' })
      await statements({ host, port, user, database: databaseName }, title, [
        `INSERT INTO ${schema}.versions VALUES ('2')`,
      ])
      assert.deepEqual(await ask(), { status: 200, messages: {} })
    })
  }
}

for (const { title, libraries, found, user } of kinds) {
  test(`DF-26 ${title}: a pool is asked on a connection that is closed once it has fallen silent`, {
    skip: found.skip,
  }, async t => {
    if (found.skip !== false) throw new Error(found.skip)
    const proxy = await silentProxy(t, found.server.port)
    const folder = files(t)
    const { host, port } = found.server
    const [own, first] = title === 'MariaDB' ? ['silent', 'information_schema'] : ['postgres', 'postgres']
    await statements({ host, port, user, database: first }, title, ['CREATE SCHEMA silent'])
    const place = { host, port: proxy.port, user, database: own }
    for (const { name, open } of libraries.filter(each => /^(pg|mysql2)/.test(each.name))) {
      const { instance, close } = await open(place)
      // Not awaited: what the silent proxy holds never ends well.
      t.after(() => void Promise.resolve(close()).catch(() => {}))
      const source = { sql: instance, folder, table: 'never_made' }
      const ask = heartbeatOf(t, migrations(source, { timeout: 1_000 }))
      const { messages: missing } = await ask()
      assert.deepEqual(missing, { [unapplied]: 'Unapplied migrations: 1_a, 2_b' }, name)
      // That the table is missing costs no connection.
      const before = proxy.connections()
      assert.deepEqual((await ask()).messages, missing)
      assert.equal(proxy.connections(), before, name)
      proxy.fallSilent()
      const { messages } = await ask()
      assert.match(messages[cannotCheck] ?? '', /has not answered for/, name)
      const connected = proxy.connections()
      proxy.recover()
      const again = await ask()
      assert.deepEqual(Object.keys(again.messages), [unapplied], name)
      assert.equal(proxy.connections(), connected + 1)
    }
  })
}

test('DF-26 ruling 29: files of SQL and an SQLite file', async t => {
  const db = new DatabaseSync(':memory:')
  t.after(() => db.close())
  const folder = pathToFileURL(`${files(t)}/`)
  const ask = heartbeatOf(t, migrations({ sql: db, folder, table: 'migrations', column: 'name' }))
  assert.deepEqual((await ask()).messages, { [unapplied]: 'Unapplied migrations: 1_a, 2_b' })
  db.exec(`CREATE TABLE migrations (name text); INSERT INTO migrations VALUES ('1_a'), ('2_b')`)
  assert.deepEqual(await ask(), { status: 200, messages: {} })
  db.exec('ALTER TABLE migrations RENAME COLUMN name TO other')
  const { status, messages } = await ask()
  assert.equal(status, 200)
  assert.match(messages[cannotCheck] ?? '', /^Migrations cannot be checked: .*no such column/)
})

test('ruling 29 a database of Drizzle that has no execute() is asked as well', async t => {
  const db = new DatabaseSync(':memory:')
  const instance = drizzle(async sql => ({ rows: db.prepare(sql).all() }))
  const ask = heartbeatOf(t, database(instance))
  assert.deepEqual(await ask(), { status: 200, messages: {} })
  db.close()
  assert.equal((await ask()).status, 500)
})

test('DF-26 Drizzle on SQLite, with a migration that a branch brought late', async t => {
  const db = new DatabaseSync(':memory:')
  t.after(() => db.close())
  const folder = files(t)
  const entries = [
    { idx: 0, when: 1_700_000_000_001, tag: '0000_late' },
    { idx: 1, when: 1_700_000_000_002, tag: '0001_first' },
  ]
  write(folder, { 'meta/_journal.json': JSON.stringify({ entries }) })
  db.exec(`CREATE TABLE __drizzle_migrations (id SERIAL PRIMARY KEY, hash text NOT NULL, created_at numeric);
    INSERT INTO __drizzle_migrations (hash, created_at) VALUES ('', 1700000000002)`)
  const ask = heartbeatOf(t, migrations({ drizzle: db, folder }))
  assert.deepEqual((await ask()).messages, { [unapplied]: 'Unapplied migrations: 0000_late' })
})

test('DF-26 a folder that the image lacks is a warning of its own', async t => {
  const db = new DatabaseSync(':memory:')
  t.after(() => db.close())
  const folder = join(files(t), 'nowhere')
  for (const source of [
    { drizzle: db },
    { prisma: db },
    { nodePgMigrate: db },
    { sql: db, table: 'versions' },
  ]) {
    const { status, messages } = await heartbeatOf(t, migrations({ ...source, folder }))()
    assert.equal(status, 200)
    assert.deepEqual(Object.keys(messages), ['deedbox.health.W231'])
    assert.match(
      messages['deedbox.health.W231'] ?? '',
      /^The migrations of this service cannot be read: ENOENT: no such file or directory/,
    )
  }
})

for (const { tool, scripts, table, options, said } of [
  {
    tool: 'Flyway',
    scripts: ['V1__a', 'V1_1__b', 'V02__c', 'V3__failed', 'R__views', 'U2__c', 'B1__all'],
    table: `(version text, success integer);
      INSERT INTO versions VALUES ('1', 1), ('1.1', 1), ('2', 1), ('3', 0), (NULL, 1)`,
    options: { ifTrue: 'success' },
    said: { [unapplied]: 'Unapplied migrations: V3__failed' },
  },
  {
    tool: 'goose',
    scripts: ['00001_a', '00002_b', '00010_c'],
    table: `(version_id bigint, is_applied boolean);
      INSERT INTO versions VALUES (0, 1), (1, 1), (2, 0), (10, 1)`,
    options: { column: 'version_id', ifTrue: 'is_applied' },
    said: { [unapplied]: 'Unapplied migrations: 00002_b' },
  },
  {
    tool: 'a column of integers',
    scripts: ['0001_a', '0002_b', '0002_c', '0010_d'],
    table: `(version integer); INSERT INTO versions VALUES (1), (2), (10), (11)`,
    options: {},
    said: {
      'deedbox.health.W232': 'The database has migrations that this service does not bring: 11',
    },
  },
  {
    tool: 'a column of names',
    scripts: ['0001_a', '0002_b', '0002_c'],
    table: `(name text); INSERT INTO versions VALUES ('0001_a.SQL'), ('0002_c')`,
    options: { column: 'name' },
    said: { [unapplied]: 'Unapplied migrations: 0002_b' },
  },
] as const) {
  test(`DF-26 files of SQL as they are with ${tool}`, async t => {
    const db = new DatabaseSync(':memory:')
    t.after(() => db.close())
    const folder = mkdtempSync(join(tmpdir(), 'deedbox-migrations-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    write(folder, Object.fromEntries(scripts.map((name, n) => [`${name}${n % 2 ? '.SQL' : '.sql'}`, ''])))
    db.exec(`CREATE TABLE versions ${table}`)
    const ask = heartbeatOf(t, migrations({ sql: db, folder, table: 'versions', ...options }))
    assert.deepEqual((await ask()).messages, said)
  })
}

test('DF-26 a message names at most five migrations', async t => {
  const db = new DatabaseSync(':memory:')
  t.after(() => db.close())
  const folder = files(t)
  write(folder, Object.fromEntries([3, 4, 5, 6, 7].map(n => [`${n}_x.sql`, ''])))
  const ask = heartbeatOf(t, migrations({ sql: db, folder, table: 'versions' }))
  assert.deepEqual((await ask()).messages, {
    [unapplied]: 'Unapplied migrations: 1_a, 2_b, 3_x, 4_x, 5_x and 2 more',
  })
})

test('ruling 29 what migrations() cannot work with is refused, and not repeated', () => {
  const db = new DatabaseSync(':memory:')
  for (const [wrong, said] of [
    [null, /Knex.*Kysely.*TypeORM.*Umzug.*MikroORM.*drizzle.*prisma.*nodePgMigrate.*sql/],
    [{ folder: 'secret' }, /takes a Knex instance/],
    [{ sql: 'postgres://shop:secret@db/shop', folder: 'x', table: 'y' }, /migrations\(\) sql/],
    [{ sql: db, table: 'y' }, /migrations\(\) folder/],
    [{ sql: db, folder: 'x' }, /migrations\(\) table/],
    [
      { sql: db, folder: 'x', table: 'y', tabel: 'z' },
      /tabel.*no such option.*folder, table, schema, column, ifTrue\./,
    ],
    [{ drizzle: db, column: 'x' }, /no such option.*folder, table, schema\./],
  ] as const) {
    assert.throws(
      () => migrations(wrong as never),
      (error: Error) =>
        error.name === 'ConfigurationError' && said.test(error.message) && !error.message.includes('secret'),
    )
  }
  db.close()
})

/** A folder with two migrations. */
function files(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'deedbox-migrations-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  write(folder, { '1_a.sql': '', '2_b.sql': '', 'notes.md': '' })
  return folder
}

/** Runs statements on a connection of its own. */
async function statements(
  place: Parameters<(typeof onMysql)[number]['open']>[0],
  title: string,
  texts: readonly string[],
): Promise<void> {
  const driver = title === 'MariaDB' ? onMysql.find(({ name }) => name === 'mysql2/promise') : onPostgres[0]
  const { instance, close } = await driver!.open(place)
  for (const text of texts) await (instance as { query(sql: string): Promise<unknown> }).query(text)
  await close()
}
