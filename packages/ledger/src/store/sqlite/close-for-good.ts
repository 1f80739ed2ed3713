import { DatabaseSync } from 'node:sqlite'
import { LedgerError } from '../../errors.ts'
import { sentenceOf } from './connection.ts'

/** How long other connections may take to let go of the file, in milliseconds. */
const patience = 2_000

/**
 * Turns a ledger into one file that no ledger opens for writing any more: its log is folded in, and the journal mode
 * is no longer the one that a writer insists on. SQLite does it only for the single connection to a file, so this
 * also shows that no other process has it open.
 *
 * @throws LedgerError `storage_failed` when another process has the file open, or it cannot be written
 */
export function closeForGood(path: string): void {
  let mode: unknown
  try {
    const db = new DatabaseSync(path)
    try {
      db.exec(`PRAGMA busy_timeout = ${patience}; PRAGMA synchronous = FULL`)
      mode = db.prepare('PRAGMA journal_mode = DELETE').get()?.journal_mode
    } finally {
      db.close()
    }
  } catch (cause) {
    throw inUse(path, cause)
  }
  if (mode !== 'delete') throw inUse(path, new Error(`its journal mode stays ${String(mode)}`))
}

function inUse(path: string, cause: unknown): LedgerError {
  return new LedgerError(
    'storage_failed',
    `${path} cannot be closed: ${sentenceOf(cause)}. Stop every process that has this ledger open, and try again.`,
    { cause },
  )
}
