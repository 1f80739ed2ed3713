import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { VerifierKey } from '@deedbox/tlog'
import { LedgerError } from '../errors.ts'
import { defaultGuardFolder, readGuard } from '../sequencer/index.ts'
import { openSqliteReader, type SqliteReader, sentenceOf } from '../store/index.ts'
import {
  type DataReport,
  type ThreadOptions,
  type VerificationState,
  verifyInThreads,
} from '../verification/index.ts'
import { dataFolder } from './data-folder.ts'

/** Re-reads a stored ledger. */
export interface VerifyFolderOptions extends ThreadOptions {
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
  /** Where an earlier run of the same verification ended; what `save` got. */
  resume?: VerificationState
  onProgress?: (checked: number, size: number) => void
}

/**
 * Verifies a data folder or database file without the server, reading only. If this machine has a rollback guard of
 * the ledger, that is one more checkpoint which the ledger has to extend.
 *
 * @throws LedgerError `not_a_ledger`, `unknown_ledger`, `schema_too_new`, `guard_unusable`, `storage_failed`,
 *   `invalid_option` when `resume` is of something else; the reason of `signal` when that ended it
 */
export async function verifyFolder(options: VerifyFolderOptions): Promise<DataReport> {
  const isFile = statSync(options.folder, { throwIfNoEntry: false })?.isFile() === true
  const database = isFile ? options.folder : dataFolder(options.folder, {}).database
  const reader = openSqliteReader(database)
  try {
    return await verifyWith(reader, database, options)
  } catch (cause) {
    if (cause instanceof LedgerError || options.signal?.aborted === true) throw cause
    throw new LedgerError('storage_failed', `The ledger ${database} cannot be read: ${sentenceOf(cause)}.`, {
      cause,
    })
  } finally {
    reader.close()
  }
}

function verifyWith(
  reader: SqliteReader,
  database: string,
  options: VerifyFolderOptions,
): Promise<DataReport> {
  const name = options.ledger ?? 'main'
  const ledger = reader.ledgers().find(ledger => ledger.name === name)
  if (ledger === undefined) {
    throw new LedgerError('unknown_ledger', `${database} holds no ledger "${name}".`)
  }
  const guard = guardOf(ledger.origin, options.guardFolder)
  return verifyInThreads(
    reader,
    database,
    ledger,
    { ...options, ...(guard === null ? {} : { guard }) },
    options,
  )
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
