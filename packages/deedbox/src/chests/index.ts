export {
  type CheckMessage,
  type Chest,
  ChestError,
  type ChestErrorCode,
  type ChestLogger,
  type ChestQueueOptions,
  type ContextEntry,
  contextEntry,
  type EntryFacts,
  type EntryFilter,
  type ReadableChest,
  type StoredEntry,
  type TrackedRecord,
  type TrackedValue,
} from '../tracking/index.ts'
export type { ChestOptions } from './chest-options.ts'
export { csv } from './csv.ts'
export type { Certificates, HttpWriterOptions } from './http-options.ts'
export { httpWriter } from './http-writer.ts'
export { jsonLines } from './json-lines.ts'
export type { LineFileOptions } from './line-chest.ts'
export { mysql } from './mysql.ts'
export type { MysqlChestConnection, MysqlChestPool } from './mysql-pool.ts'
export { postgres } from './postgres.ts'
export type { PostgresChestClient, PostgresChestPool } from './postgres-pool.ts'
export type { ServerOptions, ServerTls, SqlChestOptions } from './server-connection.ts'
export {
  type SqliteChestOptions,
  type SqliteConnection,
  type SqliteStatement,
  type SqliteValue,
  sqlite,
} from './sqlite.ts'
