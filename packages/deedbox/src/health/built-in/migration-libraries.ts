import { libraryDatabase } from './asked-database.ts'
import { hasMethods } from './handed-over.ts'
import { namesIn, scriptsOf } from './migration-reading.ts'
import { compared, isMissingTable, type MigrationState } from './migration-state.ts'

/**
 * Compares once. Reads alone: creates no table, takes no lock. Rejects where it cannot.
 * @param over aborts when nobody waits any more
 */
export type MigrationReader = (over: AbortSignal) => Promise<MigrationState>

/** What is read of a library's object. Their types differ from version to version; what is used has not. */
interface KnexMigrations {
  readonly migrate: {
    readonly config: {
      readonly migrationSource: {
        getMigrations(extensions: readonly string[]): Promise<readonly unknown[]>
        getMigrationName(migration: unknown): string
      }
      readonly loadExtensions: readonly string[]
      readonly tableName: string
      readonly schemaName?: string | undefined
    }
  }
  withSchema(schema: string): { from(table: string): KnexSelection }
  from(table: string): KnexSelection
}

interface KnexSelection {
  select(column: 'name'): { orderBy(column: 'id'): PromiseLike<readonly { readonly name: string }[]> }
}

interface KyselyMigrator {
  getMigrations(): Promise<readonly { readonly name: string; readonly executedAt?: Date | undefined }[]>
}

interface TypeormSource {
  readonly options: {
    readonly migrationsTableName?: string | undefined
    readonly schema?: string | undefined
    readonly type: string
  }
  readonly migrations: readonly { readonly name?: string | undefined }[]
  readonly driver: { escape(name: string): string }
  query(sql: string): Promise<readonly { readonly name: string }[]>
}

interface UmzugMigrations {
  readonly options: { readonly context?: unknown }
  readonly migrations: (context: unknown) => Promise<readonly { readonly name: string }[]>
  readonly storage: {
    readonly model?: SequelizeModel
    readonly columnName?: string
    executed(given: { readonly context: unknown }): Promise<readonly string[]>
  }
}

interface SequelizeModel {
  findAll(options: object): Promise<readonly Readonly<Record<string, string>>[]>
}

interface MikroOrm {
  readonly config: {
    get(name: 'migrations'): { readonly tableName: string; readonly schema?: string | undefined }
  }
  readonly migrator: { getPending(): Promise<readonly { readonly name: string }[]> }
  readonly em: { getPlatform(): { quoteIdentifier(name: string): string } }
}

/** How the migrations of a library's object are read; `undefined` for what is none. */
export function libraryMigrations(given: object): MigrationReader | undefined {
  if (hasMethods(given, 'raw', 'withUserParams')) return () => knex(given as unknown as KnexMigrations)
  if (hasMethods(given, 'getMigrations', 'migrateToLatest')) return () => kysely(given as KyselyMigrator)
  if (hasMethods(given, 'query', 'initialize', 'createQueryRunner'))
    return () => typeorm(given as TypeormSource)
  if (hasMethods(given, 'pending', 'executed', 'migrations') && 'storage' in given)
    return () => umzug(given as UmzugMigrations)
  if (hasMethods(given, 'checkConnection') && 'em' in given) return () => mikro(given as MikroOrm)
  return undefined
}

/** `migrate.list()` would create its tables. */
async function knex(knex: KnexMigrations): Promise<MigrationState> {
  const { migrationSource, loadExtensions, tableName, schemaName } = knex.migrate.config
  const scripts = await scriptsOf(async () => {
    const all = await migrationSource.getMigrations(loadExtensions)
    return all.map(each => migrationSource.getMigrationName(each))
  })
  const table = schemaName === undefined ? knex.from(tableName) : knex.withSchema(schemaName).from(tableName)
  return compared(scripts, await namesIn(async () => table.select('name').orderBy('id'), 'name'))
}

async function kysely(migrator: KyselyMigrator): Promise<MigrationState> {
  const all = await migrator.getMigrations()
  return { pending: all.filter(({ executedAt }) => executedAt === undefined).map(({ name }) => name) }
}

/** `showMigrations()` would create its table. */
async function typeorm(source: TypeormSource): Promise<MigrationState> {
  const { migrationsTableName = 'migrations', schema, type } = source.options
  const scripts = source.migrations.map(each => each.name ?? each.constructor.name)
  // With MySQL a schema is a database, which the connection has.
  const parts =
    schema === undefined || /mysql|maria/.test(type) ? [migrationsTableName] : [schema, migrationsTableName]
  const table = parts.map(part => source.driver.escape(part)).join('.')
  const [name, id] = ['name', 'id'].map(column => source.driver.escape(column))
  return compared(
    scripts,
    await namesIn(() => source.query(`SELECT ${name} FROM ${table} ORDER BY ${id}`), 'name'),
  )
}

/** `pending()` would create its table, and runs what listens to commands, such as a lock. */
async function umzug({ options, migrations, storage }: UmzugMigrations): Promise<MigrationState> {
  const context: unknown = typeof options.context === 'function' ? await options.context() : options.context
  const scripts = await scriptsOf(async () => (await migrations(context ?? {})).map(({ name }) => name))
  const { model, columnName = 'name' } = storage
  const asked = { attributes: [columnName], order: [[columnName, 'ASC']], raw: true, logging: false }
  const applied =
    model !== undefined && hasMethods(model, 'findAll')
      ? await namesIn(() => model.findAll(asked), columnName)
      : await storage.executed({ context: context ?? {} })
  return compared(scripts, applied)
}

/** What lists migrations creates their table, and the database: it is asked only once both exist. */
async function mikro(orm: MikroOrm): Promise<MigrationState> {
  const { tableName, schema } = orm.config.get('migrations')
  const platform = orm.em.getPlatform()
  const table = [...(schema === undefined ? [] : [schema]), tableName]
    .map(part => platform.quoteIdentifier(part))
    .join('.')
  try {
    await libraryDatabase(orm)?.ask(`SELECT 1 FROM ${table} WHERE 1 = 0`)
  } catch (error) {
    if (!isMissingTable(error)) throw error
    return { pending: [], missingTable: tableName }
  }
  return { pending: (await orm.migrator.getPending()).map(({ name }) => name) }
}
