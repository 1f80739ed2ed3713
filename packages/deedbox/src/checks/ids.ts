/** The ids of Dockerflow's built-in checks; other checks of this package have ids of their own prefix. (DF-24) */
export const dockerflowIds: Readonly<
  Record<
    | 'cannotCheckMigrations'
    | 'unappliedMigration'
    | 'cannotConnectDatabase'
    | 'unusableDatabase'
    | 'misconfiguredDatabase'
    | 'cannotConnectRedis'
    | 'missingRedisClient'
    | 'misconfiguredRedis'
    | 'redisPingFailed'
    | 'databaseDriverError'
    | 'databaseLibraryError'
    | 'redisError',
    string
  >
> = {
  cannotCheckMigrations: 'dockerflow.health.I001',
  unappliedMigration: 'dockerflow.health.W001',
  cannotConnectDatabase: 'dockerflow.health.E001',
  unusableDatabase: 'dockerflow.health.E002',
  misconfiguredDatabase: 'dockerflow.health.E003',
  cannotConnectRedis: 'dockerflow.health.E004',
  missingRedisClient: 'dockerflow.health.E005',
  misconfiguredRedis: 'dockerflow.health.E006',
  redisPingFailed: 'dockerflow.health.E007',
  databaseDriverError: 'dockerflow.health.E008',
  databaseLibraryError: 'dockerflow.health.E009',
  redisError: 'dockerflow.health.E010',
}
