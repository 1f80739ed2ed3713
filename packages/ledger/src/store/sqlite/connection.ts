import { closeSync, existsSync, openSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { LedgerError } from '../../errors.ts'
import { applicationId, createTables, migrations, schemaVersion } from './schema.ts'
import { schemaDifferences } from './schema-check.ts'

// SQLite result codes, https://www.sqlite.org/rescode.html
const readOnlyFile = 8
const cannotOpen = 14
const notADatabase = 26

/** How long a transaction waits for another process's before it gives up, in milliseconds. */
const busyTimeout = 10_000

/**
 * Opens the writing connection of a ledger file, and makes the file if it does not exist.
 *
 * @throws LedgerError `not_a_ledger`, `schema_too_new`, `edge_damaged` when its tables, indexes or triggers are not
 *   those of a ledger, `storage_failed`
 */
export function openForWriting(path: string): DatabaseSync {
  // SQLite gives its log the mode of the file; payloads are nobody else's business.
  try {
    if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600))
  } catch (cause) {
    throw new LedgerError('storage_failed', `The file ${path} cannot be made: ${sentenceOf(cause)}.`, {
      cause,
    })
  }
  const db = connect(path, path, false)
  try {
    if (isBlank(db, path)) {
      // These three are laid down with the first page and cannot be changed afterwards without a full rewrite. A
      // process that was killed between that page and the journal mode leaves a blank file that is not empty.
      db.exec('PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL')
    }
    createUnlessThere(db, path)
    checkSchema(db, path)
    applySettings(db)
    migrate(db)
    return db
  } catch (error) {
    db.close()
    throw asLedgerError(error, path)
  }
}

/**
 * Opens a connection that can only read. The file must be a ledger; it may lie on a medium that cannot be written.
 *
 * @throws LedgerError `not_a_ledger`, `schema_too_new`, `storage_failed`
 */
export function openForReading(path: string): DatabaseSync {
  if (!existsSync(path)) {
    throw new LedgerError('not_a_ledger', `There is no ledger at ${path}.`)
  }
  try {
    return openIdentified(path, path)
  } catch (error) {
    if (!wantsToWrite(error)) throw error
    if (hasLog(path)) {
      throw new LedgerError(
        'storage_failed',
        `${path} and the ${path}-wal beside it can only be read together where SQLite may write. ` +
          'Copy both into a folder of yours and name the copy.',
        { cause: error },
      )
    }
    // To read a file in WAL mode SQLite makes files beside it, unless it is told that nobody can change it.
    const url = pathToFileURL(resolve(path))
    url.searchParams.set('immutable', '1')
    return openIdentified(url, path)
  }
}

function openIdentified(location: string | URL, path: string): DatabaseSync {
  const db = connect(location, path, true)
  try {
    checkIdentity(db, path)
    db.exec('PRAGMA query_only = ON; PRAGMA cache_size = -8000')
    return db
  } catch (error) {
    db.close()
    throw asLedgerError(error, path)
  }
}

function asLedgerError(error: unknown, path: string): LedgerError {
  if (error instanceof LedgerError) return error
  return new LedgerError('storage_failed', `The file ${path} cannot be used: ${sentenceOf(error)}.`, {
    cause: error,
  })
}

/** Whether SQLite failed because it cannot write or make a file here. */
function wantsToWrite(error: unknown): boolean {
  const code = sqliteCode((error as { cause?: unknown }).cause)
  return code === readOnlyFile || code === cannotOpen
}

/** An empty one holds nothing that reading the file alone would miss. */
function hasLog(path: string): boolean {
  return (statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0
}

function connect(location: string | URL, path: string, readOnly: boolean): DatabaseSync {
  try {
    const db = new DatabaseSync(location, { readOnly })
    db.exec(`PRAGMA busy_timeout = ${busyTimeout}`)
    return db
  } catch (cause) {
    throw new LedgerError('storage_failed', `The file ${path} cannot be opened: ${sentenceOf(cause)}.`, {
      cause,
    })
  }
}

/** Nobody's file yet: neither a ledger nor another program's database. */
function isBlank(db: DatabaseSync, path: string): boolean {
  return pragma(db, 'application_id', path) === 0 && tableCount(db) === 0
}

function createUnlessThere(db: DatabaseSync, path: string): void {
  if (!isBlank(db, path)) {
    checkIdentity(db, path)
    return
  }
  db.exec('BEGIN IMMEDIATE')
  try {
    // Another process may have been first while this one waited for the lock.
    if (tableCount(db) === 0) {
      db.exec(createTables())
      db.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${schemaVersion}`)
    }
    db.exec('COMMIT')
  } catch (error) {
    db.exec('ROLLBACK')
    throw error
  }
}

/** Brings a sound file of an earlier schema to this one, in one transaction; whoever comes second finds it done. */
function migrate(db: DatabaseSync): void {
  const version = () => Number(readPragma(db, 'user_version'))
  if (version() === schemaVersion) return
  db.exec('BEGIN IMMEDIATE')
  try {
    for (let from = version(); from < schemaVersion; from++) db.exec(migrations[from] ?? '')
    db.exec(`PRAGMA user_version = ${schemaVersion}`)
    db.exec('COMMIT')
  } catch (error) {
    db.exec('ROLLBACK')
    throw error
  }
}

/** Nothing is written through a trigger or into an index that somebody else put there. */
function checkSchema(db: DatabaseSync, path: string): void {
  const [first] = schemaDifferences(db)
  if (first === undefined) return
  throw new LedgerError(
    'edge_damaged',
    `The tables of ${path} are not those of a ledger. ${first.detail} Nothing is written into it: ` +
      'find out who changed it, run "deedbox verify --data …", move the file away and put a backup back with ' +
      '"deedbox restore <backup> --data …".',
  )
}

function checkIdentity(db: DatabaseSync, path: string): void {
  if (pragma(db, 'application_id', path) !== applicationId) {
    throw new LedgerError('not_a_ledger', `The file ${path} is not a Deedbox ledger. Name another file.`)
  }
  const version = pragma(db, 'user_version', path)
  if (version > schemaVersion) {
    throw new LedgerError(
      'schema_too_new',
      `The ledger ${path} has schema ${version}; this program knows up to ${schemaVersion}. Use a newer Deedbox.`,
    )
  }
}

/**
 * Durable at each commit (FULL syncs the log before the commit returns), deleted content overwritten. Read back,
 * because a setting that silently did not take would be a promise that nobody keeps (pitfall P25).
 */
function applySettings(db: DatabaseSync): void {
  db.exec(`
    PRAGMA synchronous = FULL;
    PRAGMA fullfsync = ON;
    PRAGMA checkpoint_fullfsync = ON;
    PRAGMA secure_delete = ON;
    PRAGMA foreign_keys = ON;
    PRAGMA cache_size = -16000;
    PRAGMA journal_size_limit = 67108864;
    PRAGMA wal_autocheckpoint = 4000;
  `)
  const wanted = { journal_mode: 'wal', synchronous: 2, secure_delete: 1, auto_vacuum: 2 }
  for (const [name, value] of Object.entries(wanted)) {
    const actual = readPragma(db, name)
    if (name === 'journal_mode' && actual === 'delete') {
      throw new LedgerError(
        'storage_failed',
        'This ledger is closed: "deedbox recover" did it, or another program changed its journal mode. It can be read ' +
          'and verified; to go on writing, run "deedbox recover" again or put a backup back with "deedbox restore".',
      )
    }
    if (actual !== value) {
      throw new LedgerError(
        'storage_failed',
        `SQLite did not take the setting ${name} = ${value} (it is ${actual}). The file system may not support it.`,
      )
    }
  }
}

function tableCount(db: DatabaseSync): number {
  return Number(db.prepare('SELECT count(*) AS n FROM sqlite_schema').get()?.n ?? 0)
}

function pragma(db: DatabaseSync, name: string, path: string): number {
  try {
    return Number(readPragma(db, name))
  } catch (cause) {
    if (sqliteCode(cause) === notADatabase) {
      throw new LedgerError(
        'not_a_ledger',
        `The file ${path} is not a Deedbox ledger: ${sentenceOf(cause)}.`,
        {
          cause,
        },
      )
    }
    throw new LedgerError('storage_failed', `The file ${path} cannot be read: ${sentenceOf(cause)}.`, {
      cause,
    })
  }
}

/** The primary result code of an error of SQLite (https://www.sqlite.org/rescode.html), else undefined. */
export function sqliteCode(error: unknown): number | undefined {
  const code = (error as { errcode?: unknown } | null | undefined)?.errcode
  return typeof code === 'number' ? code & 0xff : undefined
}

/** A setting as SQLite reports it. */
function readPragma(db: DatabaseSync, name: string): string | number {
  const row = db.prepare(`PRAGMA ${name}`).get()
  return Object.values(row ?? {})[0] as string | number
}

/** What SQLite or the system said, without a trailing full stop. */
export function sentenceOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/\.$/, '')
}
