import { closeSync, openSync, readSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { LedgerError } from '../../errors.ts'
import { sentenceOf } from './connection.ts'

/**
 * Makes a closed ledger file one that can be written to again.
 *
 * @throws LedgerError `storage_failed` when another process reads it, or it cannot be written; it stays closed then
 */
export function unsealFile(path: string): void {
  try {
    useLog(path)
    if (!isSealed(path)) return
  } catch (cause) {
    throw cannotUnseal(path, sentenceOf(cause), cause)
  }
  throw cannotUnseal(path, 'its journal mode stays')
}

function cannotUnseal(path: string, why: string, cause?: unknown): LedgerError {
  return new LedgerError(
    'storage_failed',
    `${path} cannot be opened for writing again: ${why}. Stop every process that reads it, and run "deedbox move" ` +
      'with --cancel.',
    { cause },
  )
}

/** Makes a file one that a ledger opens for writing: in this mode only, and the file itself remembers it. */
export function useLog(path: string): void {
  const db = new DatabaseSync(path)
  try {
    db.exec('PRAGMA synchronous = FULL; PRAGMA journal_mode = WAL')
  } finally {
    db.close()
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
 * @param path a file of its own: a process that closes any other descriptor of a file loses its locks on it (POSIX)
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
