import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { VerifierKey } from '@deedbox/tlog'
import { LedgerError } from '../errors.ts'
import { defaultGuardFolder, readGuard } from '../sequencer/index.ts'
import { type LedgerRow, openSqliteReader, type SqliteReader, sentenceOf } from '../store/index.ts'
import { type DataReport, verifyData } from '../verification/index.ts'
import { dataFolder } from './data-folder.ts'

/** Re-reads a stored ledger. */
export interface VerifyFolderOptions {
  /** A data folder, or the database file itself. */
  folder: string
  /** The name of the ledger; default `main`. */
  ledger?: string
  /** Verifier keys that the caller brought along. */
  pinned: readonly VerifierKey[]
  /** A checkpoint note that the caller kept. */
  kept?: string
  /** Where this machine's rollback guard is, or `off`; default `DEEDBOX_GUARD`, else the user's state folder. */
  guardFolder?: string
  onProgress?: (checked: number, size: number) => void
}

/**
 * Verifies a data folder or database file without the server, reading only. If this machine has a rollback guard of
 * the ledger, that is one more checkpoint which the ledger has to extend.
 *
 * @throws LedgerError `not_a_ledger`, `unknown_ledger`, `schema_too_new`, `guard_unusable`, `storage_failed`
 */
export function verifyFolder(options: VerifyFolderOptions): DataReport {
  return reading(options.folder, (reader, database) => {
    const name = options.ledger ?? 'main'
    const ledger = reader.ledgers().find(ledger => ledger.name === name)
    if (ledger === undefined) {
      throw new LedgerError('unknown_ledger', `${database} holds no ledger "${name}".`)
    }
    return verifyLedger(reader, ledger, options)
  })
}

/**
 * The same for every ledger of the file, one after the other, the first one first. A key that was brought along counts
 * for the ledger whose origin it names, and so does the checkpoint; those that name none of the file's ledgers are held
 * against the first, which then does not verify.
 *
 * @throws LedgerError as `verifyFolder`
 */
export function verifyEveryLedger(options: Omit<VerifyFolderOptions, 'ledger'>): DataReport[] {
  return reading(options.folder, (reader, database) => {
    const ledgers = reader.ledgers()
    if (ledgers.length === 0) throw new LedgerError('unknown_ledger', `${database} holds no ledger.`)
    const known = (origin: string | undefined) => ledgers.some(ledger => ledger.origin === origin)
    return ledgers.map((ledger, i) => {
      const isMeant = (origin: string | undefined) => origin === ledger.origin || (i === 0 && !known(origin))
      const { kept, ...rest } = options
      const isKept = kept !== undefined && isMeant(kept.split('\n', 1)[0])
      return verifyLedger(reader, ledger, {
        ...rest,
        pinned: options.pinned.filter(key => isMeant(key.name)),
        ...(isKept ? { kept } : {}),
      })
    })
  })
}

function reading<T>(folder: string, work: (reader: SqliteReader, database: string) => T): T {
  const isFile = statSync(folder, { throwIfNoEntry: false })?.isFile() === true
  const database = isFile ? folder : dataFolder(folder, {}).database
  const reader = openSqliteReader(database)
  try {
    return work(reader, database)
  } catch (cause) {
    if (cause instanceof LedgerError) throw cause
    throw new LedgerError('storage_failed', `The ledger ${database} cannot be read: ${sentenceOf(cause)}.`, {
      cause,
    })
  } finally {
    reader.close()
  }
}

function verifyLedger(reader: SqliteReader, ledger: LedgerRow, options: VerifyFolderOptions): DataReport {
  const { pinned, kept, onProgress } = options
  const guard = guardOf(ledger.origin, options.guardFolder)
  return verifyData(reader, ledger, {
    pinned,
    ...(kept === undefined ? {} : { kept }),
    ...(guard === null ? {} : { guard }),
    ...(onProgress === undefined ? {} : { onProgress }),
  })
}

function guardOf(origin: string, option: string | undefined): string | null {
  const folder = option ?? (process.env.DEEDBOX_GUARD || defaultGuardFolder(process.env))
  if (folder === 'off' || !existsSync(folder)) return null
  try {
    return readGuard(resolve(folder), origin)
  } catch (cause) {
    throw new LedgerError(
      'guard_unusable',
      `The rollback guard in ${folder} cannot be read: ${sentenceOf(cause)}. ` +
        'Set DEEDBOX_GUARD to its folder, or to "off" to verify without it.',
      { cause },
    )
  }
}
