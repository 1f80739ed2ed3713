export {
  type Check,
  type CheckDetails,
  type CheckFunction,
  type CheckLevelName,
  CheckMessage,
  type CheckMessageDetails,
  type CheckOptions,
  type CheckOutcome,
  type CheckRegistry,
  type CheckResult,
  type CheckStatus,
  check,
  checkLevels,
  createRegistry,
  critical,
  debug,
  dockerflowIds,
  error,
  type HealthReport,
  type HeartbeatListener,
  type HeartbeatSignal,
  type HeartbeatSignals,
  info,
  levelText,
  type PlainCheckMessage,
  type RegisterOptions,
  warning,
} from '../checks/index.ts'
export type { HealthAnswer, HealthRequest } from './answers.ts'
export type { BuiltInOptions } from './built-in/built-in.ts'
export { database } from './built-in/database.ts'
export type {
  DatabaseInstance,
  DrizzleInstance,
  KnexInstance,
  KyselyInstance,
  MigrationLibrary,
  MikroOrmInstance,
  PrismaInstance,
  SequelizeInstance,
  SqlDriverInstance,
  SqlInstance,
  TypeormInstance,
} from './built-in/database-instances.ts'
export { type DiskSpaceOptions, diskSpace, type FreeSpace } from './built-in/disk-space.ts'
export { type EventLoopDelayOptions, eventLoopDelay } from './built-in/event-loop-delay.ts'
export { type HttpCheckOptions, http } from './built-in/http.ts'
export {
  type DrizzleMigrations,
  type MigrationPlace,
  migrations,
  type NodePgMigrateMigrations,
  type PrismaMigrations,
  type SqlMigrations,
} from './built-in/migrations.ts'
export { type MongoCheckClient, type MongoCheckDb, mongo } from './built-in/mongo.ts'
export {
  type MysqlCallbacks,
  type MysqlCheckConnection,
  type MysqlCheckPool,
  type MysqlPooledConnection,
  mysql,
} from './built-in/mysql.ts'
export {
  type PostgresCheckClient,
  type PostgresCheckPool,
  type PostgresPooledClient,
  postgres,
} from './built-in/postgres.ts'
export { type RedisCheckClient, redis } from './built-in/redis.ts'
export { type SqliteCheckDatabase, sqlite } from './built-in/sqlite.ts'
export type { HealthEndpoints } from './endpoints.ts'
export { createHealth } from './health.ts'
export type { Audience, HealthOptions } from './health-options.ts'
export type { MetricsSource } from './metrics-endpoint.ts'
export type { VersionFunction } from './version-endpoint.ts'
