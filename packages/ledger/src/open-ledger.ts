import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { LedgerError } from './errors.ts'
import { FurtherLedgers } from './further-ledgers.ts'
import { Ledger } from './ledger.ts'
import { RawLedger } from './raw-ledger.ts'
import {
  CommitListeners,
  defaultGuardFolder,
  openInlineRawWriter,
  openInlineWriter,
  openThreadWriter,
  type WriterConfig,
} from './sequencer/index.ts'
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
  const config = writerConfig(path, options, 'events')
  const writer = await (options.inline === true
    ? openInlineWriter(config)
    : openThreadWriter(config, options.writerThread))
  try {
    const reader = openSqliteReader(config.path)
    const keys = { folder: config.keysFolder, text: config.signingKey }
    const { origin: _, ...same } = options
    const commits = new CommitListeners()
    const further = new FurtherLedgers(reader, keys, name => openRaw(path, { ...same, name }, commits))
    return new Ledger(writer, reader, further, commits)
  } catch (error) {
    await writer.close()
    throw error
  }
}

/** How a raw ledger is opened: its name inside the file, and where keys and guard are, as for `openLedger`. */
export interface OpenRawLedgerOptions extends Omit<OpenLedgerOptions, 'origin'> {
  /** As it was created: `deedbox ledgers create`, or `createLedger` of the file's events ledger. */
  name: string
}

/**
 * Opens a raw ledger of a file in this process. It has to be there: it is created by the events ledger that keeps the
 * file's administration.
 *
 * @param path the SQLite file
 * @throws LedgerError `unknown_ledger`, `invalid_ledger` for a ledger of events, and what `openLedger` throws
 */
export function openRawLedger(path: string, options: OpenRawLedgerOptions): Promise<RawLedger> {
  return openRaw(path, options, new CommitListeners())
}

/** The same, with who wants to know of its transactions. */
async function openRaw(
  path: string,
  options: OpenRawLedgerOptions,
  commits: CommitListeners,
): Promise<RawLedger> {
  const config = writerConfig(path, options, 'raw')
  if (!existsSync(config.path)) {
    throw new LedgerError('not_a_ledger', `There is no ledger at ${config.path}.`)
  }
  const writer = await (options.inline === true
    ? openInlineRawWriter(config)
    : openThreadWriter<Uint8Array, number>(config, options.writerThread))
  try {
    return new RawLedger(writer, openSqliteReader(config.path), commits)
  } catch (error) {
    await writer.close()
    throw error
  }
}

function writerConfig(path: string, options: OpenLedgerOptions, kind: WriterConfig['kind']): WriterConfig {
  if (typeof path !== 'string' || path === '') {
    throw new LedgerError('invalid_option', 'A ledger needs the path of a database file, such as "audit.db".')
  }
  const file = resolve(path)
  const guard = options.guard ?? (process.env.DEEDBOX_GUARD || defaultGuardFolder(process.env))
  return {
    path: file,
    keysFolder: options.keysFolder ?? `${file}.keys`,
    signingKey: options.signingKey ?? (process.env.DEEDBOX_SIGNING_KEY || undefined),
    guardFolder: guard === 'off' ? null : resolve(guard),
    ledgerName: options.name ?? 'main',
    kind,
    origin: options.origin,
  }
}
