import type { DatabaseSync } from 'node:sqlite'
import { LedgerError } from '../../errors.ts'
import { CommitOutcomeUnknown, type LedgerStore, type StoreTransaction } from '../store.ts'
import { openForWriting, sentenceOf, sqliteCode } from './connection.ts'
import { SqliteTransaction } from './sqlite-transaction.ts'

// SQLite result codes, https://www.sqlite.org/rescode.html; extended codes carry these in their low byte.
const busy = 5
const ioError = 10
const corrupt = 11
const full = 13

/**
 * The last transaction of this thread on each file. BEGIN IMMEDIATE waits by blocking the thread, so a second one here
 * would wait for a first one that cannot go on: two ledgers of one file, both written in the caller's thread.
 */
const lastInThread = new Map<string, Promise<unknown>>()

function inTurn<T>(path: string, work: () => Promise<T>): Promise<T> {
  const turn = (lastInThread.get(path) ?? Promise.resolve()).then(work)
  const settled = turn.catch(() => undefined)
  lastInThread.set(path, settled)
  void settled.then(() => {
    if (lastInThread.get(path) === settled) lastInThread.delete(path)
  })
  return turn
}

/**
 * The write side of a ledger file. One instance belongs to one thread; any number of threads and processes may
 * have the same file open.
 *
 * @throws LedgerError `not_a_ledger`, `schema_too_new`, `storage_failed`
 */
export function openSqliteStore(path: string): LedgerStore {
  let db = openForWriting(path)
  let tx = new SqliteTransaction(db)
  let open = true
  return {
    transaction: <T>(work: (tx: StoreTransaction) => Promise<T> | T): Promise<T> =>
      inTurn(path, async () => {
        if (!open) throw new LedgerError('storage_failed', 'The database is not open.')
        begin(db)
        let result: T
        try {
          result = await work(tx)
        } catch (error) {
          rollback(db)
          throw translated(error)
        }
        try {
          db.exec('COMMIT')
        } catch (error) {
          rollback(db)
          throw new CommitOutcomeUnknown(translated(error))
        }
        return result
      }),
    async reopen() {
      // Closed first, since a second connection beside a broken one proves nothing. Opening may fail, and be tried again.
      if (open) db.close()
      open = false
      db = openForWriting(path)
      open = true
      tx = new SqliteTransaction(db)
    },
    async close() {
      if (open) db.close()
      open = false
    },
  }
}

/** IMMEDIATE takes the write lock before the first read: what is read inside cannot be outdated at the commit. */
function begin(db: DatabaseSync): void {
  try {
    db.exec('BEGIN IMMEDIATE')
  } catch (error) {
    throw translated(error)
  }
}

function rollback(db: DatabaseSync): void {
  try {
    db.exec('ROLLBACK')
  } catch {
    // After some failures SQLite has rolled back by itself and says that no transaction is active.
  }
}

function translated(error: unknown): unknown {
  const code = sqliteCode(error)
  if (code === undefined) return error
  if (code === busy) {
    return new LedgerError('overloaded', 'The database is locked by another process. Try again.', {
      cause: error,
    })
  }
  if (code === full) {
    return new LedgerError('storage_full', 'The disk is full. Free some space and send the event again.', {
      cause: error,
    })
  }
  if (code === ioError || code === corrupt) {
    return new LedgerError('storage_failed', `The database failed: ${sentenceOf(error)}.`, { cause: error })
  }
  return error
}
