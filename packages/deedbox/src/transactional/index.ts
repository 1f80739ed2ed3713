export type { OutboxBacklog } from './event-row.ts'
export {
  type MysqlConnection,
  type MysqlPool,
  type MysqlPoolConnection,
  type MysqlTransaction,
  mysqlOutbox,
} from './mysql.ts'
export type { Outbox, OutboxOptions, OutboxRelay, OutboxSendOptions, OutboxStats } from './outbox.ts'
export { OutboxError, type OutboxErrorCode } from './outbox-error.ts'
export {
  type PostgresConnection,
  type PostgresPool,
  type PostgresPoolClient,
  type PostgresTransaction,
  postgresOutbox,
} from './postgres.ts'
export { type SqliteDatabase, type SqliteOutbox, sqliteOutbox } from './sqlite.ts'
export type { TableOptions } from './table-name.ts'
