import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { migrations } from 'deedbox/health'
import { drizzle } from 'drizzle-orm/mysql2'
import { migrate } from 'drizzle-orm/mysql2/migrator'
import knex from 'knex'
import { Kysely, MysqlDialect, sql } from 'kysely'
import { Migrator } from 'kysely/migration'
import { createPool } from 'mysql2'
import { createPool as createPromisePool } from 'mysql2/promise'
import { Sequelize } from 'sequelize'
import { DataSource, type MigrationInterface, type QueryRunner } from 'typeorm'
import { SequelizeStorage, Umzug } from 'umzug'
import { mariadb } from '../servers/mariadb.ts'
import { serverFor } from '../servers/running-server.ts'
import { heartbeatOf } from './heartbeat.ts'
import { type Place, unheard } from './instances.ts'
import { type OpenedTool, statement, write } from './tools.ts'

const found = await serverFor(mariadb)

/** Each with one migration, which the check calls by this name. */
const tools: Readonly<
  Record<string, { name: string; open(place: Place, folder: string): OpenedTool | Promise<OpenedTool> }>
> = {
  Knex: {
    name: '001_a.cjs',
    open: (place, folder) => {
      write(folder, {
        '001_a.cjs': `exports.up = knex => knex.raw('${statement(1)}')\nexports.down = () => {}\n`,
      })
      const migrations = { directory: folder, loadExtensions: ['.cjs'] }
      const source = knex({ client: 'mysql2', connection: place, log: unheard, migrations })
      return { source, apply: () => source.migrate.latest(), close: () => source.destroy() }
    },
  },
  Kysely: {
    name: 'a',
    open: place => {
      const db = new Kysely<unknown>({ dialect: new MysqlDialect({ pool: createPool(place) }) })
      const up = async (trx: Kysely<unknown>) => void (await sql.raw(statement(1)).execute(trx))
      const source = new Migrator({ db, provider: { getMigrations: async () => ({ a: { up } }) } })
      return { source, apply: () => source.migrateToLatest(), close: () => db.destroy() }
    },
  },
  TypeORM: {
    name: 'First1700000000001',
    open: async ({ user: username, ...rest }) => {
      class First1700000000001 implements MigrationInterface {
        async up(runner: QueryRunner): Promise<void> {
          await runner.query(statement(1))
        }
        async down(): Promise<void> {}
      }
      const source = new DataSource({ type: 'mysql', username, ...rest, migrations: [First1700000000001] })
      await source.initialize()
      return { source, apply: () => source.runMigrations(), close: () => source.destroy() }
    },
  },
  Umzug: {
    name: 'a',
    open: ({ user, password, database, ...rest }) => {
      const sequelize = new Sequelize(database, user, password, { dialect: 'mysql', ...rest, logging: false })
      const source = new Umzug({
        migrations: [{ name: 'a', up: async () => sequelize.query(statement(1)) }],
        storage: new SequelizeStorage({ sequelize }),
        logger: undefined,
      })
      return { source, apply: () => source.up(), close: () => sequelize.close() }
    },
  },
  Drizzle: {
    name: '0000_a',
    open: (place, folder) => {
      const entries = [{ idx: 0, version: '5', when: 1_700_000_000_000, tag: '0000_a', breakpoints: true }]
      write(folder, {
        '0000_a.sql': statement(1),
        'meta/_journal.json': JSON.stringify({ version: '7', dialect: 'mysql', entries }),
      })
      const pool = createPromisePool(place)
      const db = drizzle(pool)
      return {
        source: { drizzle: db, folder },
        apply: () => migrate(db, { migrationsFolder: folder }),
        close: () => pool.end(),
      }
    },
  },
}

for (const [title, { name, open }] of Object.entries(tools)) {
  test(`DF-26 ${title} on MariaDB: pending, and applied`, { skip: found.skip }, async t => {
    if (found.skip !== false) throw new Error(found.skip)
    const { host, port } = found.server
    const database = title.toLowerCase()
    const admin = createPromisePool({ host, port, user: 'root' })
    t.after(() => admin.end())
    await admin.query(`CREATE DATABASE ${database}`)
    const folder = mkdtempSync(join(tmpdir(), 'deedbox-migrations-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    const tool = await open({ host, port, user: 'root', database }, folder)
    t.after(() => tool.close())
    const ask = heartbeatOf(t, migrations(tool.source))
    assert.deepEqual(await ask(), {
      status: 200,
      messages: { 'dockerflow.health.W001': `Unapplied migrations: ${name}` },
    })
    const [tables] = await admin.query(`SHOW TABLES IN ${database}`)
    assert.deepEqual(tables, [], 'the check reads alone')
    await tool.apply(1)
    assert.deepEqual(await ask(), { status: 200, messages: {} })
  })
}
