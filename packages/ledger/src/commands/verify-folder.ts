import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { VerifierKey } from '@deedbox/tlog'
import { LedgerError } from '../errors.ts'
import { defaultGuardFolder, readGuard } from '../sequencer/index.ts'
import { openSqliteReader, type SqliteReader, sentenceOf } from '../store/index.ts'
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
  const isFile = statSync(options.folder, { throwIfNoEntry: false })?.isFile() === true
  const database = isFile ? options.folder : dataFolder(options.folder, {}).database
  const reader = openSqliteReader(database)
  try {
    return verifyWith(reader, database, options)
  } catch (cause) {
    if (cause instanceof LedgerError) throw cause
    throw new LedgerError('storage_failed', `The ledger ${database} cannot be read: ${sentenceOf(cause)}.`, {
      cause,
    })
  } finally {
    reader.close()
  }
}

function verifyWith(reader: SqliteReader, database: string, options: VerifyFolderOptions): DataReport {
  const name = options.ledger ?? 'main'
  const ledger = reader.ledgers().find(ledger => ledger.name === name)
  if (ledger === undefined) {
    throw new LedgerError('unknown_ledger', `${database} holds no ledger "${name}".`)
  }
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
