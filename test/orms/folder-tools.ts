import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { drizzle } from 'drizzle-orm/node-postgres'
import { migrate } from 'drizzle-orm/node-postgres/migrator'
import { runner } from 'node-pg-migrate'
import { pgPool } from './instances.ts'
import { statement, type Tool, write } from './tools.ts'

/**
 * What `prisma migrate` creates: its own program is a download that the tests do without. The columns are those of
 * Prisma 7.
 */
export const prismaTable = `CREATE TABLE _prisma_migrations (
  id VARCHAR(36) PRIMARY KEY NOT NULL,
  checksum VARCHAR(64) NOT NULL,
  finished_at TIMESTAMPTZ,
  migration_name VARCHAR(255) NOT NULL,
  logs TEXT,
  rolled_back_at TIMESTAMPTZ,
  started_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  applied_steps_count INTEGER NOT NULL DEFAULT 0
)`

/** Tools that the check is given a folder of, and something that asks the database. */
export const folderTools: readonly Tool[] = [
  {
    name: 'Drizzle',
    names: ['0000_a', '0001_b', '0002_c'],
    kept: 'one of 2023-11-14T22:13:20.002Z',
    open: (place, folder) => {
      const entries = ['0000_a', '0001_b', '0002_c'].map((tag, idx) => ({
        ...{ idx, version: '7', when: 1_700_000_000_000 + idx, tag, breakpoints: true },
      }))
      const journal = (count: number): void =>
        write(folder, {
          'meta/_journal.json': JSON.stringify({
            version: '7',
            dialect: 'postgresql',
            entries: entries.slice(0, count),
          }),
        })
      for (const { tag, idx } of entries) write(folder, { [`${tag}.sql`]: statement(idx + 1) })
      journal(3)
      const pool = pgPool(place)
      const db = drizzle(pool)
      return {
        source: { drizzle: db, folder },
        apply: async count => {
          journal(count)
          await migrate(db, { migrationsFolder: folder })
          journal(3)
        },
        forget: () => journal(2),
        close: () => pool.end(),
      }
    },
  },
  {
    name: 'node-pg-migrate',
    names: ['1700000000001_a', '1700000000002_b', '1700000000003_c'],
    open: (place, folder) => {
      const names = ['1700000000001_a', '1700000000002_b', '1700000000003_c']
      for (const [at, name] of names.entries())
        write(folder, { [`${name}.sql`]: `-- Up Migration\n${statement(at + 1)};\n-- Down Migration\n` })
      const pool = pgPool(place)
      return {
        source: { nodePgMigrate: pool, folder },
        apply: count =>
          runner({
            ...{ databaseUrl: { ...place }, dir: folder, direction: 'up', count },
            ...{ migrationsTable: 'pgmigrations', log: () => {} },
          }),
        forget: () => rmSync(join(folder, `${names[2]}.sql`)),
        close: () => pool.end(),
      }
    },
  },
  {
    name: 'the table that Prisma creates',
    names: ['20260101000000_a', '20260102000000_b', '20260103000000_c'],
    open: (place, folder) => {
      const names = ['20260101000000_a', '20260102000000_b', '20260103000000_c']
      for (const [at, name] of names.entries())
        write(folder, { [`${name}/migration.sql`]: statement(at + 1) })
      write(folder, { 'migration_lock.toml': 'provider = "postgresql"\n' })
      const pool = pgPool(place)
      return {
        source: { prisma: pool, folder },
        apply: async count => {
          await pool.query(prismaTable.replace('TABLE', 'TABLE IF NOT EXISTS'))
          for (const name of names.slice(0, count))
            await pool.query(
              `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at)
               SELECT gen_random_uuid(), '', $1::text, now()
               WHERE $1 NOT IN (SELECT migration_name FROM _prisma_migrations)`,
              [name],
            )
        },
        forget: () => rmSync(join(folder, names[2]!), { recursive: true }),
        close: () => pool.end(),
      }
    },
  },
  {
    name: 'files of SQL',
    names: ['0001_a', '0002_b', '0003_c'],
    kept: '0003',
    open: (place, folder) => {
      const names = ['0001_a', '0002_b', '0003_c']
      for (const [at, name] of names.entries())
        write(folder, { [`${name}.up.sql`]: statement(at + 1), [`${name}.down.sql`]: '' })
      const pool = pgPool(place)
      return {
        source: { sql: pool, folder, table: 'schemaVersions', column: 'Version' },
        apply: async count => {
          await pool.query('CREATE TABLE IF NOT EXISTS "schemaVersions" ("Version" text PRIMARY KEY)')
          for (const name of names.slice(0, count))
            await pool.query('INSERT INTO "schemaVersions" VALUES ($1) ON CONFLICT DO NOTHING', [
              name.slice(0, 4),
            ])
        },
        forget: () => rmSync(join(folder, `${names[2]}.up.sql`)),
        close: () => pool.end(),
      }
    },
  },
]
