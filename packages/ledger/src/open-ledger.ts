import { resolve } from 'node:path'
import { LedgerError } from './errors.ts'
import { Ledger } from './ledger.ts'
import { defaultGuardFolder, openInlineWriter, openThreadWriter } from './sequencer/index.ts'
import { openSqliteReader } from './store/index.ts'

/** How a ledger is opened. Everything has a safe default. */
export interface OpenLedgerOptions {
  /** The ledger inside the file; default `main`. */
  name?: string
  /** First line of every checkpoint, fixed at creation; default `<32 hex>.deedbox.invalid/<name>`. */
  origin?: string
  /** Where signing keys are kept; default the database's path with `.keys` added. */
  keysFolder?: string
  /** Signing keys (`PRIVATE+KEY+…`, oldest first) instead of the folder's; default `DEEDBOX_SIGNING_KEY`. */
  signingKey?: string
  /** The folder of the rollback guard, or `off`; default `DEEDBOX_GUARD`, else the user's state folder. */
  guard?: string
  /** Writes in the calling thread, which then waits for the disk. For scripts; default false. */
  inline?: boolean
  /** Where the writer thread's file is, for programs bundled into one file. */
  writerThread?: URL
}

/**
 * Opens a ledger in this process, and creates it if the file does not exist. Any number of processes may have the
 * same file open.
 *
 * @param path the SQLite file, for instance `audit.db`
 * @throws LedgerError when it cannot be opened safely: `not_a_ledger`, `schema_too_new`, `signing_key_missing`,
 *   `signing_key_mismatch`, `rolled_back`, `fork`, `edge_damaged`, `guard_unusable`, `invalid_option`,
 *   `unknown_ledger`, `worker_missing`, `storage_failed`
 */
export async function openLedger(path: string, options: OpenLedgerOptions = {}): Promise<Ledger> {
  if (typeof path !== 'string' || path === '') {
    throw new LedgerError(
      'invalid_option',
      'openLedger needs the path of a database file, such as "audit.db".',
    )
  }
  const file = resolve(path)
  const guard = options.guard ?? (process.env.DEEDBOX_GUARD || defaultGuardFolder(process.env))
  const config = {
    path: file,
    keysFolder: options.keysFolder ?? `${file}.keys`,
    signingKey: options.signingKey ?? (process.env.DEEDBOX_SIGNING_KEY || undefined),
    guardFolder: guard === 'off' ? null : resolve(guard),
    ledgerName: options.name ?? 'main',
    origin: options.origin,
  }
  const writer = await (options.inline === true
    ? openInlineWriter(config)
    : openThreadWriter(config, options.writerThread))
  try {
    return new Ledger(writer, openSqliteReader(file))
  } catch (error) {
    await writer.close()
    throw error
  }
}
