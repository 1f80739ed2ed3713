import type { Check } from '../../checks/index.ts'
import { type BuiltInOptions, builtIn } from './built-in.ts'
import { unlessLocked } from './database-messages.ts'
import { hasMethods, notWhat } from './handed-over.ts'

/** What the check needs of an open database: Node's `DatabaseSync`, or better-sqlite3. */
export interface SqliteCheckDatabase {
  prepare(sql: string): { get(): unknown }
}

/**
 * Reads the file, which a mere SELECT 1 does not do: that answers also where the file is no database any more.
 * `schema_version` is in its header, and is read under the lock that each query of the service needs too.
 */
const statement = 'PRAGMA schema_version'

/**
 * `check_database_connected` for SQLite: reads the head of the file. One that stays locked is a Warning. (DF-25, DF-28)
 * @param database Node's `DatabaseSync`, or a database of better-sqlite3
 * @throws ConfigurationError for anything else
 */
export function sqlite(database: SqliteCheckDatabase, options: BuiltInOptions = {}): Check {
  if (!hasMethods(database, 'prepare'))
    throw notWhat(
      'sqlite',
      'an open database: a DatabaseSync of node:sqlite, or one of better-sqlite3',
      database,
    )
  return builtIn('sqlite', 'check_database_connected', options, () =>
    unlessLocked(() => database.prepare(statement).get()),
  )
}
