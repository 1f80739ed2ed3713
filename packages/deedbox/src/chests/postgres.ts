import type { ReadableChest } from '../tracking/index.ts'
import { openPostgresPool, type PostgresChestClient, type PostgresChestPool } from './postgres-pool.ts'
import { postgresTable } from './postgres-table.ts'
import { addressOf, type ServerOptions, type SqlChestOptions } from './server-connection.ts'
import { poolIn, serverChest } from './server-place.ts'
import { SqlChest, type SqlDialect } from './sql-chest.ts'

/**
 * Keeps tracked variables in a table of a PostgreSQL server, version 13 or later. The table is created by the first write,
 * and gets what it lacks. (FC-22, FC-24)
 * @param place a `Pool` of `pg`, which stays the caller's; or a URL, or where the server is, for a pool of the chest's own
 * @throws ConfigurationError naming the option at fault
 */
export function postgres(
  place: PostgresChestPool | string | URL | ServerOptions,
  options?: SqlChestOptions & Pick<ServerOptions, 'tls'>,
): ReadableChest {
  const told = {
    taker: 'postgres()',
    schemes: ['postgres', 'postgresql'],
    port: 5432,
    parameters: ['application_name', 'channel_binding', 'options'],
    poolMethod: 'connect',
    poolName: 'a Pool of pg',
    // A Client's.
    otherMethod: 'escapeIdentifier',
  }
  const chest = serverChest<PostgresChestPool>(told, place, options)
  const id = `PostgreSQL(name=${chest.table})`
  const { pool, close } = poolIn(
    chest.place,
    connection => openPostgresPool(id, connection, chest.timeout),
    // A connection that breaks while nobody uses it: the pool lets go of it, and the next write gets another.
    opened => opened.on?.('error', unheard),
    opened => opened.off?.('error', unheard),
  )
  const dialect: SqlDialect<PostgresChestClient> = {
    ...postgresTable(chest.table, chest.timeout),
    acquire: async () => {
      const client = await (await pool()).connect()
      // A connection that breaks says so by an event, which would end the process if nobody heard it.
      client.on('error', unheard)
      return client
    },
    release: (client, isBroken) => {
      if (!isBroken) client.off('error', unheard)
      client.release(isBroken)
    },
    close,
  }
  const address = 'pool' in chest.place ? undefined : addressOf('postgres', chest.place.connection)
  return new SqlChest(dialect, { ...chest, id, address })
}

function unheard(): void {}
