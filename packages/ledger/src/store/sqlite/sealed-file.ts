import { closeSync, openSync, readSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { LedgerError } from '../../errors.ts'
import { closeForGood } from './close-for-good.ts'
import { sentenceOf } from './connection.ts'

/** A ledger file that nobody writes to, and that no other process can seal or unseal as long as this one holds it. */
export interface SealedFile {
  /** Lets go of it; it stays closed. */
  release(): void
  /**
   * Makes it a ledger that can be written to again, and lets go of it.
   *
   * @throws LedgerError `storage_failed` when another process reads it, or it cannot be written; it stays closed then
   */
  unseal(): void
}

/**
 * Closes a ledger file and holds it. That it is closed is in the file, so it outlives this process; the hold does not.
 *
 * @throws LedgerError `storage_failed` when another process has the file open, or it cannot be written; `move_conflict`
 *   when another process holds it closed
 */
export function sealFile(path: string): SealedFile {
  closeForGood(path)
  const db = new DatabaseSync(path)
  try {
    // Readers go on beside it; who wants to write, or to change the journal mode, does not get in.
    db.exec('PRAGMA busy_timeout = 500; BEGIN IMMEDIATE')
  } catch (cause) {
    db.close()
    throw new LedgerError(
      'move_conflict',
      `${path} is held by another process: ${sentenceOf(cause)}. If another "deedbox move" is at work on it, let it end.`,
      { cause },
    )
  }
  return {
    release() {
      if (db.isOpen) db.close()
    },
    unseal() {
      try {
        db.exec('ROLLBACK; PRAGMA synchronous = FULL')
        const mode = db.prepare('PRAGMA journal_mode = WAL').get()?.journal_mode
        if (mode !== 'wal') throw new Error(`its journal mode stays ${String(mode)}`)
      } catch (cause) {
        throw new LedgerError(
          'storage_failed',
          `${path} cannot be opened for writing again: ${sentenceOf(cause)}. Stop every process that reads it, and run ` +
            '"deedbox move" with --cancel.',
          { cause },
        )
      } finally {
        db.close()
      }
    },
  }
}

/** Whether a file is one that no ledger opens for writing: its own header says so (SQLite's file format, §1.3). */
export function isSealed(path: string): boolean {
  const header = Buffer.alloc(20)
  const descriptor = openSync(path, 'r')
  try {
    readSync(descriptor, header, 0, header.length, 0)
  } finally {
    closeSync(descriptor)
  }
  return header[18] === 1
}

/**
 * Holds a lock that goes with this process, however it ends.
 *
 * @returns what lets go of it; undefined: another process has it
 */
export function holdLock(path: string): (() => void) | undefined {
  const db = new DatabaseSync(path)
  try {
    db.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE')
    return () => db.close()
  } catch {
    db.close()
    return undefined
  }
}
