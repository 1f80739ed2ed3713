import { closeSync, openSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { ConfigurationError } from '../safety/index.ts'

/** What is bound to a parameter of a statement. */
export type SqliteValue = string | number | null

/** What is needed of a statement of `node:sqlite` or `better-sqlite3`. */
export interface SqliteStatement {
  run(...values: SqliteValue[]): { readonly changes: number | bigint }
  all(...values: SqliteValue[]): unknown[]
}

/** What is needed of a database of `node:sqlite` or `better-sqlite3`. */
export interface SqliteConnection {
  exec(sql: string): unknown
  prepare(sql: string): SqliteStatement
  close(): unknown
}

/** Where the rows of a chest are: a file that is opened when it is needed, or a database that the caller has open. */
export type SqlitePlace = { readonly file: string } | { readonly database: SqliteConnection }

/** In memory; each connection has one of its own. */
const inMemory = ':memory:'

/**
 * Reads what a chest was told about its place: a path, `sqlite:` before a path, a file URL or an open database.
 * @throws ConfigurationError
 */
export function sqlitePlace(setting: string, given: unknown): SqlitePlace {
  if (given instanceof URL) return sqlitePlace(setting, given.href)
  if (isDatabase(given)) return { database: given }
  if (typeof given !== 'string' || given === '' || given.includes('\0'))
    throw new ConfigurationError(
      setting,
      'a path, a URL, a DatabaseSync of node:sqlite or a Database of better-sqlite3 is needed.',
    )
  if (given === inMemory) return { file: inMemory }
  if (/^file:/i.test(given)) return { file: pathOf(setting, given) }
  const [, path = given] = /^sqlite:(.*)$/is.exec(given) ?? []
  // Some read three slashes as a path from the root, others as one from the working folder.
  if (path !== given && (path === '' || path.startsWith('//')))
    throw new ConfigurationError(
      setting,
      'write sqlite:vars.db for a file in the working folder, and sqlite:/data/vars.db for one from the root.',
    )
  return { file: path === inMemory ? inMemory : resolve(path === given ? path : decoded(setting, path)) }
}

function pathOf(setting: string, url: string): string {
  try {
    // Without a slash SQLite takes it for a file in the working folder, and Node for one from the root.
    if (/^file:\//i.test(url)) return fileURLToPath(url)
  } catch {
    // Told below.
  }
  throw new ConfigurationError(setting, 'a file URL is needed, as file:///data/vars.db.')
}

function decoded(setting: string, path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    throw new ConfigurationError(setting, 'a % in a URL is written as %25.')
  }
}

function isDatabase(thing: unknown): thing is SqliteConnection {
  const { exec, prepare } = Object(thing) as Record<string, unknown>
  return typeof exec === 'function' && typeof prepare === 'function'
}

/** The file of a place; `undefined` where it is in memory, or cannot be known. */
export function fileOf(place: SqlitePlace): string | undefined {
  if ('file' in place) return place.file === inMemory ? undefined : place.file
  try {
    const rows = place.database.prepare('PRAGMA database_list').all() as {
      name: string
      file: string | null
    }[]
    return rows.find(({ name }) => name === 'main')?.file || undefined
  } catch {
    return undefined
  }
}

/**
 * Opens a file for writing, and makes it where there is none. It never waits for a lock, since the whole process would.
 * @returns the connection, and what the file was before it was opened; `undefined` where this Node has no SQLite
 */
export function openFile(
  file: string,
): { readonly database: SqliteConnection; readonly was: string | undefined } | undefined {
  // Loaded where it is needed: Node 22 calls it experimental, and need not tell that to services without such a chest.
  const sqlite = process.getBuiltinModule('node:sqlite')
  if (sqlite === undefined) return undefined
  if (file !== inMemory) makeFile(file)
  const was = file === inMemory ? undefined : identityOf(file)
  const database = new sqlite.DatabaseSync(file)
  try {
    database.exec('PRAGMA busy_timeout = 0; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
    return { database, was }
  } catch (error) {
    database.close()
    throw error
  }
}

/** Opens a file in which nothing is to be changed. @returns `undefined` where this Node has no SQLite */
export function openToRead(file: string): SqliteConnection | undefined {
  const sqlite = process.getBuiltinModule('node:sqlite')
  return sqlite && new sqlite.DatabaseSync(file, { readOnly: true })
}

/** What tells a file from another one that came into its place; `undefined` where none can be seen. */
export function identityOf(file: string): string | undefined {
  try {
    const { dev, ino } = statSync(file, { bigint: true })
    return `${dev}:${ino}`
  } catch {
    return undefined
  }
}

/** Makes an empty file that only its owner may read, as SQLite makes those beside it then, too. */
function makeFile(file: string): void {
  try {
    // One that is there must not be opened: with its descriptor, the locks of other connections of this process would go.
    closeSync(openSync(file, 'wx', 0o600))
  } catch {
    // It is there, or SQLite says why it cannot be.
  }
}

/**
 * What an error means. `busy`: somebody else is at work, for now. `refused`: these values will never be stored. `other`: the
 * place is not as it should be. Result codes: https://www.sqlite.org/rescode.html
 */
export function kindOf(error: unknown): 'busy' | 'refused' | 'other' {
  if (!(error instanceof Error)) return 'other'
  const { code, errcode } = error as { readonly code?: unknown; readonly errcode?: unknown }
  const names = { BUSY: 5, LOCKED: 6, TOOBIG: 18, CONSTRAINT: 19, MISMATCH: 20 }
  const [, name = ''] = /^SQLITE_([A-Z]+)/.exec(String(code)) ?? []
  const result = typeof errcode === 'number' ? errcode & 0xff : names[name as keyof typeof names]
  if (result === 5 || result === 6 || error.message.includes('within a transaction')) return 'busy'
  return result !== undefined && result >= 18 && result <= 20 ? 'refused' : 'other'
}

/**
 * Does something in a transaction of its own.
 * @throws what SQLite says where somebody else writes, or the caller of an open database is in a transaction
 */
export function inTransaction<Result>(database: SqliteConnection, work: () => Result): Result {
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = work()
    database.exec('COMMIT')
    return result
  } catch (error) {
    try {
      database.exec('ROLLBACK')
    } catch {
      // Some errors, a full disk for one, have rolled it back already.
    }
    throw error
  }
}
