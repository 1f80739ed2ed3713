import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { LedgerError } from '../errors.ts'
import { makeFolder } from '../make-folder.ts'
import { keyFileAtHand } from '../signing/index.ts'
import { copyDatabase, refuseMoved, sentenceOf } from '../store/index.ts'
import { syncFolder } from '../sync-folder.ts'
import { dropChange, readyChange, stageOf } from './change-over.ts'
import { guardNote, openKept, type Standing, standingOf } from './seen-elsewhere.ts'
import { removeEmptyLog, removeShell, type SoundLedger, soundLedgers } from './sound-ledgers.ts'
import { backupPaths, copyKey } from './write-backup.ts'

/** What to put back, and where to. */
export interface RestoreOptions {
  backup: string
  folder: string
  database: string
  keysFolder: string
  /** Null: the rollback guard is switched off. */
  guardFolder: string | null
  onProgress: (what: string, done: number, total: number) => void
}

/** What was put back. */
export interface RestoreReport {
  ledgers: {
    name: string
    origin: string
    size: number
    newestAt: string | null
    /** How it stands to the rollback guard of this machine; `unknown`: there is no guard of this ledger. */
    standing: Standing | 'unknown'
    /** How many entries the guard has seen; null without one. */
    guardSize: number | null
    /** Whether its signing key is in the keys folder now. */
    hasKey: boolean
  }[]
}

/**
 * Puts a backup into a data folder that holds no ledger. What is stored there is verified in full, against the
 * checkpoint of the backup too, before it gets its name.
 *
 * @throws LedgerError `invalid_option` when a ledger or another key is in the way, `not_a_ledger`, `not_verified`,
 *   `storage_full`, `storage_failed`
 */
export async function restoreBackup(options: RestoreOptions): Promise<RestoreReport> {
  const { backup, database, folder, keysFolder } = options
  const paths = backupPaths(backup)
  if (!existsSync(paths.database)) {
    throw new LedgerError('not_a_ledger', `${backup} is no backup: there is no ledger.db in it.`)
  }
  checkFree(options)
  const restoring = `${database}.restoring`
  try {
    makeFolder(folder)
    rmSync(restoring, { force: true })
    await copyDatabase(paths.database, restoring, (done, pages) =>
      options.onProgress('pages copied', done, pages),
    )
    const sound = soundLedgers(
      restoring,
      ({ name }) => {
        const kept = paths.checkpoint(name)
        return existsSync(kept) ? { kept: readFileSync(kept, 'utf8') } : {}
      },
      (done, entries) => options.onProgress('entries re-read', done, entries),
    )
    removeEmptyLog(restoring)
    const ledgers = await Promise.all(sound.map(ledger => standing(restoring, ledger, options)))
    removeEmptyLog(restoring)
    putKeysBack(paths.keys, keysFolder)
    renameSync(restoring, database)
    syncFolder(folder)
    return {
      ledgers: ledgers.map(ledger => ({
        ...ledger,
        hasKey: keyFileAtHand(keysFolder, ledger.name) !== null,
      })),
    }
  } catch (cause) {
    rmSync(restoring, { force: true })
    removeEmptyLog(restoring)
    if (cause instanceof LedgerError) throw cause
    throw new LedgerError(
      'storage_failed',
      `The backup cannot be put into ${folder}: ${sentenceOf(cause)}.`,
      {
        cause,
      },
    )
  }
}

function checkFree({ folder, database, keysFolder, backup }: RestoreOptions): void {
  refuseMoved(database)
  removeShell(database)
  const inTheWay = ['', '-wal', '-shm', '-journal']
    .map(suffix => database + suffix)
    .find(path => existsSync(path))
  if (inTheWay !== undefined) {
    throw new LedgerError(
      'invalid_option',
      `${inTheWay} is there, and nothing is written over a ledger. Name another folder with --data; or stop the ledger ` +
        `and move ledger.db, and ledger.db-wal and ledger.db-shm if they are there, out of ${folder}.`,
    )
  }
  const change = readyChange({ folder })
  if (change !== null && stageOf({ folder }, change) === 'begun') {
    throw new LedgerError(
      'invalid_option',
      `A "deedbox recover" was interrupted in ${folder} when it had moved the old ledger away. Run it again, and it ` +
        'finishes what it began; or name another folder with --data.',
    )
  }
  const { keys } = backupPaths(backup)
  for (const name of keyNames(keys)) {
    // One that is still called new takes the plain name when its ledger opens.
    const there = [name, `${name}.new`]
      .map(each => join(keysFolder, each))
      .find(path => existsSync(path) && differ(path, join(keys, name)))
    if (there !== undefined) {
      throw new LedgerError(
        'invalid_option',
        `${there} is another key than the one in the backup. Name another folder with --data, or move that key away.`,
      )
    }
  }
  // Made ready for the ledger that was here before, it must not take the place of the one that comes now.
  dropChange({ folder })
}

function differ(one: string, other: string): boolean {
  return readFileSync(one, 'utf8') !== readFileSync(other, 'utf8')
}

function keyNames(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).filter(name => name.endsWith('signing-key')) : []
}

function putKeysBack(from: string, to: string): void {
  const missing = keyNames(from).filter(name => !existsSync(join(to, name)))
  if (missing.length === 0) return
  makeFolder(to)
  for (const name of missing) copyKey(join(from, name), join(to, name))
  syncFolder(to)
}

async function standing(
  database: string,
  { row, head, newestAt }: SoundLedger,
  { guardFolder }: RestoreOptions,
): Promise<Omit<RestoreReport['ledgers'][number], 'hasKey'>> {
  const { name, origin } = row
  const note = guardNote(guardFolder, origin)
  const base = { name, origin, size: head.size, newestAt }
  if (note === null) return { ...base, standing: 'unknown', guardSize: null }
  const guarded = openKept(note, row, 'The rollback guard')
  return { ...base, standing: await standingOf(database, row, head, guarded), guardSize: guarded.size }
}
