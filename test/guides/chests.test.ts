import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createConnection } from 'mysql2/promise'
import { influxql } from '../chests/influx-reading.ts'
import { recordingServer } from '../chests/recording-server.ts'
import { run } from '../end-to-end/ledger-process.ts'
import { influxdb } from '../servers/influxdb.ts'
import { mariadb } from '../servers/mariadb.ts'
import { ferretdb, mongod } from '../servers/mongodb.ts'
import { postgres } from '../servers/postgres.ts'
import { serverFor } from '../servers/running-server.ts'
import { everyBlockIsTested, Page } from './page.ts'
import { cleanEnv } from './service-process.ts'
import { snippetFolder } from './snippet-folder.ts'

const page = new Page('docs/guide/chests.md')
const chests = page.fence('// chests.ts')
const printed = page.fence('SQLite(name=flask_chest) 1')
const columns = page.fence('unique_id')
const payload = page.fence('// payload.ts')
const own = page.fence('// own-chest.ts')

const servers = {
  postgres: await serverFor(postgres),
  mariadb: await serverFor(mariadb),
  mongo: await serverFor(mongod, ferretdb()),
  influx: await serverFor(influxdb()),
}
const missing = Object.values(servers).find(({ skip }) => skip !== false)

test('samples 35, 38, 41 and 49, FC-16 FC-19 FC-22 FC-24, guide, chests: one line for each, rows in real servers', {
  skip: missing?.skip ?? false,
}, async t => {
  const port = (name: keyof typeof servers): number => {
    const found = servers[name]
    assert(found.skip === false)
    return found.server.port
  }
  await influxql({ port: port('influx') }, 'CREATE DATABASE vars')
  const admin = await createConnection({ host: '127.0.0.1', port: port('mariadb'), user: 'root' })
  await admin.query('CREATE DATABASE shop')
  await admin.end()
  const collector = await recordingServer()
  t.after(() => collector.halt())
  const folder = await snippetFolder(t, 'express-5', { 'chests.ts': chests })
  const { code, stdout, stderr } = await run(process.execPath, [folder.runnable('chests.ts')], {
    env: cleanEnv({
      POSTGRES_URL: `postgres://postgres@127.0.0.1:${port('postgres')}/postgres`,
      MYSQL_URL: `mysql://root@127.0.0.1:${port('mariadb')}/shop`,
      MONGO_URL: `mongodb://127.0.0.1:${port('mongo')}/vars`,
      INFLUX_URL: `http://127.0.0.1:${port('influx')}`,
      COLLECTOR_URL: `${collector.origin}/vars`,
    }),
    cwd: folder.path,
  })
  assert.equal(code, 0, stderr)
  assert.deepEqual(stdout.trimEnd().split('\n'), [
    ...printed.trimEnd().split('\n'),
    `HTTP(name=${collector.origin}) 1`,
  ])
  assert.deepEqual(
    collector.requests.map(({ body }) => JSON.parse(body)),
    [
      [
        ['user_id', 'u_42', 'r-1'],
        ['total', 12.5, 'r-1'],
      ],
    ],
  )
})

test('FC-22, guide, chests: the columns are those of the table', async t => {
  const { DatabaseSync } = await import('node:sqlite')
  const folder = await snippetFolder(t, 'express-5', {
    'make.ts': `import { sqlite } from 'deedbox/chests'\nawait sqlite('vars.db').count()\n`,
  })
  const { code } = await run(process.execPath, [folder.runnable('make.ts')], {
    env: cleanEnv(),
    cwd: folder.path,
  })
  assert.equal(code, 0)
  const database = new DatabaseSync(`${folder.path}/vars.db`)
  t.after(() => database.close())
  const names = database
    .prepare('PRAGMA table_info(flask_chest)')
    .all()
    .map(({ name }) => name)
  assert.deepEqual(names, columns.trim().split(/\s+/))
})

test('samples 39 and 40, FC-15 FC-20, guide, chests: a payload of its own, and a chest of its own', async t => {
  const folder = await snippetFolder(t, 'express-5', { 'payload.ts': payload, 'own-chest.ts': own })
  const { code, stdout, stderr } = await run(process.execPath, [folder.runnable('own-chest.ts')], {
    env: cleanEnv(),
  })
  assert.deepEqual([code, stdout], [0, "Map(1) { 'total' => [ 1 ] }\n"], stderr)
})

everyBlockIsTested(page)
