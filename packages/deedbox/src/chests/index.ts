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
export { isReadable } from './export-lease.ts'
export type { ExportProgress, ExportResult, RunOptions } from './export-run.ts'
export type { ScheduleOptions } from './export-schedule.ts'
export type { ExporterStats } from './export-stats.ts'
export { createExporter, type Exporter, type ExporterOptions } from './exporter.ts'
export type { Certificates, HttpWriterOptions } from './http-options.ts'
export { httpWriter } from './http-writer.ts'
export { influx } from './influx.ts'
export type { InfluxTls } from './influx-connection.ts'
export type { InfluxType } from './influx-fields.ts'
export type { InfluxOptions } from './influx-options.ts'
export type { InfluxAddress } from './influx-place.ts'
export type { InfluxLayout } from './influx-points.ts'
export { jsonLines } from './json-lines.ts'
export type { LineFileOptions } from './line-chest.ts'
export { type MongoChestOptions, mongo } from './mongo.ts'
export type { MongoCollection, MongoCursor, MongoDatabase } from './mongo-connection.ts'
export { mysql } from './mysql.ts'
export type { MysqlChestConnection, MysqlChestPool } from './mysql-pool.ts'
export { openChest } from './open-chest.ts'
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
