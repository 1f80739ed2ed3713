import { checkServerIdentity, type PeerCertificate } from 'node:tls'
import { loadDriver } from './driver.ts'
import type { ServerConnection } from './server-connection.ts'

/** What a chest needs of a `Pool` of `pg`. */
export interface PostgresChestPool {
  connect(): Promise<PostgresChestClient>
  /** While the chest is open it listens, for a connection that breaks while nobody uses it. */
  on?(event: 'error', listener: (error: Error) => void): unknown
  off?(event: 'error', listener: (error: Error) => void): unknown
}

/** What a chest needs of such a pool's connection. */
export interface PostgresChestClient {
  query(
    text: string,
    values?: unknown[],
  ): Promise<{ readonly rows: unknown[]; readonly rowCount: number | null }>
  on(event: 'error', listener: (error: Error) => void): unknown
  off(event: 'error', listener: (error: Error) => void): unknown
  release(error?: boolean | Error): void
}

/** A pool of our own. */
export interface OwnPostgresPool extends PostgresChestPool {
  end(): Promise<void>
}

/** Writes come one by one; an exporter, a check and responses that wait may come between. */
const mostConnections = 4

/**
 * Opens a pool. It connects when it is asked to, and keeps no process alive.
 * @throws ChestError `driver_missing`
 */
export async function openPostgresPool(
  chest: string,
  { host, port, user, password, database, tls, parameters }: ServerConnection,
  timeout: number,
): Promise<OwnPostgresPool> {
  const { default: pg } = await loadDriver(chest, 'pg', () => import('pg'))
  const { ca, cert, key, verify = true } = typeof tls === 'boolean' ? {} : tls
  const given = Object.fromEntries(Object.entries({ ca, cert, key }).filter(([, pem]) => pem !== undefined))
  const ssl = {
    ...given,
    rejectUnauthorized: verify,
    checkServerIdentity: (_: string, certificate: PeerCertificate) => checkServerIdentity(host, certificate),
  }
  const { application_name, channel_binding, options } = parameters
  return new pg.Pool({
    ...{ host, port, user, password, database },
    ...(application_name === undefined ? {} : { application_name }),
    ...(options === undefined ? {} : { options }),
    enableChannelBinding: channel_binding === 'require' || channel_binding === 'prefer',
    ...(tls === false ? {} : { ssl }),
    max: mostConnections,
    connectionTimeoutMillis: timeout,
    allowExitOnIdle: true,
    keepAlive: true,
  })
}
