import type { Check } from '../../checks/index.ts'
import { isMysql2, isPg, isSqlite, libraryDatabase } from './asked-database.ts'
import { type BuiltInOptions, builtIn } from './built-in.ts'
import { askedAgain, fileAttempt, libraryAttempt } from './database-attempt.ts'
import type { DatabaseInstance } from './database-instances.ts'
import { hasMethods, notWhat } from './handed-over.ts'
import { type MongoCheckClient, mongo } from './mongo.ts'
import { type MysqlCheckPool, mysql } from './mysql.ts'
import { oneAttempt } from './one-attempt.ts'
import { type PostgresCheckPool, postgres } from './postgres.ts'
import { type SqliteCheckDatabase, sqlite } from './sqlite.ts'

/** What {@link database} takes, as the end of a sentence. */
const taken =
  'an instance of Kysely, Drizzle, Prisma, Knex, TypeORM (a DataSource), Sequelize or MikroORM, or a pool or connection of pg, mysql2, node:sqlite, better-sqlite3 or mongodb'

/**
 * `check_database_connected` for the instance that the service has: one SELECT 1 through a library, and what
 * `postgres()`, `mysql()`, `sqlite()` or `mongo()` do for a driver. (DF-25, DF-28, ruling 29)
 * @throws ConfigurationError for an instance of anything else
 */
export function database(instance: DatabaseInstance, options: BuiltInOptions = {}): Check {
  if ((typeof instance !== 'object' && typeof instance !== 'function') || instance === null)
    throw notWhat('database', taken, instance)
  const library = libraryDatabase(instance)
  if (library !== undefined) {
    const attempt = library.dialect === 'sqlite' ? fileAttempt : libraryAttempt
    const begin = () => attempt(() => library.ask('SELECT 1'))
    return builtIn('database', 'check_database_connected', options, oneAttempt(begin, askedAgain))
  }
  if (isMysql2(instance)) return mysql(instance as object as MysqlCheckPool, options)
  if (hasMethods(instance, 'startSession', 'db') || hasMethods(instance, 'command', 'collection'))
    return mongo(instance as object as MongoCheckClient, options)
  if (isPg(instance)) return postgres(instance as object as PostgresCheckPool, options)
  if (isSqlite(instance)) return sqlite(instance as object as SqliteCheckDatabase, options)
  throw notWhat('database', taken, instance)
}
