import { randomUUID } from 'node:crypto'
import type { ContextEntry, EntryFilter, StoredEntry } from '../tracking/index.ts'
import { entryOf } from './sql-row.ts'
import { inTransaction, type SqliteConnection, type SqliteValue } from './sqlite-connection.ts'
import { storableText, storedValue } from './stored-value.ts'

/** The columns of Flask-Chest, in whose tables rows of ours stand beside its own. (FC-22) */
const originalColumns = ['unique_id', 'request_id', 'name', 'value']

/** What this package adds. No column has a default or may not be null: Flask-Chest still writes without them. */
const ownColumns = {
  type: 'TEXT',
  created_at: 'INTEGER',
  entry_id: 'TEXT',
  route: 'TEXT',
  method: 'TEXT',
  status: 'INTEGER',
  error: 'TEXT',
  service: 'TEXT',
  env: 'TEXT',
  tags: 'TEXT',
}

/** Who may empty which table, and what tells its rows from those of other files. */
const chestsTable = `CREATE TABLE IF NOT EXISTS deedbox_chests (
  chest TEXT PRIMARY KEY,
  place TEXT NOT NULL,
  adopted_at INTEGER NOT NULL,
  adopted_key INTEGER NOT NULL DEFAULT 0,
  holder TEXT,
  held_from INTEGER,
  held_until INTEGER
)`

const written = ['request_id', 'name', 'value', ...Object.keys(ownColumns)]

interface Row {
  readonly unique_id: number | bigint
  readonly request_id: unknown
  readonly name: unknown
  readonly value: unknown
  readonly type: unknown
  readonly created_at: number | bigint | null
  readonly entry_id: string | null
  readonly route: string | null
  readonly method: string | null
  readonly status: number | bigint | null
  readonly error: string | null
  readonly service: string | null
  readonly env: string | null
  readonly tags: string | null
}

/** One table of one open database, migrated. Its methods are not transactions of their own. */
export class SqliteTable {
  readonly #database: SqliteConnection
  readonly #name: string
  readonly #place: string
  /** Microseconds since 1970: what is taken for the time of rows that have none. */
  readonly #adoptedAt: number
  readonly #insert: ReturnType<SqliteConnection['prepare']>
  readonly #delete: ReturnType<SqliteConnection['prepare']>

  /**
   * Creates the table, or adds the columns that it lacks.
   * @param name checked before
   * @throws Error for a table that is another program's, and what SQLite says
   */
  constructor(database: SqliteConnection, name: string) {
    this.#database = database
    this.#name = name
    const known = knownPlace(database, name) ?? migrated(database, name)
    this.#place = known.place
    this.#adoptedAt = Number(known.adopted_at)
    this.#insert = database.prepare(
      `INSERT INTO "${name}" (${written.join(', ')}) VALUES (${written.map(() => '?').join(', ')})
ON CONFLICT (entry_id) WHERE entry_id IS NOT NULL DO NOTHING`,
    )
    this.#delete = database.prepare(`DELETE FROM "${name}" WHERE unique_id = ?`)
  }

  insert(entries: readonly ContextEntry[], tags: string): void {
    for (const entry of entries) this.#insert.run(...columnsOf(entry, tags))
  }

  /** Returns how many were there. */
  remove(keys: readonly (string | number)[]): number {
    return keys.reduce<number>((sum, key) => sum + Number(this.#delete.run(key).changes), 0)
  }

  /** The newest that fit, oldest first. */
  find(filter: EntryFilter, limit: number): StoredEntry[] {
    return this.#read(...newest(filter, limit)).reverse()
  }

  oldest(limit: number): StoredEntry[] {
    return this.#read(' ORDER BY unique_id LIMIT ?', [limit])
  }

  count(): number {
    const [row] = this.#database.prepare(`SELECT COUNT(*) AS count FROM "${this.#name}"`).all()
    return Number((row as { count: unknown }).count)
  }

  /** Makes that {@link expire} need not look at all rows. */
  indexTimes(): void {
    this.#database.exec(
      `CREATE INDEX IF NOT EXISTS "${this.#name}_created_at" ON "${this.#name}" (created_at)`,
    )
  }

  /**
   * Deletes rows whose time is before another one, a portion of them. Rows without a time, which come first in the index,
   * are as old as the migration if they were there then; those that Flask-Chest wrote since are of nobody knows when.
   * @param before microseconds since 1970
   */
  expire(before: number, portion: number): number {
    const adopted = '(SELECT adopted_key FROM deedbox_chests WHERE chest = ? AND adopted_at < ?)'
    const isOld = `created_at < ? OR (created_at IS NULL AND unique_id <= ${adopted})`
    const statement = this.#database.prepare(
      `DELETE FROM "${this.#name}" WHERE unique_id IN (SELECT unique_id FROM "${this.#name}" WHERE ${isOld} LIMIT ?)`,
    )
    return Number(statement.run(before, this.#name, before, portion).changes)
  }

  /** Takes the right to empty this table. One that begins later than now is of a clock that was set back since. */
  lease(holder: string, now: number, until: number): boolean {
    const statement = this.#database.prepare(
      `UPDATE deedbox_chests SET holder = ?, held_from = ?, held_until = ?
WHERE chest = ? AND (holder IS NULL OR holder = ? OR held_from > ? OR held_until <= ?)`,
    )
    return Number(statement.run(holder, now, until, this.#name, holder, now, now).changes) > 0
  }

  release(holder: string): void {
    this.#database
      .prepare('UPDATE deedbox_chests SET holder = NULL WHERE chest = ? AND holder = ?')
      .run(this.#name, holder)
  }

  holder(): string | undefined {
    const [row] = this.#database.prepare('SELECT holder FROM deedbox_chests WHERE chest = ?').all(this.#name)
    return (row as { readonly holder: string | null } | undefined)?.holder ?? undefined
  }

  #read(tail: string, values: SqliteValue[]): StoredEntry[] {
    const rows = this.#database
      .prepare(`SELECT unique_id, ${written.join(', ')} FROM "${this.#name}"${tail}`)
      .all(...values) as Row[]
    return rows.map(row => entryOfRow(row, this.#place, this.#adoptedAt))
  }
}

/**
 * The newest entries that fit, oldest of them first, of a table that may lack all that this package adds; nothing is changed.
 * @param name checked before
 * @throws Error for a table that is not there, or another program's, and what SQLite says
 */
export function lookInto(
  database: SqliteConnection,
  name: string,
  filter: EntryFilter,
  limit: number,
): StoredEntry[] {
  const there = columnsIn(database, name)
  if (!originalColumns.every(column => there.includes(column))) {
    const tables = database
      .prepare("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'")
      .all() as { readonly name: string }[]
    const names = tables.map(table => table.name).join(', ')
    throw new Error(`there is no table ${name} of tracked variables. There are: ${names || 'none'}`)
  }
  const hasPlaces = columnsIn(database, 'deedbox_chests').length > 0
  const [known] = hasPlaces
    ? (database
        .prepare('SELECT place, adopted_at FROM deedbox_chests WHERE chest = ?')
        .all(name) as KnownPlace[])
    : []
  const columns = written.map(column => (there.includes(column) ? column : `NULL AS ${column}`))
  const [tail, values] = newest(filter, limit)
  const rows = database
    .prepare(`SELECT unique_id, ${columns.join(', ')} FROM "${name}"${tail}`)
    .all(...values) as Row[]
  const adoptedAt = known === undefined ? Date.now() * 1_000 : Number(known.adopted_at)
  return rows.map(row => entryOfRow(row, known?.place ?? '', adoptedAt)).reverse()
}

/** The end of a statement that reads the newest entries that fit, newest first, and what is bound to it. */
function newest({ requestId, name }: EntryFilter, limit: number): [tail: string, values: SqliteValue[]] {
  const conditions: string[] = []
  const values: SqliteValue[] = []
  if (requestId !== undefined) conditions.push('request_id = ?')
  if (name !== undefined) conditions.push('name = ?')
  for (const text of [requestId, name]) if (text !== undefined) values.push(storableText(text))
  const where = conditions.length === 0 ? '' : ` WHERE ${conditions.join(' AND ')}`
  return [`${where} ORDER BY unique_id DESC LIMIT ?`, [...values, limit]]
}

/** @param adoptedAt microseconds since 1970: what is taken for the time of rows that have none */
function entryOfRow(row: Row, place: string, adoptedAt: number): StoredEntry {
  const { unique_id, request_id, name, value, type, created_at, status } = row
  const texts = {
    unique_id: String(unique_id),
    request_id: textOf(request_id),
    name: textOf(name),
    value: textOf(value),
    type: textOf(type),
    created_at: textOf(created_at),
    status: textOf(status),
  }
  return entryOf({ ...row, ...texts }, { place, adoptedAt })
}

function columnsOf(
  { id, requestId, name, value, timestamp, record }: ContextEntry,
  own: string,
): SqliteValue[] {
  const { type, text } = storedValue(value)
  const { route, method, status, error, service, env, tags } = record
  return [
    storableText(requestId),
    storableText(name),
    text,
    type,
    timestamp,
    id,
    storableOrNull(route),
    method,
    status,
    storableOrNull(error),
    service,
    env,
    tags === undefined ? own : JSON.stringify({ ...tags, ...JSON.parse(own) }),
  ]
}

function storableOrNull(text: string | null): string | null {
  return text === null ? null : storableText(text)
}

/** Other programs may have written anything. */
function textOf(column: unknown): string | null {
  if (column === null) return null
  return column instanceof Uint8Array ? Buffer.from(column).toString() : String(column)
}

interface KnownPlace {
  readonly place: string
  readonly adopted_at: number | bigint
}

/** What is known of a table that needs no migration. */
function knownPlace(database: SqliteConnection, name: string): KnownPlace | undefined {
  if (!written.every(column => columnsIn(database, name).includes(column))) return undefined
  if (!columnsIn(database, 'deedbox_chests').includes('adopted_key')) return undefined
  const [row] = database.prepare('SELECT place, adopted_at FROM deedbox_chests WHERE chest = ?').all(name)
  return row as KnownPlace | undefined
}

function columnsIn(database: SqliteConnection, table: string): string[] {
  return (database.prepare(`PRAGMA table_info("${table}")`).all() as { name: string }[]).map(
    column => column.name,
  )
}

function migrated(database: SqliteConnection, name: string): KnownPlace {
  return inTransaction(database, () => {
    const there = columnsIn(database, name)
    if (there.length === 0) {
      const own = Object.entries(ownColumns).map(([column, type]) => `, ${column} ${type}`)
      database.exec(`CREATE TABLE "${name}" (
  unique_id INTEGER PRIMARY KEY AUTOINCREMENT, request_id TEXT, name TEXT, value TEXT${own.join('')}
);
CREATE INDEX "${name}_request_id" ON "${name}" (request_id)`)
    } else {
      const missing = originalColumns.filter(column => !there.includes(column))
      if (missing.length > 0)
        throw new Error(`the table ${name} is another program's: it has no column ${missing.join(', ')}`)
      for (const [column, type] of Object.entries(ownColumns))
        if (!there.includes(column)) database.exec(`ALTER TABLE "${name}" ADD COLUMN ${column} ${type}`)
    }
    database.exec(
      `CREATE UNIQUE INDEX IF NOT EXISTS "${name}_entry_id" ON "${name}" (entry_id) WHERE entry_id IS NOT NULL`,
    )
    database.exec(chestsTable)
    if (!columnsIn(database, 'deedbox_chests').includes('adopted_key'))
      database.exec('ALTER TABLE deedbox_chests ADD COLUMN adopted_key INTEGER NOT NULL DEFAULT 0')
    // A table without these columns is not the one that was adopted under its name, or nothing was.
    const again = there.includes('entry_id')
      ? 'NOTHING'
      : 'UPDATE SET place = excluded.place, adopted_at = excluded.adopted_at, adopted_key = excluded.adopted_key'
    database
      .prepare(
        `INSERT INTO deedbox_chests (chest, place, adopted_at, adopted_key) VALUES (?, ?, ?, ?)
ON CONFLICT (chest) DO ${again}`,
      )
      .run(name, randomUUID(), Date.now() * 1_000, largestKey(database, name))
    const [row] = database.prepare('SELECT place, adopted_at FROM deedbox_chests WHERE chest = ?').all(name)
    return row as KnownPlace
  })
}

/** The key that no row gets any more, and those below it; 0 where the keys of deleted rows are given again. */
function largestKey(database: SqliteConnection, name: string): number {
  const [table] = database.prepare('SELECT sql FROM sqlite_master WHERE lower(name) = lower(?)').all(name)
  if (!/\bautoincrement\b/i.test(String(Reflect.get(Object(table), 'sql')))) return 0
  const [row] = database.prepare(`SELECT MAX(unique_id) AS largest FROM "${name}"`).all()
  return Number(Reflect.get(Object(row), 'largest') ?? 0)
}
