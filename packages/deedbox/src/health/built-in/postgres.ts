import type { Check } from '../../checks/index.ts'
import { type BuiltInOptions, builtIn } from './built-in.ts'
import { type CheckedPool, directAttempt, pooledAttempt } from './database-attempt.ts'
import { hasMethods, notWhat } from './handed-over.ts'
import { oneAttempt } from './one-attempt.ts'

/** What the check needs of a `Pool` of `pg`. */
export interface PostgresCheckPool {
  connect(): Promise<PostgresPooledClient>
  readonly idleCount: number
  readonly waitingCount: number
}

/** What it needs of such a pool's connection. */
export interface PostgresPooledClient {
  query(text: string): Promise<unknown>
  on(event: 'error', listener: (error: Error) => void): unknown
  off(event: 'error', listener: (error: Error) => void): unknown
  release(error?: boolean | Error): void
}

/** What it needs of a `Client` of `pg`, which is connected. */
export interface PostgresCheckClient {
  query(text: string): Promise<unknown>
}

/**
 * `check_database_connected` for PostgreSQL: one SELECT 1 on a connection of the service's own pool. (DF-25, DF-28)
 * @param pool a `Pool` of `pg`, or a `Client` that is connected
 * @throws ConfigurationError for anything else
 */
export function postgres(pool: PostgresCheckPool | PostgresCheckClient, options: BuiltInOptions = {}): Check {
  if (!hasMethods(pool, 'query')) throw notWhat('postgres', 'a Pool or a Client of pg', pool)
  const checked = checkedPostgres(pool)
  const begin = () =>
    checked === undefined
      ? directAttempt(() => (pool as PostgresCheckClient).query('SELECT 1'))
      : pooledAttempt(checked)
  return builtIn('postgres', 'check_database_connected', options, oneAttempt(begin))
}

/** A pool of pg as checks ask it; `undefined` for what is none. */
export function checkedPostgres(pool: object): CheckedPool<PostgresPooledClient> | undefined {
  if (!isPool(pool)) return undefined
  return {
    connect: async () => {
      const client = await pool.connect()
      // While a connection is out of its pool nobody else hears its errors, and one that nobody hears ends the process.
      client.on('error', unheard)
      return client
    },
    isExhausted: () => pool.waitingCount > 0 && pool.idleCount === 0,
    ask: (client, sql) => client.query(sql),
    release: client => {
      client.off('error', unheard)
      client.release()
    },
    destroy: client => {
      client.release(true)
    },
  }
}

function isPool(pool: object): pool is PostgresCheckPool {
  return hasMethods(pool, 'connect') && 'idleCount' in pool && 'waitingCount' in pool
}

function unheard(): void {
  // The query that was asked has failed by it as well.
}
