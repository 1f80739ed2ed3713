import { loadDriver } from './driver.ts'
import type { ServerConnection } from './server-connection.ts'

/** What a chest needs of a pool of `mysql2/promise`. */
export interface MysqlChestPool {
  getConnection(): Promise<MysqlChestConnection>
}

/** What a chest needs of such a pool's connection. */
export interface MysqlChestConnection {
  query(
    statement: {
      readonly sql: string
      readonly rowsAsArray: boolean
      readonly typeCast: boolean
      readonly namedPlaceholders: boolean
    },
    values: null,
  ): Promise<[unknown, unknown]>
  release(): void
  destroy(): void
}

/** A pool of our own. */
export interface OwnMysqlPool extends MysqlChestPool {
  end(): Promise<void>
}

/** Writes come one by one; an exporter, a check and responses that wait may come between. */
const mostConnections = 4

/** What a pool tells about is a connection beneath the one that promises. */
interface PlainConnection {
  readonly stream: { ref(): void; unref(): void }
  query(sql: string, done: () => void): unknown
  on(event: 'error', listener: () => void): unknown
}

/**
 * Opens a pool. It connects when it is asked to, and keeps no process alive.
 * @throws ChestError `driver_missing`
 */
export async function openMysqlPool(
  chest: string,
  { host, port, user, password, database, tls }: ServerConnection,
  timeout: number,
): Promise<OwnMysqlPool> {
  const { createPool } = await loadDriver(chest, 'mysql2', () => import('mysql2/promise'))
  const { ca, cert, key, verify = true } = typeof tls === 'boolean' ? {} : tls
  const pems = Object.entries({ ca, cert, key }).filter(([, pem]) => pem !== undefined)
  const ssl = { ...Object.fromEntries(pems), rejectUnauthorized: verify, verifyIdentity: verify }
  const pool = createPool({
    ...Object.fromEntries(
      Object.entries({ host, port, user, password, database }).filter(([, part]) => part !== undefined),
    ),
    ...(tls === false ? {} : { ssl }),
    connectionLimit: mostConnections,
    connectTimeout: timeout,
    charset: 'utf8mb4',
  })
  const seconds = Math.max(1, Math.ceil(timeout / 1_000))
  const hear = (event: string, listener: (connection: PlainConnection) => void): void => {
    Reflect.apply(pool.on, pool, [event, listener])
  }
  hear('connection', connection => {
    // A connection that breaks while nobody uses it: the pool lets go of it, and the next write gets another.
    connection.on('error', () => {})
    // What the chest has given up, the server need not go on waiting for.
    connection.query(
      `SET SESSION innodb_lock_wait_timeout = ${seconds}, lock_wait_timeout = ${seconds}`,
      () => {},
    )
  })
  hear('acquire', ({ stream }) => stream.ref())
  hear('release', ({ stream }) => stream.unref())
  return pool
}
