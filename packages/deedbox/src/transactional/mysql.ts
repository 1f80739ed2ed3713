import type { Deedbox } from '../instance.ts'
import { ConfigurationError } from '../safety/index.ts'
import { backlogOf, countStatement, exceptRows, type OutboxStore, type WaitingRow } from './event-row.ts'
import { hasMethod } from './has-method.ts'
import { createOutbox, type Outbox, type OutboxOptions } from './outbox.ts'
import { hasCode, noTransaction, notAConnection, tableMissing } from './outbox-error.ts'
import { quotedTable } from './table-name.ts'

/** A connection of `mysql2/promise`, or what else has its `query`. */
export interface MysqlConnection {
  query(sql: string, values?: unknown[]): Promise<unknown>
}

/**
 * The caller's open transaction: the connection that it runs on, or a function that runs one statement in it.
 * Placeholders are `?`, values are buffers.
 */
export type MysqlTransaction = MysqlConnection | ((sql: string, values: unknown[]) => PromiseLike<unknown>)

/** What a relay needs of a pool of `mysql2/promise`. */
export interface MysqlPool {
  getConnection(): Promise<MysqlPoolConnection>
}

/** What a relay needs of a pool's connection. */
export interface MysqlPoolConnection {
  query(sql: string, values?: unknown[]): Promise<[unknown, unknown]>
  release(): void
  destroy(): void
}

/**
 * An outbox in MySQL 8 or later, or MariaDB 10.6 or later.
 * @param pool a pool of `mysql2/promise`, for the relay; it stays the caller's to end
 * @throws ConfigurationError for a pool that is none, or an option out of range
 */
export function mysqlOutbox(
  box: Deedbox,
  pool: MysqlPool,
  options: OutboxOptions = {},
): Outbox<MysqlTransaction> {
  if (!hasMethod(pool, 'getConnection') || hasMethod(pool, 'promise'))
    throw new ConfigurationError('outbox.pool', 'mysqlOutbox() needs a pool of mysql2/promise.')
  return createOutbox(box, mysqlStore(pool, quotedTable(options, '`')), options)
}

function mysqlStore(pool: MysqlPool, table: string): OutboxStore<MysqlTransaction, Promise<void>> {
  // Bytes, not text: whatever a connection's character set is, what comes out is what went in.
  const definition = `CREATE TABLE IF NOT EXISTS ${table} (
  id bigint unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,
  idempotency_key varchar(255) CHARACTER SET ascii COLLATE ascii_bin NOT NULL,
  payload mediumblob NOT NULL,
  meta mediumblob NOT NULL,
  request_id blob NOT NULL,
  created_at timestamp(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6),
  refused_at timestamp(6) NULL,
  reason text CHARACTER SET utf8mb4
) ENGINE=InnoDB`
  const insert = `INSERT INTO ${table} (idempotency_key, payload, meta, request_id) VALUES (?, ?, ?, ?)`

  const take: OutboxStore<MysqlTransaction, Promise<void>>['take'] = (limit, left, work) =>
    withConnection(pool, async connection => {
      // Otherwise the gaps between the rows were locked too, and writers would wait for the ledger.
      await connection.query('SET TRANSACTION ISOLATION LEVEL READ COMMITTED')
      await connection.query('START TRANSACTION')
      const [rows] = await connection.query(
        `SELECT id, idempotency_key, payload, meta, request_id FROM ${table}
WHERE refused_at IS NULL${exceptRows('id', left)} ORDER BY id LIMIT ${limit} FOR UPDATE SKIP LOCKED`,
      )
      const waiting = (rows as Record<string, unknown>[]).map(readRow)
      const outcomes = await work(waiting)
      // One by one, by primary key: for a list of keys a small table would be read whole, the rows that other relays
      // hold included.
      for (const [i, outcome] of outcomes.entries()) {
        const id = waiting[i]?.id
        if (outcome.kind === 'acknowledged') await connection.query(`DELETE FROM ${table} WHERE id = ?`, [id])
        else if (outcome.kind === 'refused')
          await connection.query(
            `UPDATE ${table} SET refused_at = CURRENT_TIMESTAMP(6), reason = ? WHERE id = ?`,
            [Buffer.from(outcome.reason), id],
          )
      }
      await connection.query('COMMIT')
    })

  return {
    definition,
    createTable: () =>
      withConnection(pool, async connection => {
        // Asking first: creating needs a right that a service may lack where the table is there already.
        try {
          await connection.query(`SELECT 1 FROM ${table} LIMIT 0`)
        } catch (error) {
          if (!hasCode(error, noSuchTable)) throw error
          await connection.query(definition)
        }
      }),
    insert: async (transaction, row) => {
      const execute = statements(transaction)
      // MySQL has no expression that says whether a transaction is open; its answer to any statement does.
      if (tellsNoTransaction(await execute('DO 0', []))) throw noTransaction()
      try {
        await execute(insert, [row.idempotency_key, row.payload, row.meta, row.request_id].map(asBytes))
      } catch (error) {
        if (hasCode(error, noSuchTable)) throw tableMissing(table, error)
        throw error
      }
    },
    take,
    count: () =>
      withConnection(pool, async connection => {
        const [rows] = await connection.query(countStatement(table))
        return backlogOf((rows as unknown[])[0])
      }),
  }
}

const noSuchTable = 'ER_NO_SUCH_TABLE'

function asBytes(text: string): Buffer {
  return Buffer.from(text)
}

function statements(transaction: MysqlTransaction): (sql: string, values: unknown[]) => PromiseLike<unknown> {
  if (hasMethod(transaction, 'query') && !hasMethod(transaction, 'promise')) {
    if (hasMethod(transaction, 'getConnection')) throw noTransaction()
    return (sql, values) => (transaction as MysqlConnection).query(sql, values)
  }
  // A function with members of its own is a library's handle, such as Knex's.
  if (typeof transaction === 'function' && Object.keys(transaction).length === 0) return transaction
  throw notAConnection('a connection of mysql2/promise, or a function (sql, values) that runs a statement,')
}

/** The flags of an answer: a transaction is open; each statement is one of its own. */
const inTransaction = 1
const autoCommit = 2

/** Libraries that hide the answer are taken at their word. */
function tellsNoTransaction(answer: unknown): boolean {
  const header: unknown = Array.isArray(answer) ? answer[0] : answer
  const status: unknown =
    typeof header === 'object' && header !== null ? Reflect.get(header, 'serverStatus') : undefined
  return typeof status === 'number' && (status & inTransaction) === 0 && (status & autoCommit) !== 0
}

function readRow(row: Record<string, unknown>): WaitingRow {
  return {
    id: row.id,
    idempotency_key: text(row.idempotency_key),
    payload: text(row.payload),
    meta: text(row.meta),
    request_id: text(row.request_id),
  }
}

function text(value: unknown): string {
  return value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : String(value)
}

async function withConnection<Result>(
  pool: MysqlPool,
  work: (connection: MysqlPoolConnection) => Promise<Result>,
): Promise<Result> {
  const connection = await pool.getConnection()
  let result: Result
  try {
    result = await work(connection)
  } catch (error) {
    // Not to be used again: its transaction may be open.
    connection.destroy()
    throw error
  }
  connection.release()
  return result
}
