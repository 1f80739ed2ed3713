import type { SendPayload } from '../audit/index.ts'
import type { Deedbox } from '../instance.ts'
import { ConfigurationError, errorMessage } from '../safety/index.ts'
import { backlogOf, countStatement, exceptRows, type OutboxStore, type WaitingRow } from './event-row.ts'
import { hasMethod } from './has-method.ts'
import { type OutboxOptions, type OutboxRelay, type OutboxSendOptions, outboxParts } from './outbox.ts'
import { inTransaction, noTransaction, notAConnection, tableMissing } from './outbox-error.ts'
import { quotedTable } from './table-name.ts'

/** What is needed of a database of `node:sqlite` or `better-sqlite3`. */
export interface SqliteDatabase {
  exec(sql: string): unknown
  prepare(sql: string): { run(...values: string[]): unknown; all(...values: string[]): unknown[] }
}

/** An outbox in SQLite. */
export interface SqliteOutbox extends OutboxRelay {
  /**
   * Writes an event in the open transaction of a database, and returns its idempotency key. Sends nothing.
   * @param database the one that the transaction is open on; the outbox's own or another of the same file
   * @throws SendError as `box.send` does
   * @throws OutboxError
   */
  write(database: SqliteDatabase, name: string, payload: SendPayload, options?: OutboxSendOptions): string
}

/**
 * An outbox in SQLite.
 * @param database for the relay, which never reads while a transaction is open on it; it stays the caller's to close
 * @throws ConfigurationError for a database that is none, or an option out of range
 */
export function sqliteOutbox(
  box: Deedbox,
  database: SqliteDatabase,
  options: OutboxOptions = {},
): SqliteOutbox {
  if (!isDatabase(database))
    throw new ConfigurationError(
      'outbox.database',
      'sqliteOutbox() needs a DatabaseSync of node:sqlite, or a Database of better-sqlite3.',
    )
  const store = sqliteStore(database, quotedTable(options, '"'))
  const { relay, columns, wrote } = outboxParts(box, store, options)
  return Object.assign(relay, {
    write: (
      given: SqliteDatabase,
      name: string,
      payload: SendPayload,
      how: OutboxSendOptions = {},
    ): string => {
      const row = columns(name, payload, how)
      store.insert(given, row)
      wrote()
      return row.idempotency_key
    },
  })
}

function sqliteStore(database: SqliteDatabase, table: string): OutboxStore<SqliteDatabase, void> {
  const definition = `CREATE TABLE IF NOT EXISTS ${table} (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  idempotency_key TEXT NOT NULL,
  payload TEXT NOT NULL,
  meta TEXT NOT NULL,
  request_id TEXT NOT NULL,
  created_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')),
  refused_at TEXT,
  reason TEXT
)`
  return {
    definition,
    createTable: async () => {
      database.exec(definition)
    },
    insert: (given, row) => {
      if (!isDatabase(given))
        throw notAConnection('a DatabaseSync of node:sqlite, or a Database of better-sqlite3,')
      if (!isInTransaction(given)) throw noTransaction()
      try {
        given
          .prepare(`INSERT INTO ${table} (idempotency_key, payload, meta, request_id) VALUES (?, ?, ?, ?)`)
          .run(row.idempotency_key, row.payload, row.meta, row.request_id)
      } catch (error) {
        if (errorMessage(error).includes('no such table')) throw tableMissing(table, error)
        throw error
      }
    },
    take: async (limit, left, work) => {
      // What a transaction on this very connection has written would be seen, though it may yet be rolled back.
      if (isInTransaction(database)) throw inTransaction()
      const rows = database
        .prepare(
          `SELECT CAST(id AS TEXT) AS id, idempotency_key, payload, meta, request_id FROM ${table}
WHERE refused_at IS NULL${exceptRows(`${table}.id`, left)} ORDER BY ${table}.id LIMIT ${limit}`,
        )
        .all() as WaitingRow[]
      if (rows.length === 0) return
      const outcomes = await work(rows)
      // Inside a transaction that the caller opened meanwhile, this is undone if that is; the rows are then sent again,
      // and the ledger knows them.
      for (const [i, outcome] of outcomes.entries()) {
        const id = String(rows[i]?.id)
        if (outcome.kind === 'acknowledged') database.prepare(`DELETE FROM ${table} WHERE id = ?`).run(id)
        else if (outcome.kind === 'refused')
          database
            .prepare(
              `UPDATE ${table} SET refused_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now'), reason = ? WHERE id = ?`,
            )
            .run(outcome.reason, id)
      }
    },
    count: async () => backlogOf(database.prepare(countStatement(table)).all()[0]),
  }
}

function isDatabase(thing: unknown): boolean {
  return hasMethod(thing, 'prepare') && hasMethod(thing, 'exec')
}

/** `isTransaction` is node:sqlite's, from Node 22.16 on; `inTransaction` is better-sqlite3's. */
function isInTransaction(database: SqliteDatabase): boolean {
  const told: unknown = Reflect.get(database, 'isTransaction') ?? Reflect.get(database, 'inTransaction')
  if (typeof told === 'boolean') return told
  try {
    database.exec('BEGIN')
  } catch {
    return true
  }
  database.exec('ROLLBACK')
  return false
}
