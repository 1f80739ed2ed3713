import {
  chmodSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { LedgerError } from '../errors.ts'
import { makeFolder } from '../make-folder.ts'
import { keyFileAtHand } from '../signing/index.ts'
import { copyDatabase, openSqliteReader, sentenceOf } from '../store/index.ts'
import { syncFolder } from '../sync-folder.ts'
import { guardNote } from './seen-elsewhere.ts'
import { removeEmptyLog, type SoundLedger, soundLedgers } from './sound-ledgers.ts'

/** Where things are inside a backup. The files of the ledger `main` have plain names, others the ledger's before it. */
export function backupPaths(folder: string): {
  database: string
  keys: string
  checkpoint(ledger: string): string
  verifierKeys(ledger: string): string
} {
  const named = (ledger: string, file: string) => join(folder, ledger === 'main' ? file : `${ledger}.${file}`)
  return {
    database: join(folder, 'ledger.db'),
    keys: join(folder, 'keys'),
    checkpoint: ledger => named(ledger, 'checkpoint'),
    verifierKeys: ledger => named(ledger, 'vkey'),
  }
}

/** What to back up, and where to. */
export interface BackupOptions {
  database: string
  keysFolder: string
  target: string
  /** Also copies the signing keys. */
  withKeys: boolean
  /** Null: the rollback guard is switched off. */
  guardFolder: string | null
  /** The version to name in the manifest. */
  version: string
  onProgress: (what: string, done: number, total: number) => void
}

/** What was written. */
export interface BackupReport {
  target: string
  /** ISO 8601 in UTC. */
  at: string
  bytes: number
  /** `root` in base64. */
  ledgers: { name: string; origin: string; size: number; root: string; newestAt: string | null }[]
  /** Names of the key files in it. */
  keys: string[]
}

/**
 * Writes a backup while the ledger may be running: one committed state, verified in full before it gets its name, so
 * that a folder of that name is a backup that was sound when it was made.
 *
 * @throws LedgerError `invalid_option` when something is in the way at the target, `not_verified`, `storage_full`,
 *   `storage_failed`, `not_a_ledger`, `schema_too_new`
 */
export async function writeBackup(options: BackupOptions): Promise<BackupReport> {
  const { target, database } = options
  // Before anything is made at the target, which may be a typing error like the source.
  openSqliteReader(database).close()
  checkTarget(target)
  const partial = `${target}.partial`
  try {
    makeFolder(dirname(partial))
    mkdirSync(partial, { mode: 0o700 })
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === 'EEXIST') {
      throw new LedgerError(
        'invalid_option',
        `${partial} is there: another backup to this target is under way, or one was cut off. ` +
          'If none is running, delete that folder and try again.',
      )
    }
    throw failed(target, cause)
  }
  try {
    const report = await fill(partial, options)
    if (existsSync(target)) rmdirSync(target)
    renameSync(partial, target)
    syncFolder(dirname(target))
    return report
  } catch (cause) {
    rmSync(partial, { recursive: true, force: true })
    throw cause instanceof LedgerError ? cause : failed(target, cause)
  }
}

function checkTarget(target: string): void {
  const there = statSync(target, { throwIfNoEntry: false })
  if (there === undefined || (there.isDirectory() && readdirSync(target).length === 0)) return
  throw new LedgerError(
    'invalid_option',
    `${target} is there already, and a backup is never written over anything. Name a new folder, for instance with the date in it.`,
  )
}

async function fill(partial: string, options: BackupOptions): Promise<BackupReport> {
  const paths = backupPaths(partial)
  const guards = guardNotes(options)
  await copyDatabase(options.database, paths.database, (done, pages) =>
    options.onProgress('pages copied', done, pages),
  )
  const sound = soundLedgers(
    paths.database,
    ({ origin }) => {
      const guard = guards.get(origin)
      return guard === undefined ? {} : { guard }
    },
    (done, entries) => options.onProgress('entries re-read', done, entries),
  )
  removeEmptyLog(paths.database)
  for (const { row, head } of sound) {
    writeDurably(paths.checkpoint(row.name), head.note)
    writeDurably(paths.verifierKeys(row.name), `${row.verifierKeys.join('\n')}\n`)
  }
  const names = sound.map(({ row }) => row.name)
  const keys = options.withKeys ? copyKeys(options.keysFolder, paths.keys, names) : []
  const ledgers = sound.map(summaryOf)
  const at = new Date().toISOString()
  const manifest = { v: 1, deedbox: options.version, at, keys: keys.length > 0, ledgers }
  writeDurably(join(partial, 'manifest.json'), `${JSON.stringify(manifest, null, 2)}\n`)
  syncFolder(partial)
  return { target: options.target, at, bytes: statSync(paths.database).size, ledgers, keys }
}

/** Read before the copy: a writer that goes on meanwhile must not be ahead of it. */
function guardNotes({ database, guardFolder }: BackupOptions): Map<string, string> {
  const reader = openSqliteReader(database)
  try {
    const notes = reader.ledgers().map(({ origin }) => [origin, guardNote(guardFolder, origin)] as const)
    return new Map(notes.filter((entry): entry is [string, string] => entry[1] !== null))
  } finally {
    reader.close()
  }
}

function summaryOf({ row, head, newestAt }: SoundLedger): BackupReport['ledgers'][number] {
  const root = Buffer.from(head.root).toString('base64')
  return { name: row.name, origin: row.origin, size: head.size, root, newestAt }
}

/**
 * The key of every ledger, under the name that it has for good, and those of ledgers that a recovery closed.
 *
 * @throws LedgerError `signing_key_missing` when a ledger has none in the folder
 */
function copyKeys(from: string, to: string, ledgers: readonly string[]): string[] {
  const closed = existsSync(from)
    ? readdirSync(from).filter(name => name.endsWith('.closed-signing-key'))
    : []
  const keys = new Map(closed.map(name => [name, join(from, name)]))
  for (const ledger of ledgers) {
    const path = keyFileAtHand(from, ledger)
    if (path === null) {
      throw new LedgerError(
        'signing_key_missing',
        `There is no signing key of the ledger "${ledger}" in ${from}. If it comes from DEEDBOX_SIGNING_KEY, keep that ` +
          'text and the keys folder in a safe place, and leave out --with-keys.',
      )
    }
    keys.set(`${ledger}.signing-key`, path)
  }
  mkdirSync(to, { mode: 0o700 })
  for (const [name, path] of keys) copyKey(path, join(to, name))
  syncFolder(to)
  return [...keys.keys()]
}

/** Copies a signing key durably, with mode 0600; never over a file. Throws what the file system says. */
export function copyKey(from: string, to: string): void {
  copyFileSync(from, to, constants.COPYFILE_EXCL)
  chmodSync(to, 0o600)
  syncFile(to)
}

function writeDurably(path: string, text: string): void {
  writeFileSync(path, text, { mode: 0o600, flag: 'wx', flush: true })
}

function syncFile(path: string): void {
  const descriptor = openSync(path, 'r+')
  fsyncSync(descriptor)
  closeSync(descriptor)
}

function failed(target: string, cause: unknown): LedgerError {
  const isFull = (cause as NodeJS.ErrnoException).code === 'ENOSPC'
  return new LedgerError(
    isFull ? 'storage_full' : 'storage_failed',
    `The backup ${target} cannot be written: ${sentenceOf(cause)}.`,
    { cause },
  )
}
