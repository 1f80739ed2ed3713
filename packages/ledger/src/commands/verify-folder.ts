import { statSync } from 'node:fs'
import type { VerifierKey } from '@deedbox/tlog'
import { LedgerError } from '../errors.ts'
import { openSqliteReader } from '../store/index.ts'
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
  onProgress?: (checked: number, size: number) => void
}

/**
 * Verifies a data folder or database file without the server, reading only.
 *
 * @throws LedgerError `not_a_ledger`, `unknown_ledger`, `schema_too_new`, `storage_failed`
 */
export function verifyFolder(options: VerifyFolderOptions): DataReport {
  const isFile = statSync(options.folder, { throwIfNoEntry: false })?.isFile() === true
  const database = isFile ? options.folder : dataFolder(options.folder, {}).database
  const reader = openSqliteReader(database)
  try {
    const name = options.ledger ?? 'main'
    const ledger = reader.ledgers().find(ledger => ledger.name === name)
    if (ledger === undefined)
      throw new LedgerError('unknown_ledger', `${database} holds no ledger "${name}".`)
    const { pinned, kept, onProgress } = options
    return verifyData(reader, ledger, {
      pinned,
      ...(kept === undefined ? {} : { kept }),
      ...(onProgress === undefined ? {} : { onProgress }),
    })
  } finally {
    reader.close()
  }
}
