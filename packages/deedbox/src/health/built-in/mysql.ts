import type { Check } from '../../checks/index.ts'
import { type BuiltInOptions, builtIn } from './built-in.ts'
import { type CheckedPool, directAttempt, pooledAttempt } from './database-attempt.ts'
import { hasMethods, notWhat } from './handed-over.ts'
import { oneAttempt } from './one-attempt.ts'

/** What the check needs of a pool of `mysql2/promise`. */
export interface MysqlCheckPool {
  getConnection(): Promise<MysqlPooledConnection>
  on?(event: 'enqueue', listener: () => void): unknown
  off?(event: 'enqueue', listener: () => void): unknown
}

/** What it needs of such a pool's connection. */
export interface MysqlPooledConnection {
  query(sql: string): Promise<unknown>
  release(): void
  destroy(): void
}

/** What it needs of a connection of `mysql2/promise`. */
export interface MysqlCheckConnection {
  query(sql: string): Promise<unknown>
}

/** A pool or connection of `mysql2` itself, which takes callbacks. */
export interface MysqlCallbacks<Promising = MysqlCheckPool | MysqlCheckConnection> {
  promise(): Promising
}

/**
 * `check_database_connected` for MySQL and MariaDB: one SELECT 1 on a connection of the service's own pool. (DF-25, DF-28)
 * @param pool a pool or a connection of `mysql2`, or of `mysql2/promise`
 * @throws ConfigurationError for anything else
 */
export function mysql(
  pool: MysqlCheckPool | MysqlCheckConnection | MysqlCallbacks,
  options: BuiltInOptions = {},
): Check {
  if (!hasMethods(pool, 'query')) throw notWhat('mysql', 'a pool or a connection of mysql2', pool)
  const promising = 'promise' in pool && hasMethods(pool, 'promise') ? pool.promise() : pool
  const checked = checkedMysql(promising)
  const begin = () =>
    checked === undefined
      ? directAttempt(() => (promising as MysqlCheckConnection).query('SELECT 1'))
      : pooledAttempt(checked)
  return builtIn('mysql', 'check_database_connected', options, oneAttempt(begin))
}

/** A pool of mysql2, with promises, as checks ask it; `undefined` for what is none. */
export function checkedMysql(pool: object): CheckedPool<MysqlPooledConnection> | undefined {
  if (!isPool(pool)) return undefined
  let isQueued = false
  return {
    connect: () => {
      isQueued = false
      const queued = (): void => {
        isQueued = true
      }
      // The pool says so before it returns, and to nobody else's request meanwhile.
      pool.on?.('enqueue', queued)
      try {
        return pool.getConnection()
      } finally {
        pool.off?.('enqueue', queued)
      }
    },
    isExhausted: () => isQueued,
    ask: (connection, sql) => connection.query(sql),
    release: connection => connection.release(),
    destroy: connection => connection.destroy(),
  }
}

function isPool(pool: object): pool is MysqlCheckPool {
  return hasMethods(pool, 'getConnection')
}
