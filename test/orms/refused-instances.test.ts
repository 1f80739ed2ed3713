import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import type { MikroORM } from '@mikro-orm/postgresql'
import Database from 'better-sqlite3'
import { listen } from 'deedbox'
import { type DatabaseInstance, database, type MigrationLibrary, migrations } from 'deedbox/health'
import { drizzle as drizzleSqlite } from 'drizzle-orm/better-sqlite3'
import type { MySql2Database } from 'drizzle-orm/mysql2'
import type { NodePgDatabase } from 'drizzle-orm/node-postgres'
import { Hono } from 'hono'
import type { Knex } from 'knex'
import type { Kysely } from 'kysely'
import type { Migrator } from 'kysely/migration'
import type { Db, MongoClient } from 'mongodb'
import type mysqlCallbacks from 'mysql2'
import type mysql from 'mysql2/promise'
import type pg from 'pg'
import type { Sequelize } from 'sequelize'
import type { DataSource } from 'typeorm'
import type { Umzug } from 'umzug'

/** Compiles where each of the members is taken. */
type Taken<Members extends readonly Wanted[], Wanted> = Members

export type Databases = Taken<
  [
    pg.Pool,
    pg.Client,
    mysql.Pool,
    mysql.Connection,
    mysqlCallbacks.Pool,
    mysqlCallbacks.Connection,
    DatabaseSync,
    Database.Database,
    MongoClient,
    Db,
    Kysely<{ orders: { id: number } }>,
    NodePgDatabase<{ orders: never }>,
    MySql2Database,
    Knex,
    DataSource,
    Sequelize,
    MikroORM,
  ],
  DatabaseInstance
>
export type Migrations = Taken<
  [Knex, InstanceType<typeof Migrator>, DataSource, Umzug, MikroORM],
  MigrationLibrary
>

test('ruling 29 what a type can tell is refused by it, and at the start as well', async () => {
  const db = new DatabaseSync(':memory:')
  const sqlite = drizzleSqlite(new Database(':memory:'))
  const refused = { name: 'ConfigurationError' }
  // @ts-expect-error no database
  assert.throws(() => database({}), refused)
  // @ts-expect-error a setting is no instance
  assert.throws(() => database({ url: 'postgres://db/shop' }), refused)
  // @ts-expect-error no source
  assert.throws(() => migrations({}), refused)
  // @ts-expect-error mistyped
  assert.throws(() => migrations({ drizzel: sqlite }), refused)
  // @ts-expect-error no database of Drizzle
  assert.throws(() => migrations({ drizzle: {} }), refused)
  // @ts-expect-error no table
  assert.throws(() => migrations({ sql: db, folder: 'migrations' }), refused)
  // @ts-expect-error no database, and no table
  assert.throws(() => migrations({ sql: {}, folder: 'migrations' }), refused)
  // @ts-expect-error no such option
  assert.throws(() => migrations({ drizzle: sqlite, foldr: 'drizzle' }), refused)
  // @ts-expect-error Hono has no server of its own
  await assert.rejects(listen(new Hono(), { port: 0 }), refused)
  assert.equal(database(sqlite).name, 'check_database_connected')
  assert.equal(
    migrations({ sql: db, folder: 'migrations', table: 'versions' }).name,
    'check_migrations_applied',
  )
  db.close()
})
