/** A method, whatever it takes: the types of libraries differ from version to version, their names do not. */
type Method = (...given: never[]) => unknown

/** A client of Prisma. */
export interface PrismaInstance {
  $queryRawUnsafe: Method
  $connect: Method
}

/** A database of Kysely. */
export interface KyselyInstance {
  executeQuery: Method
  selectFrom: Method
  withoutPlugins: Method
  getExecutor: Method
}

/** A database of Drizzle: PostgreSQL's and MySQL's `execute`, SQLite's have `all`. */
export type DrizzleInstance = { select: Method; insert: Method } & ({ execute: Method } | { all: Method })

/** An instance of Knex. */
export interface KnexInstance {
  raw: Method
  withUserParams: Method
}

/** A `DataSource` of TypeORM. */
export interface TypeormInstance {
  query: Method
  initialize: Method
  createQueryRunner: Method
}

/** An instance of Sequelize. */
export interface SequelizeInstance {
  query: Method
  authenticate: Method
  getDialect: Method
}

/** An instance of MikroORM. */
export interface MikroOrmInstance {
  checkConnection: Method
  readonly em: object
}

/** A pool or client of `pg`, a pool or connection of `mysql2`, or a database of `node:sqlite` or `better-sqlite3`. */
export type SqlDriverInstance =
  | { query: Method; connect: Method }
  | { query: Method; execute: Method }
  | { prepare: Method; exec: Method }

/** What asks a database in SQL. (Ruling 29) */
export type SqlInstance =
  | PrismaInstance
  | KyselyInstance
  | DrizzleInstance
  | KnexInstance
  | TypeormInstance
  | SequelizeInstance
  | MikroOrmInstance
  | SqlDriverInstance

/** What `database()` takes: what asks in SQL, and a `MongoClient` or its `Db`. (Ruling 29) */
export type DatabaseInstance =
  | SqlInstance
  | { startSession: Method; db: Method }
  | { command: Method; collection: Method }

/** What has migrations of its own: Knex, a `Migrator` of Kysely, TypeORM, Umzug, MikroORM. */
export type MigrationLibrary =
  | KnexInstance
  | { getMigrations: Method; migrateToLatest: Method }
  | TypeormInstance
  | { pending: Method; executed: Method; up: Method }
  | MikroOrmInstance
