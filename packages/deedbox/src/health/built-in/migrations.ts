import type { Check } from '../../checks/index.ts'
import { ConfigurationError } from '../../safety/index.ts'
import { type AskedDatabase, driverDatabase, libraryDatabase } from './asked-database.ts'
import { type BuiltInOptions, builtIn } from './built-in.ts'
import { askedAgain } from './database-attempt.ts'
import type {
  DrizzleInstance,
  MigrationLibrary,
  PrismaInstance,
  SqlDriverInstance,
  SqlInstance,
} from './database-instances.ts'
import { notWhat } from './handed-over.ts'
import {
  drizzleFolder,
  type MigrationFolder,
  nodePgMigrateFolder,
  prismaFolder,
  sqlFolder,
} from './migration-folders.ts'
import { libraryMigrations, type MigrationReader } from './migration-libraries.ts'
import { lateMigrations, migrationFailure, migrationMessages } from './migration-state.ts'
import { oneAttempt } from './one-attempt.ts'

/** Where a tool's migrations and its table are, unless they are where the tool puts them. */
export interface MigrationPlace {
  /** Its path, from where the process was started, or its URL. */
  readonly folder?: string | URL | undefined
  readonly table?: string | undefined
  /** Default: where the connection looks first; with Drizzle on PostgreSQL, `drizzle`. */
  readonly schema?: string | undefined
}

/** Drizzle's: the folder `drizzle` and the table `__drizzle_migrations`. */
export interface DrizzleMigrations extends MigrationPlace {
  /** Drizzle's database, or its driver's pool. */
  readonly drizzle: DrizzleInstance | SqlDriverInstance
}

/** Prisma's: the folder `prisma/migrations` and the table `_prisma_migrations`. */
export interface PrismaMigrations extends MigrationPlace {
  /** Prisma's client, or a pool. */
  readonly prisma: PrismaInstance | SqlDriverInstance
}

/** Those of node-pg-migrate: the folder `migrations` and the table `pgmigrations`. */
export interface NodePgMigrateMigrations extends MigrationPlace {
  /** A pool of pg, or whatever else asks the database. */
  readonly nodePgMigrate: SqlInstance
}

/** Files of SQL whose names, or the versions that these begin with, are in a table. */
export interface SqlMigrations extends MigrationPlace {
  /** A pool, or the instance of a library. */
  readonly sql: SqlInstance
  readonly folder: string | URL
  readonly table: string
  /** The column that has names or versions. Default `version`. */
  readonly column?: string | undefined
  /** A column that is true of what was applied, such as Flyway's `success`. Default: each row is. */
  readonly ifTrue?: string | undefined
}

const taken =
  'a Knex instance, a Migrator of Kysely, a DataSource of TypeORM, an Umzug, or a MikroORM; or { drizzle }, { prisma }, { nodePgMigrate } or { sql } with what asks the database, and a folder'

/**
 * `check_migrations_applied`: compares the migrations that the service brings with those that the database has. It only
 * reads: it creates no table and takes no lock. What cannot be asked is Info, also once `timeout` is over (default: 2
 * seconds); whatever differs is a Warning. (DF-26, DF-28)
 * @throws ConfigurationError for a source of anything else
 */
export function migrations(
  source: MigrationLibrary | DrizzleMigrations | PrismaMigrations | NodePgMigrateMigrations | SqlMigrations,
  options: BuiltInOptions = {},
): Check {
  const read = readerOf(source)
  const compareOnce = oneAttempt(() => {
    const over = new AbortController()
    return {
      found: read(over.signal).then(migrationMessages, migrationFailure),
      late(milliseconds) {
        over.abort()
        return lateMigrations(milliseconds)
      },
    }
  }, askedAgain)
  const limit = options.timeout ?? usualLimit
  return builtIn(
    'migrations',
    'check_migrations_applied',
    // Whom the round has to stop has failed, but a database that does not answer is Info here.
    { ...options, timeout: limit > 0 ? limit + margin : limit },
    signal => compareOnce(AbortSignal.any([signal, AbortSignal.timeout(limit)])),
  )
}

/** Milliseconds after which the check says that the database does not answer. */
const usualLimit = 2_000

/** Milliseconds that it has to say so. */
const margin = 1_000

function readerOf(source: unknown): MigrationReader {
  const isThing = (typeof source === 'object' && source !== null) || typeof source === 'function'
  const reader = isThing ? (libraryMigrations(source) ?? folderReader(source)) : undefined
  if (reader === undefined) throw notWhat('migrations', taken, source)
  return reader
}

/** The tools that keep scripts in a folder: how each is read, and where it has things. */
const tools = {
  drizzle: { read: drizzleFolder, folder: 'drizzle', table: '__drizzle_migrations' },
  prisma: { read: prismaFolder, folder: 'prisma/migrations', table: '_prisma_migrations' },
  nodePgMigrate: { read: nodePgMigrateFolder, folder: 'migrations', table: 'pgmigrations' },
  sql: { read: sqlFolder, folder: undefined, table: undefined },
} as const

function folderReader(source: object): MigrationReader | undefined {
  const tool = (Object.keys(tools) as (keyof typeof tools)[]).find(name => Object.hasOwn(source, name))
  if (tool === undefined) return undefined
  const known = ['folder', 'table', 'schema', ...(tool === 'sql' ? ['column', 'ifTrue'] : [])]
  for (const name of Object.keys(source)) {
    if (name === tool || known.includes(name)) continue
    throw new ConfigurationError(
      `migrations() ${name}`,
      `there is no such option. There are: ${known.join(', ')}.`,
    )
  }
  const given = source as Readonly<Record<string, unknown>>
  const database = askedDatabase(tool, given[tool])
  const { read, folder, table } = tools[tool]
  const place: MigrationFolder = {
    folder: given.folder instanceof URL ? given.folder : name('folder', given.folder ?? folder),
    table: name('table', given.table ?? table),
    schema: given.schema === undefined ? undefined : name('schema', given.schema),
  }
  const columns = {
    column: name('column', given.column ?? 'version'),
    ifTrue: given.ifTrue === undefined ? undefined : name('ifTrue', given.ifTrue),
  }
  return over => read({ ...database, ask: sql => database.ask(sql, over) }, place, columns)
}

function askedDatabase(tool: string, given: unknown): AskedDatabase {
  const isThing = (typeof given === 'object' && given !== null) || typeof given === 'function'
  const database = isThing ? (libraryDatabase(given) ?? driverDatabase(given)) : undefined
  if (database !== undefined) return database
  throw notWhat(
    `migrations() ${tool}`,
    'a pool or connection of pg, mysql2, node:sqlite or better-sqlite3, or an instance of Kysely, Drizzle, Prisma, Knex, TypeORM, Sequelize or MikroORM',
    given,
  )
}

function name(option: string, given: unknown): string {
  if (typeof given === 'string' && given !== '' && !given.includes('\0')) return given
  throw new ConfigurationError(`migrations() ${option}`, 'a text is needed that is not empty.')
}
