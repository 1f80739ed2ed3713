import { MikroORM } from '@mikro-orm/postgresql'
import type { SqlInstance } from 'deedbox/health'
import { drizzle as drizzleMysql } from 'drizzle-orm/mysql2'
import { drizzle as drizzlePostgres } from 'drizzle-orm/node-postgres'
import knex from 'knex'
import { Kysely, MysqlDialect, PostgresDialect } from 'kysely'
import { createPool } from 'mysql2'
import { createPool as createPromisePool } from 'mysql2/promise'
import pg from 'pg'
import { Sequelize } from 'sequelize'
import { DataSource } from 'typeorm'

/** Where a server is, and who asks it. */
export interface Place {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
  readonly password?: string
}

/** An instance as a service has it, and how the service closes it. */
export interface Opened {
  readonly instance: SqlInstance
  close(): unknown
}

/** One library on one driver. */
export interface Library {
  readonly name: string
  open(place: Place): Opened | Promise<Opened>
}

/** Knex prints what its pool hears. */
export const unheard: { warn(): void; error(): void } = { warn: () => {}, error: () => {} }

/** A pool of a service, which hears that a connection in it has ended. */
export function pgPool(place: Place): pg.Pool {
  const pool = new pg.Pool(place)
  pool.on('error', () => {})
  // Of one that is out of the pool, which Kysely leaves to the service.
  pool.on('connect', client => client.on('error', () => {}))
  return pool
}

/** Every library that asks PostgreSQL. */
export const onPostgres: readonly Library[] = [
  {
    name: 'pg',
    open: place => {
      const pool = pgPool(place)
      return { instance: pool, close: () => pool.end() }
    },
  },
  {
    name: 'Kysely',
    open: place => {
      const kysely = new Kysely({ dialect: new PostgresDialect({ pool: pgPool(place) }) })
      return { instance: kysely, close: () => kysely.destroy() }
    },
  },
  {
    name: 'Drizzle',
    open: place => {
      const pool = pgPool(place)
      return { instance: drizzlePostgres(pool), close: () => pool.end() }
    },
  },
  {
    name: 'Knex',
    open: place => {
      const instance = knex({ client: 'pg', connection: place, log: unheard })
      return { instance, close: () => instance.destroy() }
    },
  },
  {
    name: 'TypeORM',
    open: async place => {
      const { user: username, ...rest } = place
      const instance = new DataSource({ type: 'postgres', username, ...rest, logging: false })
      await instance.initialize()
      return { instance, close: () => instance.destroy() }
    },
  },
  {
    name: 'Sequelize',
    open: ({ user, password, database, ...rest }) => {
      const instance = new Sequelize(database, user, password, { dialect: 'postgres', ...rest })
      return { instance, close: () => instance.close() }
    },
  },
  {
    name: 'MikroORM',
    open: async ({ database: dbName, ...rest }) => {
      const instance = await MikroORM.init({
        dbName,
        ...rest,
        entities: [],
        discovery: { warnWhenNoEntities: false },
      })
      return { instance, close: () => instance.close() }
    },
  },
]

/** Every library that asks MySQL and MariaDB. */
export const onMysql: readonly Library[] = [
  {
    name: 'mysql2',
    open: place => {
      const pool = createPool(place)
      return { instance: pool, close: () => pool.promise().end() }
    },
  },
  {
    name: 'mysql2/promise',
    open: place => {
      const pool = createPromisePool(place)
      return { instance: pool, close: () => pool.end() }
    },
  },
  {
    name: 'Kysely',
    open: place => {
      const pool = createPool(place)
      pool.on('connection', connection => connection.on('error', () => {}))
      const kysely = new Kysely({ dialect: new MysqlDialect({ pool }) })
      return { instance: kysely, close: () => kysely.destroy() }
    },
  },
  {
    name: 'Drizzle',
    open: place => {
      const pool = createPromisePool(place)
      return { instance: drizzleMysql(pool), close: () => pool.end() }
    },
  },
  {
    name: 'Knex',
    open: place => {
      const instance = knex({ client: 'mysql2', connection: place, log: unheard })
      return { instance, close: () => instance.destroy() }
    },
  },
  {
    name: 'TypeORM',
    open: async place => {
      const { user: username, ...rest } = place
      const instance = new DataSource({ type: 'mysql', username, ...rest, logging: false })
      await instance.initialize()
      return { instance, close: () => instance.destroy() }
    },
  },
  {
    name: 'Sequelize',
    open: ({ user, password, database, ...rest }) => {
      const instance = new Sequelize(database, user, password, { dialect: 'mysql', ...rest })
      return { instance, close: () => instance.close() }
    },
  },
]
