import type { EntryFilter } from '../tracking/index.ts'
import type { PostgresChestClient } from './postgres-pool.ts'
import { indexName, migrate } from './postgres-schema.ts'
import type { SqlDialect } from './sql-chest.ts'
import { portionsOf, type ReadRow, type SqlRecord, type SqlRow } from './sql-row.ts'
import { storableText } from './stored-value.ts'

/** What the requests of a write are handed over as, in JSON. */
const recordTypes: Readonly<Record<keyof SqlRecord, string>> = {
  request_id: 'text',
  created_at: 'timestamptz',
  route: 'text',
  method: 'text',
  status: 'integer',
  error: 'text',
  service: 'text',
  env: 'text',
  tags: 'text',
}

/** And the entries of each. */
const entryTypes: Readonly<Record<Exclude<keyof SqlRow, 'record'>, string>> = {
  name: 'text',
  value: 'text',
  type: 'text',
  is_json: 'boolean',
  entry_id: 'text',
}

/** What columns are made of that are not what was handed over. */
const conversions: Readonly<Record<string, string>> = {
  tags: 'tags::jsonb',
  value_json: 'CASE WHEN is_json THEN value::jsonb END',
}

const written = [
  ...Object.keys(recordTypes),
  ...Object.keys(entryTypes).filter(name => name !== 'is_json'),
  'value_json',
]

/** The name of the place in a transaction that a write may be taken back to. */
const beforeWrite = 'deedbox_write'

/** Characters of one statement: it is held in memory several times over. */
const largestStatement = 8_000_000

type PostgresTable = Omit<SqlDialect<PostgresChestClient>, 'acquire' | 'release' | 'close'>

/**
 * The statements about one table of a PostgreSQL server.
 * @param table checked before
 * @param timeout milliseconds after which the server gives a statement up
 */
export function postgresTable(table: string, timeout: number): PostgresTable {
  const insert = `INSERT INTO "${table}" (${written.join(', ')})
SELECT ${written.map(name => conversions[name] ?? name).join(', ')}
FROM json_to_recordset($1) AS record (${definitionsOf(recordTypes)}, entries json),
  json_to_recordset(entries) AS entry (${definitionsOf(entryTypes)})`
  /** What is there already stays. It needs the unique index, and says if there is none. */
  const insertNew = `${insert}
ON CONFLICT (entry_id) DO NOTHING`
  /** Whether the index was there when something was last written. */
  let isIndexed = false

  /** Looking for a conflict with each row costs a sixth of a write, and few writes are repeats. */
  const insertFirst = async (connection: PostgresChestClient, requests: string): Promise<void> => {
    try {
      if (isIndexed) {
        await connection.query(insert, [requests])
        return
      }
    } catch (error) {
      if (!isRepeat(error, table)) throw error
      await connection.query(`ROLLBACK TO SAVEPOINT ${beforeWrite}`)
    }
    await connection.query(insertNew, [requests])
  }

  return {
    begin: async connection => {
      // Three statements that need no answer in between. Where the database's default is serializable, writers would fail.
      await connection.query(
        `BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL statement_timeout = ${Math.ceil(timeout)}; SAVEPOINT ${beforeWrite}`,
      )
    },
    commit: async connection => {
      await connection.query('COMMIT')
    },
    migrate: connection => migrate(connection, table),
    insert: async (connection, rows) => {
      const sizeOf = ({ value, record }: SqlRow): number => 500 + value.length + (record.error?.length ?? 0)
      const [first = [], ...others] = portionsOf(rows, sizeOf, largestStatement)
      try {
        await insertFirst(connection, requestsOf(first))
        for (const portion of others) await connection.query(insertNew, [requestsOf(portion)])
        isIndexed = true
      } catch (error) {
        isIndexed = false
        throw error
      }
    },
    tryInsert: async connection => {
      await connection.query(insertNew, ['[]'])
    },
    read: async (connection, limit, filter) => {
      const { where, texts } = conditionsOf(filter)
      const order = filter === undefined ? 'unique_id' : 'unique_id DESC'
      const { rows } = await connection.query(
        `SELECT unique_id::text, request_id, name, value, type,
  round(extract(epoch FROM created_at) * 1000000)::bigint::text AS created_at,
  entry_id, route, method, status::text, error, service, env, tags::text
FROM "${table}"${where} ORDER BY "${table}".${order} LIMIT ${Math.trunc(limit)}`,
        texts,
      )
      return filter === undefined ? (rows as ReadRow[]) : (rows as ReadRow[]).reverse()
    },
    place: async connection => {
      const { rows } = await connection.query(
        'SELECT place, round(extract(epoch FROM adopted_at) * 1000000)::bigint::text AS adopted_at FROM deedbox_chests WHERE chest = $1',
        [table],
      )
      const [row] = rows as { readonly place: string; readonly adopted_at: string }[]
      return row && { place: row.place, adoptedAt: Number(row.adopted_at) }
    },
    remove: async (connection, keys) => {
      const { rowCount } = await connection.query(
        `DELETE FROM "${table}" WHERE unique_id = ANY($1::bigint[])`,
        [keys],
      )
      return rowCount ?? 0
    },
    count: async connection => {
      const { rows } = await connection.query(`SELECT count(*)::text AS count FROM "${table}"`)
      return Number((rows as { count: string }[])[0]?.count)
    },
    lease: async (connection, holder, milliseconds) => {
      // By the clock of the server. A right that begins later than now is of a clock that was set back since.
      const { rowCount } = await connection.query(
        `INSERT INTO deedbox_chests AS known (chest, adopted_key, holder, held_from, held_until)
SELECT $1, (SELECT max(unique_id) FROM "${table}"), $2, now, now + $3 * interval '1 millisecond' FROM clock_timestamp() AS now
ON CONFLICT (chest) DO UPDATE
SET holder = excluded.holder, held_from = excluded.held_from, held_until = excluded.held_until
WHERE known.holder IS NULL OR known.holder = excluded.holder
  OR known.held_until <= excluded.held_from OR known.held_from > clock_timestamp()`,
        [table, storableText(holder), milliseconds],
      )
      return rowCount === 1
    },
    giveBack: async (connection, holder) => {
      await connection.query('UPDATE deedbox_chests SET holder = NULL WHERE chest = $1 AND holder = $2', [
        table,
        storableText(holder),
      ])
    },
    holder: async connection => {
      const { rows } = await connection.query('SELECT holder FROM deedbox_chests WHERE chest = $1', [table])
      return (rows as { holder: string | null }[])[0]?.holder ?? undefined
    },
    expire: async (connection, days, portion) => {
      const { rowCount } = await connection.query(
        `DELETE FROM "${table}" WHERE unique_id IN (
  SELECT unique_id FROM "${table}" WHERE created_at < now() - $2 * interval '1 day' OR created_at IS NULL
    AND unique_id <= (SELECT adopted_key FROM deedbox_chests WHERE chest = $1 AND adopted_at < now() - $2 * interval '1 day')
  LIMIT ${portion}
)`,
        [table, days],
      )
      return rowCount ?? 0
    },
    faultOf,
  }
}

function definitionsOf(types: Readonly<Record<string, string>>): string {
  return Object.entries(types)
    .map(([name, type]) => `${name} ${type}`)
    .join(', ')
}

/** JSON of the requests with their entries: one parameter, however many there are, which says once what a request says. */
function requestsOf(rows: readonly SqlRow[]): string {
  const requests: object[] = []
  let last: SqlRecord | undefined
  let entries: object[] = []
  for (const { record, name, value, type, is_json, entry_id } of rows) {
    if (record !== last) {
      last = record
      entries = []
      requests.push({ ...record, created_at: `${record.created_at}+00`, entries })
    }
    entries.push({ name, value, type, is_json, entry_id })
  }
  return JSON.stringify(requests)
}

function conditionsOf({ requestId, name }: EntryFilter = {}): { where: string; texts: string[] } {
  const texts: string[] = []
  const conditions: string[] = []
  for (const [column, text] of [
    ['request_id', requestId],
    ['name', name],
  ])
    if (text !== undefined) conditions.push(`${column} = $${texts.push(storableText(text))}`)
  return { where: conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`, texts }
}

const undefinedTable = '42P01'
const undefinedColumn = '42703'
/** There is no unique index on `entry_id`. */
const invalidColumnReference = '42P10'
const uniqueViolation = '23505'
const raisedByTrigger = 'P0001'

/**
 * Data exceptions, violated constraints, what a trigger or a view refuses, and exceeded limits are about the values; all else is about the server, or the way to
 * it. https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
function faultOf(error: unknown): 'schema' | 'refused' | 'unavailable' {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined
  if (typeof code !== 'string' || code.length !== 5) return 'unavailable'
  if ([undefinedTable, undefinedColumn, invalidColumnReference].includes(code)) return 'schema'
  if (code === uniqueViolation && isOfOwnKey(error)) return 'schema'
  return code === raisedByTrigger || ['22', '23', '44', '54'].includes(code.slice(0, 2))
    ? 'refused'
    : 'unavailable'
}

/** Whether something of a write is there already. */
function isRepeat(error: unknown, table: string): boolean {
  const { code, constraint } = Object(error) as { readonly code?: unknown; readonly constraint?: unknown }
  return code === uniqueViolation && constraint === indexName(table, 'entry_id')
}

/** Whether a key was given out twice: its sequence lags, as after a restore of the rows alone, or a failover. */
function isOfOwnKey(error: unknown): boolean {
  const { constraint, detail } = error as { readonly constraint?: unknown; readonly detail?: unknown }
  // The detail is not told to who may not read the column.
  return /_pkey$/.test(String(constraint)) || String(detail).includes('(unique_id)=(')
}
