import { DatabaseSync } from 'node:sqlite'
import { mysqlOutbox, postgresOutbox, type SqliteOutbox, sqliteOutbox } from 'deedbox/outbox'
import mysql from 'mysql2/promise'
import pg from 'pg'
import type { Database, Reach, Row } from './database.ts'

/** The database that is reached so. */
export function databaseAt(reach: Reach): Database {
  if (reach.kind === 'sqlite') return sqliteDatabase(reach.file)
  return reach.kind === 'postgres'
    ? postgresDatabase(reach.port, reach.isolation ?? 'read committed')
    : mysqlDatabase(reach.port)
}

function quoted(table: string | undefined, mark: string): string {
  return mark + (table ?? 'deedbox_outbox').replaceAll(mark, mark + mark) + mark
}

function readRow(row: Record<string, unknown>): Row {
  return {
    idempotency_key: String(row.idempotency_key),
    payload: String(row.payload),
    reason: row.reason === null ? null : String(row.reason),
    refused: row.refused_at !== null,
  }
}

function postgresDatabase(port: number, isolation: string): Database {
  return {
    sharesConnection: false,
    locksRows: true,
    openWrongly: box => postgresOutbox(box, {} as pg.Pool),
    open: async (box, options = {}) => {
      const settings = `-c default_transaction_isolation=${isolation.replace(' ', '\\ ')}`
      const pool = new pg.Pool({ host: '127.0.0.1', port, user: 'postgres', max: 40, options: settings })
      pool.on('error', () => {})
      const outbox = postgresOutbox(box, pool, options)
      return {
        outbox,
        begin: async () => {
          const client = await pool.connect()
          client.on('error', () => {})
          await client.query('BEGIN')
          return {
            write: (name, payload, how) => outbox.write(client, name, payload, how),
            writeThrough: (name, payload) =>
              outbox.write((text, values) => client.query(text, values), name, payload),
            work: async () => {
              await client.query('SELECT 1')
            },
            end: async how => {
              await client.query(how)
              client.release(true)
            },
          }
        },
        writeOutside: (name, payload) => outbox.write(pool, name, payload),
        writeWrongly: () => outbox.write({} as pg.Client, 'e', {}),
        rows: async () =>
          (await pool.query(`SELECT * FROM ${quoted(options.table, '"')} ORDER BY id`)).rows.map(readRow),
        cutConnections: async () => {
          await pool.query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename = 'postgres'",
          )
        },
        close: () => pool.end(),
      }
    },
  }
}

function mysqlDatabase(port: number): Database {
  const login = { host: '127.0.0.1', port, user: 'root' }
  return {
    sharesConnection: false,
    locksRows: true,
    openWrongly: box => mysqlOutbox(box, {} as mysql.Pool),
    open: async (box, options = {}) => {
      const first = await mysql.createConnection(login)
      await first.query('CREATE DATABASE IF NOT EXISTS shop')
      await first.end()
      // A character set that has neither emoji nor Japanese: the outbox must not depend on it.
      const pool = mysql.createPool({ ...login, database: 'shop', connectionLimit: 40, charset: 'latin1' })
      const outbox = mysqlOutbox(box, pool, options)
      return {
        outbox,
        begin: async () => {
          const connection = await pool.getConnection()
          await connection.beginTransaction()
          return {
            write: (name, payload, how) => outbox.write(connection, name, payload, how),
            writeThrough: (name, payload) =>
              outbox.write((sql, values) => connection.query(sql, values), name, payload),
            work: async () => {
              await connection.query('SELECT 1')
            },
            end: async how => {
              await connection.query(how)
              connection.release()
            },
          }
        },
        writeOutside: async (name, payload) => {
          const connection = await pool.getConnection()
          try {
            return await outbox.write(connection, name, payload)
          } finally {
            connection.release()
          }
        },
        writeWrongly: () => outbox.write({} as mysql.Connection, 'e', {}),
        rows: async () => {
          const [rows] = await pool.query<mysql.RowDataPacket[]>(
            `SELECT * FROM ${quoted(options.table, '`')} ORDER BY id`,
          )
          return rows.map(readRow)
        },
        cutConnections: async () => {
          const connection = await mysql.createConnection(login)
          const [rows] = await connection.query<mysql.RowDataPacket[]>(
            "SELECT id FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND user = 'root'",
          )
          for (const { id } of rows) await connection.query('KILL ?', [id])
          await connection.end()
        },
        close: () => pool.end(),
      }
    },
  }
}

/** One open transaction at a time in this process, as in a service that has one connection. */
let turn = Promise.resolve()

function sqliteDatabase(file: string): Database {
  return {
    sharesConnection: true,
    locksRows: false,
    openWrongly: box => sqliteOutbox(box, {} as DatabaseSync),
    open: async (box, options = {}) => {
      const database = new DatabaseSync(file)
      let outbox: SqliteOutbox
      try {
        database.exec('PRAGMA journal_mode = WAL')
        outbox = sqliteOutbox(box, database, options)
      } catch (error) {
        database.close()
        throw error
      }
      return {
        outbox,
        begin: async () => {
          const { promise, resolve } = Promise.withResolvers<void>()
          const before = turn
          turn = promise
          await before
          database.exec('BEGIN')
          return {
            write: async (name, payload, how) => outbox.write(database, name, payload, how),
            writeThrough: async (name, payload) => outbox.write(database, name, payload),
            work: async () => database.exec('SELECT 1'),
            end: async how => {
              database.exec(how)
              resolve()
            },
          }
        },
        writeOutside: async (name, payload) => outbox.write(database, name, payload),
        writeWrongly: async () => outbox.write({} as DatabaseSync, 'e', {}),
        rows: async () =>
          database
            .prepare(`SELECT * FROM ${quoted(options.table, '"')} ORDER BY id`)
            .all()
            .map(readRow),
        close: async () => database.close(),
      }
    },
  }
}
