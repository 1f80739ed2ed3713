import { existsSync, rmSync, statSync } from 'node:fs'
import { LedgerError } from '../errors.ts'
import { type HeadRow, type LedgerRow, openSqliteReader, sentenceOf } from '../store/index.ts'
import { type DataReport, verifyData } from '../verification/index.ts'

/** A ledger of a file that was re-read in full and found sound. */
export interface SoundLedger {
  row: LedgerRow
  head: HeadRow
  /** ISO 8601 in UTC, of the newest entry; null without one. */
  newestAt: string | null
}

/** What to compare with, by ledger: notes of checkpoints that its entries have to extend. */
export type KeptCheckpoints = (ledger: LedgerRow) => { kept?: string; guard?: string }

/**
 * Verifies every ledger of a file that nobody writes to.
 *
 * @param onProgress how many entries of how many are re-read
 * @throws LedgerError `not_verified` with the first finding, and what the file cannot be opened for
 */
export function soundLedgers(
  database: string,
  keptCheckpoints: KeptCheckpoints,
  onProgress: (done: number, entries: number) => void,
): SoundLedger[] {
  const reader = openSqliteReader(database)
  try {
    const ledgers = reader.ledgers()
    if (ledgers.length === 0) throw new LedgerError('not_verified', `${database} holds no ledger.`)
    return ledgers.map(row => {
      const report = verifyData(reader, row, { pinned: [], ...keptCheckpoints(row), onProgress })
      checkReport(database, row, report)
      return { row, head: reader.head(row.ledgerId), newestAt: report.newestAt }
    })
  } catch (cause) {
    if (cause instanceof LedgerError) throw cause
    throw new LedgerError('not_verified', `${database} cannot be read as a ledger: ${sentenceOf(cause)}.`, {
      cause,
    })
  } finally {
    reader.close()
  }
}

function checkReport(database: string, { name }: LedgerRow, { verdict, size, findings }: DataReport): void {
  const isSound = ['ok', 'ok_unpinned', 'redacted_ok'].includes(verdict)
  if (isSound || (verdict === 'nothing_checked' && size === 0)) return
  const why = findings[0]?.detail ?? 'Nothing could be checked.'
  throw new LedgerError(
    'not_verified',
    `The ledger "${name}" in ${database} does not verify: ${verdict}. ${why}`,
  )
}

/**
 * A reader leaves SQLite's helper files behind; beside a copy that is moved they would be strays. Only for a file that
 * no other process has open.
 */
export function removeEmptyLog(database: string): void {
  if ((statSync(`${database}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0) return
  rmSync(`${database}-wal`, { force: true })
  rmSync(`${database}-shm`, { force: true })
}

/** A start that was refused may have left a file with the tables of a ledger and no ledger in it; this removes it. */
export function removeShell(database: string): void {
  if (!existsSync(database)) return
  try {
    const reader = openSqliteReader(database)
    const isEmpty = reader.ledgers().length === 0
    reader.close()
    if (!isEmpty) return
  } catch {
    return
  }
  for (const suffix of ['', '-wal', '-shm']) rmSync(database + suffix, { force: true })
}

/** The signed head of the only ledger of a file. Null when there are more or none, or it cannot be read. */
export function onlyHeadNote(database: string): string | null {
  try {
    const reader = openSqliteReader(database)
    try {
      const [row, ...others] = reader.ledgers()
      return row === undefined || others.length > 0 ? null : reader.head(row.ledgerId).note
    } finally {
      reader.close()
    }
  } catch {
    return null
  }
}
