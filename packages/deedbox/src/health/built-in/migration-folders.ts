import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type AskedDatabase, rowsOf, type SqlDialect } from './asked-database.ts'
import { namesIn, rowsIfAny, scriptsOf } from './migration-reading.ts'
import { compared, type MigrationState } from './migration-state.ts'

/** Where migrations are, and where it is written which of them were applied. */
export interface MigrationFolder {
  /** Its path, from where the process was started, or its URL. */
  readonly folder: string | URL
  readonly table: string
  readonly schema: string | undefined
}

/** The journal of Drizzle's migrations by the moments that it has for them; it writes the same moments into its table. */
export async function drizzleFolder(
  database: AskedDatabase,
  { folder, table, schema }: MigrationFolder,
): Promise<MigrationState> {
  const entries = await scriptsOf(async () => {
    const text = await readFile(join(pathOf(folder), 'meta/_journal.json'), 'utf8')
    const { entries } = JSON.parse(text) as {
      entries: readonly { readonly when: number; readonly tag: string }[]
    }
    return entries.map(({ when, tag }) => ({ when: String(when), tag }))
  })
  // PostgreSQL alone has schemas, and Drizzle one of its own.
  const inSchema = schema ?? (database.dialect === 'postgres' ? 'drizzle' : undefined)
  const sql = `SELECT created_at FROM ${quoted(database.dialect, table, inSchema)} ORDER BY created_at`
  const applied = await namesIn(async () => rowsOf(await database.ask(sql)), 'created_at')
  const tags = new Map(entries.map(({ when, tag }) => [when, tag]))
  const { pending, unknown = [] } = compared([...tags.keys()], applied)
  return {
    pending: pending.map(when => tags.get(when) ?? when),
    unknown: unknown.map(when => `one of ${new Date(Number(when)).toISOString()}`),
  }
}

/** Prisma's folders; its table also has what was begun and never finished. */
export async function prismaFolder(
  database: AskedDatabase,
  { folder, table, schema }: MigrationFolder,
): Promise<MigrationState> {
  const scripts = await scriptsOf(async () => {
    const all = await readdir(pathOf(folder), { withFileTypes: true })
    return all
      .filter(each => each.isDirectory())
      .map(({ name }) => name)
      .sort()
  })
  const sql =
    'SELECT migration_name, finished_at, rolled_back_at ' +
    `FROM ${quoted(database.dialect, table, schema)} ORDER BY started_at`
  const rows = await rowsIfAny(async () => rowsOf(await database.ask(sql)))
  // A migration that was rolled back, or that is begun again, has a row for each attempt.
  const standing = rows.filter(row => row.rolled_back_at === null)
  const named = (isFinished: boolean): string[] =>
    standing.filter(row => (row.finished_at !== null) === isFinished).map(row => String(row.migration_name))
  const failed = new Set(named(false))
  const { pending, unknown } = compared(scripts, named(true))
  return { pending: pending.filter(name => !failed.has(name)), unknown: unknown ?? [], failed: [...failed] }
}

/** The files of node-pg-migrate, which it names without their endings. */
export async function nodePgMigrateFolder(
  database: AskedDatabase,
  { folder, table, schema }: MigrationFolder,
): Promise<MigrationState> {
  const scripts = await fileNames(folder, /\.(?:[cm]?[jt]s|sql)$/)
  const sql = `SELECT name FROM ${quoted(database.dialect, table, schema)} ORDER BY run_on, id`
  const applied = await namesIn(async () => rowsOf(await database.ask(sql)), 'name')
  return compared(
    scripts,
    applied.map(name => name.replace(/\.up$/, '')),
  )
}

/** How the rows of a table say which files of SQL were applied. */
export interface SqlColumns {
  /** Has names, or versions. */
  readonly column: string
  /** Is true of what was applied. */
  readonly ifTrue: string | undefined
}

/**
 * Files of SQL, and a column that has their names, with or without the ending, or the versions that they begin with:
 * `20260101120000` and `1.1` of `V1_1__name.sql` too. Numbers are compared as numbers. A row without a value is of none.
 */
export async function sqlFolder(
  database: AskedDatabase,
  { folder, table, schema }: MigrationFolder,
  { column, ifTrue }: SqlColumns,
): Promise<MigrationState> {
  const scripts = (await fileNames(folder, /\.sql$/i)).filter(name => !unversioned.test(name))
  const { dialect } = database
  const columns = [column, ...(ifTrue === undefined ? [] : [ifTrue])].map(each =>
    quoted(dialect, each, undefined),
  )
  const sql = `SELECT ${columns.join(', ')} FROM ${quoted(dialect, table, schema)} ORDER BY ${columns[0]}`
  const rows = await rowsIfAny(async () => rowsOf(await database.ask(sql)))
  const applied = rows
    .filter(row => ifTrue === undefined || isTrue(row[ifTrue]))
    .map(row => row[column])
    .filter(value => value !== null)
    .map(value => String(value).replace(/(?:\.up)?\.sql$/i, ''))
  const known = new Set(applied.map(comparable))
  const keys = new Map(scripts.map(name => [name, [comparable(name), comparable(versionOf(name))]]))
  const brought = new Set([...keys.values()].flat())
  return {
    pending: scripts.filter(name => !keys.get(name)?.some(key => known.has(key))),
    // Version 0 is what a tool writes when it makes its table.
    unknown: applied.filter(value => !brought.has(comparable(value)) && value !== '0'),
  }
}

/** What Flyway applies beside its versions: what is repeatable, takes back, or begins with a whole state. */
const unversioned = /^(?:R__|[UB][\d._]+__)/

/** What a file's name begins with: `0003` of `0003_users`, `7` of `V7__users`, `1.1` of `V1_1__users`. */
function versionOf(name: string): string {
  const dotted = /^V(\d[\d._]*?)__/.exec(name)?.[1]?.replaceAll('_', '.')
  return dotted ?? /^V?([\d.]+)(?=[_-]|$)/.exec(name)?.[1] ?? name
}

/** Numbers without the zeros before them: a column of integers has 1 of `0001`. */
function comparable(version: string): string {
  return /^\d[\d.]*$/.test(version) ? version.replaceAll(/(?<=^|\.)0+(?=\d)/g, '') : version
}

/** As drivers give truth: also as a number, a bit, or a text. */
function isTrue(value: unknown): boolean {
  const plain: unknown = value instanceof Uint8Array ? value[0] : value
  return /^(?:1|t|true)$/i.test(String(plain))
}

/** The names of the files that go forward, without their endings, in their order. */
function fileNames(folder: string | URL, ending: RegExp): Promise<string[]> {
  return scriptsOf(async () =>
    (await readdir(pathOf(folder)))
      .filter(name => !name.startsWith('.') && !name.endsWith('.d.ts') && ending.test(name))
      .map(name => name.replace(ending, ''))
      .filter(name => !name.endsWith('.down'))
      .map(name => name.replace(/\.up$/, ''))
      .sort(),
  )
}

function quoted(dialect: SqlDialect, name: string, schema: string | undefined): string {
  const mark = dialect === 'mysql' ? '`' : '"'
  return (schema === undefined ? [name] : [schema, name])
    .map(part => mark + part.replaceAll(mark, mark + mark) + mark)
    .join('.')
}

function pathOf(folder: string | URL): string {
  return folder instanceof URL ? fileURLToPath(folder) : folder
}
