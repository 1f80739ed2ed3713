import type { Deedbox } from '../instance.ts'
import { ConfigurationError } from '../safety/index.ts'
import { backlogOf, countStatement, exceptRows, type OutboxStore, type WaitingRow } from './event-row.ts'
import { hasMethod } from './has-method.ts'
import { createOutbox, type Outbox, type OutboxOptions } from './outbox.ts'
import { hasCode, noTransaction, notAConnection, tableMissing } from './outbox-error.ts'
import { quotedTable } from './table-name.ts'

/** A connection of `pg`, or what else has its `query`: TypeORM's `EntityManager`, for example. */
export interface PostgresConnection {
  query(text: string, values?: unknown[]): Promise<unknown>
}

/**
 * The caller's open transaction: the connection that it runs on, or a function that runs one statement in it.
 * Placeholders are `$1`, `$2` …, each used once and in order.
 */
export type PostgresTransaction =
  | PostgresConnection
  | ((text: string, values: unknown[]) => PromiseLike<unknown>)

/** What a relay needs of a `Pool` of `pg`. */
export interface PostgresPool {
  connect(): Promise<PostgresPoolClient>
}

/** What a relay needs of a pool's connection. */
export interface PostgresPoolClient {
  query(text: string, values?: unknown[]): Promise<{ readonly rows: unknown[] }>
  on(event: 'error', listener: (error: Error) => void): unknown
  off(event: 'error', listener: (error: Error) => void): unknown
  release(error?: boolean | Error): void
}

/**
 * An outbox in PostgreSQL.
 * @param pool a `Pool` of `pg`, for the relay; it stays the caller's to end
 * @throws ConfigurationError for a pool that is none, or an option out of range
 */
export function postgresOutbox(
  box: Deedbox,
  pool: PostgresPool,
  options: OutboxOptions = {},
): Outbox<PostgresTransaction> {
  if (!hasMethod(pool, 'connect') || !hasMethod(pool, 'query'))
    throw new ConfigurationError('outbox.pool', 'postgresOutbox() needs a Pool of pg.')
  return createOutbox(box, postgresStore(pool, quotedTable(options, '"')), options)
}

function postgresStore(pool: PostgresPool, table: string): OutboxStore<PostgresTransaction, Promise<void>> {
  const definition = `CREATE TABLE ${table} (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  idempotency_key text NOT NULL,
  payload text NOT NULL,
  meta text NOT NULL,
  request_id text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now(),
  refused_at timestamptz,
  reason text
)`
  const insert = `INSERT INTO ${table} (idempotency_key, payload, meta, request_id) VALUES ($1, $2, $3, $4)`

  const take: OutboxStore<PostgresTransaction, Promise<void>>['take'] = (limit, left, work) =>
    withClient(pool, async client => {
      // Otherwise, where the database's default is serializable, having read the table would make writers fail.
      await client.query('BEGIN ISOLATION LEVEL READ COMMITTED')
      const { rows } = await client.query(
        `SELECT id, idempotency_key, payload, meta, request_id FROM ${table}
WHERE refused_at IS NULL${exceptRows('id', left)} ORDER BY id LIMIT ${limit} FOR UPDATE SKIP LOCKED`,
      )
      const waiting = rows as readonly WaitingRow[]
      const outcomes = await work(waiting)
      const ids = waiting.filter((_, i) => outcomes[i]?.kind === 'acknowledged').map(({ id }) => id)
      if (ids.length > 0) await client.query(`DELETE FROM ${table} WHERE id = ANY($1::bigint[])`, [ids])
      for (const [i, outcome] of outcomes.entries()) {
        if (outcome.kind !== 'refused') continue
        await client.query(`UPDATE ${table} SET refused_at = now(), reason = $1 WHERE id = $2`, [
          outcome.reason,
          waiting[i]?.id,
        ])
      }
      await client.query('COMMIT')
    })

  return {
    definition,
    createTable: () =>
      withClient(pool, async client => {
        // Asking first: creating needs a right that a service may lack where the table is there already.
        try {
          await client.query(`SELECT 1 FROM ${table} WHERE false`)
          return
        } catch (error) {
          if (!hasCode(error, undefinedTable)) throw error
        }
        try {
          await client.query(definition)
        } catch (error) {
          // Another process was faster.
          if (!hasCode(error, duplicateTable, uniqueViolation)) throw error
        }
      }),
    insert: async (transaction, row) => {
      const execute = statements(transaction)
      try {
        if (!isKnownToBeOpen(transaction)) {
          // Whatever library the statements go through, PostgreSQL allows a savepoint in a transaction only.
          await execute('SAVEPOINT deedbox_outbox', [])
          await execute('RELEASE SAVEPOINT deedbox_outbox', [])
        }
        await execute(insert, [row.idempotency_key, row.payload, row.meta, row.request_id])
      } catch (error) {
        if (hasCode(error, noActiveTransaction)) throw noTransaction(error)
        if (hasCode(error, undefinedTable)) throw tableMissing(table, error)
        throw error
      }
    },
    take,
    count: () =>
      withClient(pool, async client => backlogOf((await client.query(countStatement(table))).rows[0])),
  }
}

const undefinedTable = '42P01'
const duplicateTable = '42P07'
const uniqueViolation = '23505'
const noActiveTransaction = '25P01'

function statements(
  transaction: PostgresTransaction,
): (text: string, values: unknown[]) => PromiseLike<unknown> {
  if (hasMethod(transaction, 'query'))
    return (text, values) => (transaction as PostgresConnection).query(text, values)
  // A function with members of its own is a library's handle, such as Knex's.
  if (typeof transaction === 'function' && Object.keys(transaction).length === 0) return transaction
  throw notAConnection('a client of pg, or a function (text, values) that runs a statement,')
}

/** `pg` knows it from the last answer, which saves asking. */
function isKnownToBeOpen(transaction: PostgresTransaction): boolean {
  return (
    hasMethod(transaction, 'getTransactionStatus') &&
    Reflect.apply(Reflect.get(transaction, 'getTransactionStatus'), transaction, []) === 'T'
  )
}

async function withClient<Result>(
  pool: PostgresPool,
  work: (client: PostgresPoolClient) => Promise<Result>,
): Promise<Result> {
  const client = await pool.connect()
  // A connection that breaks between two statements says so by an event, which would end the process if nobody heard it.
  const heard = (): void => {}
  client.on('error', heard)
  let result: Result
  try {
    result = await work(client)
  } catch (error) {
    // Not to be used again: its transaction may be open.
    client.release(true)
    throw error
  }
  client.off('error', heard)
  client.release()
  return result
}
