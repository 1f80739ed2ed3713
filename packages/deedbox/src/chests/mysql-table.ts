import { ChestError, type EntryFilter } from '../tracking/index.ts'
import { mysqlLiteral } from './mysql-literal.ts'
import type { MysqlChestConnection } from './mysql-pool.ts'
import { hasNumber, read, run, textOf } from './mysql-query.ts'
import { createMissing } from './mysql-schema.ts'
import type { SqlDialect } from './sql-chest.ts'
import { portionsOf, type ReadRow, type SqlRecord, type SqlRow } from './sql-row.ts'
import { storableText } from './stored-value.ts'

const writtenOfRecord = [
  'request_id',
  'created_at',
  'route',
  'method',
  'status',
  'error',
  'service',
  'env',
  'tags',
] as const
const written = ['name', 'value', 'value_json', 'type', 'entry_id', ...writtenOfRecord]

/** Each as text, so that it does not matter how a pool reads numbers, times and JSON. */
const readColumns: Readonly<Record<keyof ReadRow, string>> = {
  unique_id: 'CAST(unique_id AS CHAR)',
  request_id: 'request_id',
  name: 'name',
  value: 'value',
  type: 'type',
  created_at: "CAST(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', created_at) AS CHAR)",
  entry_id: 'entry_id',
  route: 'route',
  method: 'method',
  status: 'CAST(status AS CHAR)',
  error: 'error',
  service: 'service',
  env: 'env',
  tags: 'CAST(tags AS CHAR)',
}

/** Characters of one statement, which are bytes here: it is held in memory several times over. */
const largestStatement = 4_000_000
/** What the protocol puts around a statement, and more. */
const packetShare = 256

type MysqlTable = Omit<SqlDialect<MysqlChestConnection>, 'acquire' | 'release' | 'close'>

async function begin(connection: MysqlChestConnection): Promise<void> {
  // Otherwise the gaps between the rows were locked too, and writers would wait for whoever empties the table.
  await run(connection, 'SET TRANSACTION ISOLATION LEVEL READ COMMITTED')
  await run(connection, 'START TRANSACTION')
}

/**
 * The statements about one table of a MySQL or MariaDB server.
 * @param chest the id of the chest
 * @param table checked before
 */
export function mysqlTable(chest: string, table: string): MysqlTable {
  const into = `INSERT INTO \`${table}\` (${written.map(column => `\`${column}\``).join(', ')})`
  const place = mysqlLiteral(table)
  /** Bytes of a statement that the server takes, once it was asked. */
  let packet: number | undefined

  return {
    begin,
    commit: async connection => {
      await run(connection, 'COMMIT')
    },
    migrate: async connection => {
      await createMissing(connection, table)
    },
    insert: async (connection, rows) => {
      packet ??= Number((await read(connection, 'SELECT @@max_allowed_packet'))[0]?.[0])
      const room = packet - packetShare - into.length
      try {
        const texts = valuesOf(rows)
        if (texts.some(({ text }) => text.length > room))
          throw new ChestError(
            'refused',
            chest,
            `an entry is larger than the server's max_allowed_packet of ${packet} bytes.`,
          )
        const most = Math.min(room, largestStatement)
        for (const portion of portionsOf(texts, ({ text }) => text.length + 2, most))
          await insertNew(connection, table, into, portion)
      } catch (error) {
        // It may be another one the next time.
        packet = undefined
        throw error
      }
    },
    tryInsert: async connection => {
      await run(
        connection,
        `${into} SELECT ${written.map(column => `\`${column}\``).join(', ')} FROM \`${table}\` WHERE FALSE`,
      )
    },
    read: async (connection, limit, filter) => {
      const order = filter === undefined ? '' : ' DESC'
      const names = Object.keys(readColumns) as (keyof ReadRow)[]
      const rows = await read(
        connection,
        `SELECT ${Object.values(readColumns).join(', ')}, @@character_set_results FROM \`${table}\`${conditionsOf(filter)}
ORDER BY \`${table}\`.unique_id${order} LIMIT ${Math.trunc(limit)}`,
      )
      const encoding = rows[0]?.at(-1) ?? 'utf8mb4'
      // What was read would be deleted, once it is somewhere else as question marks.
      if (encoding !== 'utf8mb4')
        throw new ChestError(
          'unavailable',
          chest,
          `reading needs a pool with charset: 'utf8mb4', not ${encoding}.`,
        )
      const found = rows.map(
        row => Object.fromEntries(names.map((name, i) => [name, textOf(row[i])])) as unknown as ReadRow,
      )
      return filter === undefined ? found : found.reverse()
    },
    place: async connection => {
      const [row] = await read(
        connection,
        `SELECT place, CAST(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', adopted_at) AS CHAR) FROM deedbox_chests WHERE chest = ${place}`,
      )
      return row && { place: String(row[0]), adoptedAt: Number(row[1]) }
    },
    remove: (connection, keys) =>
      run(connection, `DELETE FROM \`${table}\` WHERE unique_id IN (${keys.join(', ')})`),
    count: async connection => Number((await read(connection, `SELECT COUNT(*) FROM \`${table}\``))[0]?.[0]),
    lease: async (connection, holder, milliseconds) => {
      const who = mysqlLiteral(storableText(holder))
      // The time of a statement is that of its begin: one that had to wait would find a lease that begins later than now.
      const lock = (): Promise<unknown[]> =>
        read(connection, `SELECT 1 FROM deedbox_chests WHERE chest = ${place} FOR UPDATE`)
      if ((await lock()).length === 0) {
        await createMissing(connection, table)
        // To create something has ended the transaction, and with it the lock.
        await begin(connection)
        await lock()
      }
      // By the clock of the server. A right that begins later than now is of a clock that was set back since.
      const taken = await run(
        connection,
        `UPDATE deedbox_chests SET holder = ${who}, held_from = UTC_TIMESTAMP(6),
  held_until = UTC_TIMESTAMP(6) + INTERVAL ${Math.ceil(milliseconds * 1_000)} MICROSECOND
WHERE chest = ${place} AND (holder IS NULL OR holder = ${who}
  OR held_until <= UTC_TIMESTAMP(6) OR held_from > UTC_TIMESTAMP(6))`,
      )
      return taken > 0
    },
    giveBack: async (connection, holder) => {
      const who = mysqlLiteral(storableText(holder))
      await run(
        connection,
        `UPDATE deedbox_chests SET holder = NULL WHERE chest = ${place} AND holder = ${who}`,
      )
    },
    holder: async connection => {
      const [row] = await read(connection, `SELECT holder FROM deedbox_chests WHERE chest = ${place}`)
      return textOf(row?.[0]) ?? undefined
    },
    expire: (connection, days, portion) =>
      run(
        connection,
        `DELETE FROM \`${table}\` WHERE created_at < UTC_TIMESTAMP(6) - INTERVAL ${days} DAY OR created_at IS NULL
  AND unique_id <= (SELECT adopted_key FROM deedbox_chests
    WHERE chest = ${place} AND adopted_at < UTC_TIMESTAMP(6) - INTERVAL ${days} DAY)
LIMIT ${portion}`,
      ),
    faultOf,
  }
}

/** The values of rows, each with its id. What a request says is made into text once. */
function valuesOf(rows: readonly SqlRow[]): { readonly id: string; readonly text: string }[] {
  let last: SqlRecord | undefined
  let ofRecord = ''
  return rows.map(({ record, name, value, type, is_json, entry_id }) => {
    if (record !== last) {
      last = record
      ofRecord = writtenOfRecord.map(column => mysqlLiteral(record[column])).join(',')
    }
    // What stands further left in the list can be named.
    const json = is_json ? '`value`' : 'NULL'
    const text = `(${mysqlLiteral(name)},${mysqlLiteral(value)},${json},'${type}',${mysqlLiteral(entry_id)},${ofRecord})`
    return { id: entry_id, text }
  })
}

/** Stores the rows that are not there. */
async function insertNew(
  connection: MysqlChestConnection,
  table: string,
  into: string,
  rows: readonly { readonly id: string; readonly text: string }[],
): Promise<void> {
  for (let left = rows; left.length > 0; ) {
    try {
      await run(connection, `${into} VALUES ${left.map(({ text }) => text).join(',')}`)
      return
    } catch (error) {
      // INSERT IGNORE would store what does not fit as something else.
      if (!hasNumber(error, duplicate)) throw error
      const ids = left.map(({ id }) => mysqlLiteral(id)).join(', ')
      const there = await read(connection, `SELECT entry_id FROM \`${table}\` WHERE entry_id IN (${ids})`)
      const known = new Set(there.map(([id]) => textOf(id)))
      const fresh = left.filter(({ id }) => !known.has(id))
      // Another key of the table, which is not ours.
      if (fresh.length === left.length) throw error
      left = fresh
    }
  }
}

function conditionsOf({ requestId, name }: EntryFilter = {}): string {
  const conditions: string[] = []
  if (requestId !== undefined) conditions.push(`request_id = ${mysqlLiteral(storableText(requestId))}`)
  if (name !== undefined) conditions.push(`name = ${mysqlLiteral(storableText(name))}`)
  return conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`
}

const duplicate = 1062
const noSuchTable = 1146
const noSuchColumn = 1054

/**
 * What is about the values: out of range, too long, no such characters, no such JSON, a violated constraint, more than a row
 * may have, and what a trigger or a view refuses.
 */
const refusals = [
  1048, 1062, 1118, 1216, 1264, 1265, 1292, 1364, 1366, 1369, 1406, 1452, 1644, 3140, 3141, 3144, 3157, 3819,
  4025,
]

function faultOf(error: unknown): 'schema' | 'refused' | 'unavailable' {
  if (hasNumber(error, noSuchTable, noSuchColumn)) return 'schema'
  // What a trigger signals may have any number.
  const isSignal = error instanceof Error && Reflect.get(error, 'sqlState') === '45000'
  return isSignal || hasNumber(error, ...refusals) ? 'refused' : 'unavailable'
}
