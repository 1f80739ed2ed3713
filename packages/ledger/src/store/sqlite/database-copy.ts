import { closeSync, openSync } from 'node:fs'
// As a whole: before Node 22.16 there is no `backup` in it, and a named import of it would not even link.
import * as sqlite from 'node:sqlite'
import { LedgerError } from '../../errors.ts'
import { openForReading, sentenceOf, sqliteCode } from './connection.ts'
import { isSealed, useLog } from './sealed-file.ts'

/** SQLite result code, https://www.sqlite.org/rescode.html */
const full = 13

/** Pages between two looks at the clock: 8 MB. */
const pagesAtOnce = 1_024

type PageCopy = typeof sqlite.backup

const pageCopy = (sqlite.backup as PageCopy | undefined) ?? null

/**
 * Copies a ledger file while other processes write to it. The copy is one committed state, with everything that is
 * still in SQLite's log; only its owner can read it. It is synced.
 *
 * @param target must not exist
 * @param onProgress how many pages are copied; not called where Node has no page-wise copy
 * @param copyPages Node's page-wise copy; null where there is none: then SQLite writes the copy in one go
 * @throws LedgerError `not_a_ledger`, `schema_too_new`, `storage_full`, `storage_failed`
 */
export async function copyDatabase(
  path: string,
  target: string,
  onProgress: (done: number, pages: number) => void,
  copyPages: PageCopy | null = pageCopy,
): Promise<void> {
  const source = openForReading(path)
  try {
    closeSync(openSync(target, 'wx', 0o600))
    if (copyPages === null) {
      // The connection stays one that can only read; the setting would forbid writing the copy too.
      source.exec('PRAGMA query_only = OFF')
      source.prepare('VACUUM INTO ?').run(target)
    } else await copySnapshot(source, target, copyPages, onProgress)
    // A copy of a closed ledger is one too: opened for writing, it would be a second history.
    // Asked last: to close a descriptor of a file gives up this process's locks on it.
    if (!isSealed(path)) useLog(target)
  } catch (cause) {
    const isFull = sqliteCode(cause) === full || (cause as NodeJS.ErrnoException).code === 'ENOSPC'
    throw new LedgerError(
      isFull ? 'storage_full' : 'storage_failed',
      `${path} cannot be copied to ${target}: ${sentenceOf(cause)}.`,
      { cause },
    )
  } finally {
    source.close()
  }
}

/** The open read transaction is the snapshot: without it each commit of another process would start the copy anew. */
async function copySnapshot(
  source: sqlite.DatabaseSync,
  target: string,
  copyPages: PageCopy,
  onProgress: (done: number, pages: number) => void,
): Promise<void> {
  source.exec('BEGIN')
  source.prepare('SELECT count(*) FROM sqlite_schema').get()
  try {
    await copyPages(source, target, {
      rate: pagesAtOnce,
      progress: ({ totalPages, remainingPages }) => onProgress(totalPages - remainingPages, totalPages),
    })
  } finally {
    source.exec('COMMIT')
  }
}
