import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Migration as MikroMigration, Migrator as MikroMigrator } from '@mikro-orm/migrations'
import { MikroORM } from '@mikro-orm/postgresql'
import type { migrations } from 'deedbox/health'
import knex from 'knex'
import { Kysely, PostgresDialect, sql } from 'kysely'
import { type Migration, Migrator } from 'kysely/migration'
import { Sequelize } from 'sequelize'
import { DataSource, type MigrationInterface, type QueryRunner } from 'typeorm'
import { SequelizeStorage, Umzug } from 'umzug'
import { type Place, pgPool, unheard } from './instances.ts'

/** The migrations of a service, as a tool has them. */
export interface OpenedTool {
  /** What `migrations()` is given. */
  readonly source: Parameters<typeof migrations>[0]
  /** Applies the first ones, as the tool does it. */
  apply(count: number): Promise<unknown>
  /** Takes the last one away, as an older version of the service lacks it; absent where the check cannot tell. */
  forget?(): void
  close(): Promise<unknown>
}

/** One tool, and the names by which it knows three migrations. */
export interface Tool {
  readonly name: string
  readonly names: readonly [string, string, string]
  /** What its table has of the third one, unless it is the name. */
  readonly kept?: string
  /** @param folder an empty one of its own */
  open(place: Place, folder: string): OpenedTool | Promise<OpenedTool>
}

const three = [1, 2, 3] as const

/** The one statement of a migration. */
export function statement(n: number): string {
  return `CREATE TABLE thing_${n} (id int)`
}

/** Tools that the check is given an object of. */
export const libraryTools: readonly Tool[] = [
  {
    name: 'Knex',
    names: ['001_a.cjs', '002_b.cjs', '003_c.cjs'],
    open: (place, folder) => {
      const names = ['001_a.cjs', '002_b.cjs', '003_c.cjs'] as const
      const file = (n: number): string => join(folder, names[n - 1]!)
      for (const n of three)
        writeFileSync(file(n), `exports.up = knex => knex.raw('${statement(n)}')\nexports.down = () => {}\n`)
      const instance = knex({
        client: 'pg',
        connection: place,
        log: unheard,
        migrations: { directory: folder, loadExtensions: ['.cjs'] },
      })
      return {
        source: instance,
        apply: async count => {
          for (let n = 0; n < count; n++) await instance.migrate.up()
        },
        forget: () => rmSync(file(3)),
        close: () => instance.destroy(),
      }
    },
  },
  {
    name: 'Kysely',
    names: ['2026-01-a', '2026-02-b', '2026-03-c'],
    open: place => {
      const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool: pgPool(place) }) })
      const migrations: Record<string, Migration> = Object.fromEntries(
        ['2026-01-a', '2026-02-b', '2026-03-c'].map((name, at) => [
          name,
          { up: async trx => void (await sql.raw(statement(at + 1)).execute(trx)) },
        ]),
      )
      const migrator = new Migrator({ db, provider: { getMigrations: async () => migrations } })
      return {
        source: migrator,
        apply: async count => {
          for (let n = 0; n < count; n++) await migrator.migrateUp()
        },
        close: () => db.destroy(),
      }
    },
  },
  {
    name: 'TypeORM',
    names: ['First1700000000001', 'Second1700000000002', 'Third1700000000003'],
    open: async ({ user: username, ...rest }) => {
      const options = { type: 'postgres', username, ...rest, logging: false } as const
      const classes = ['First', 'Second', 'Third'].map((name, at) => {
        const n = at + 1
        return class implements MigrationInterface {
          readonly name = `${name}170000000000${n}`
          async up(runner: QueryRunner): Promise<void> {
            await runner.query(statement(n))
          }
          async down(): Promise<void> {}
        }
      })
      const source = await new DataSource({ ...options, migrations: classes }).initialize()
      return {
        source,
        apply: async count => {
          const some = await new DataSource({ ...options, migrations: classes.slice(0, count) }).initialize()
          await some.runMigrations()
          await some.destroy()
        },
        forget: () => source.migrations.pop(),
        close: () => source.destroy(),
      }
    },
  },
  {
    name: 'Umzug',
    names: ['a', 'b', 'c'],
    open: ({ user, password, database, ...rest }) => {
      const sequelize = new Sequelize(database, user, password, {
        dialect: 'postgres',
        ...rest,
        logging: false,
      })
      const migrations = ['a', 'b', 'c'].map((name, at) => ({
        name,
        up: async () => sequelize.query(statement(at + 1)),
      }))
      const umzug = new Umzug({
        migrations: () => migrations,
        storage: new SequelizeStorage({ sequelize }),
        logger: undefined,
      })
      return {
        source: umzug,
        apply: count => umzug.up({ step: count }),
        forget: () => migrations.pop(),
        close: () => sequelize.close(),
      }
    },
  },
  {
    name: 'MikroORM',
    names: ['A', 'B', 'C'],
    open: async ({ database: dbName, ...rest }, folder) => {
      const migrationsList = ['A', 'B', 'C'].map((name, at) => ({
        name,
        class: class extends MikroMigration {
          override up(): void {
            this.addSql(statement(at + 1))
          }
        },
      }))
      const orm = await MikroORM.init({
        dbName,
        ...rest,
        entities: [],
        discovery: { warnWhenNoEntities: false },
        extensions: [MikroMigrator],
        migrations: { migrationsList, path: join(folder, 'migrations'), snapshot: false, silent: true },
      })
      return {
        source: orm,
        apply: count => orm.migrator.up({ migrations: ['A', 'B', 'C'].slice(0, count) }),
        close: () => orm.close(),
      }
    },
  },
]

/** Writes files into a folder, by their paths in it. */
export function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, path, '..'), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
}
