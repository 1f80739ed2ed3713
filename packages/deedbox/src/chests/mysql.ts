import { isIP } from 'node:net'
import { ConfigurationError } from '../safety/index.ts'
import type { ReadableChest } from '../tracking/index.ts'
import { type MysqlChestConnection, type MysqlChestPool, openMysqlPool } from './mysql-pool.ts'
import { mysqlTable } from './mysql-table.ts'
import {
  addressOf,
  type ServerConnection,
  type ServerOptions,
  type SqlChestOptions,
} from './server-connection.ts'
import { poolIn, serverChest } from './server-place.ts'
import { SqlChest, type SqlDialect } from './sql-chest.ts'

/**
 * Keeps tracked variables in a table of a MySQL server, version 8 or later, or of a MariaDB server, version 10.6 or later. The
 * table is created by the first write, and gets what it lacks. (FC-22, FC-24)
 * @param place a pool of `mysql2/promise`, which stays the caller's; or a URL, or where the server is, for a pool of the
 *   chest's own
 * @throws ConfigurationError naming the option at fault
 */
export function mysql(
  place: MysqlChestPool | string | URL | ServerOptions,
  options?: SqlChestOptions & Pick<ServerOptions, 'tls'>,
): ReadableChest {
  const told = {
    taker: 'mysql()',
    schemes: ['mysql', 'mariadb'],
    port: 3306,
    parameters: [],
    poolMethod: 'getConnection',
    poolName: 'a pool of mysql2/promise',
    // That of a pool with callbacks.
    otherMethod: 'promise',
  }
  const chest = serverChest<MysqlChestPool>(told, place, options)
  const id = `MySQL(name=${chest.table})`
  if ('connection' in chest.place && chest.place.connection.database === undefined)
    throw new ConfigurationError('mysql(): database', 'the database that has the table is needed.')
  if ('connection' in chest.place && isUnverifiable(chest.place.connection))
    throw new ConfigurationError(
      'mysql(): tls',
      'mysql2 cannot verify that a certificate is for an IP address: give the name of the server as host. tls: { verify: false } accepts any certificate.',
    )
  const { pool, close } = poolIn(chest.place, connection => openMysqlPool(id, connection, chest.timeout))
  const dialect: SqlDialect<MysqlChestConnection> = {
    ...mysqlTable(id, chest.table),
    acquire: async () => (await pool()).getConnection(),
    release: (connection, isBroken) => {
      if (isBroken) connection.destroy()
      else connection.release()
    },
    close,
  }
  const address = 'pool' in chest.place ? undefined : addressOf('mysql', chest.place.connection)
  return new SqlChest(dialect, { ...chest, id, address })
}

/** Whether any certificate for `localhost` would be accepted: mysql2 tells Node no name where the host is an IP address. */
function isUnverifiable({ host, tls }: ServerConnection): boolean {
  const verifies = typeof tls === 'boolean' ? tls : tls.verify !== false
  return verifies && isIP(host) !== 0
}
