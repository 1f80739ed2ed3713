import { existsSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { VerifierKey } from '@deedbox/tlog'
import { LedgerError } from '../errors.ts'
import { defaultGuardFolder, readGuard } from '../sequencer/index.ts'
import {
  isSealed,
  type LedgerRow,
  openSqliteReader,
  readMoveMark,
  type SqliteReader,
  sentenceOf,
} from '../store/index.ts'
import {
  type DataReport,
  ResumableRun,
  type VerificationProgress,
  verifyInThreads,
} from '../verification/index.ts'
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
  /** Where an earlier run of the same verification ended: what `save` got. */
  resume?: VerificationProgress
  /** Gets the progress after every stretch, as long as nothing was found, and is to keep the last one. */
  save?: (progress: () => VerificationProgress) => void
  /** Ends the verification after the stretch at hand. */
  signal?: AbortSignal
  onProgress?: (checked: number, size: number) => void
}

/** What re-reading one ledger found. */
export interface FolderReport extends DataReport {
  /**
   * There when the ledger was moved to a server: the file is then compared with what was moved. `guardSize`: entries
   * that this machine's rollback guard has seen beyond, which are the server's; null: it has seen none.
   */
  moved?: { url: string; at: string; guardSize: number | null }
}

/**
 * Verifies a data folder or database file without the server, reading only. If this machine has a rollback guard of
 * the ledger, that is one more checkpoint which the ledger has to extend.
 *
 * @throws LedgerError `not_a_ledger`, `unknown_ledger`, `schema_too_new`, `guard_unusable`, `storage_failed`,
 *   `invalid_option` when `resume` is of something else; the reason of `signal` when that ended it
 */
export function verifyFolder(options: VerifyFolderOptions): Promise<FolderReport> {
  return reading(options, async (reader, database) => {
    const name = options.ledger ?? 'main'
    const ledger = reader.ledgers().find(ledger => ledger.name === name)
    if (ledger === undefined) {
      throw new LedgerError('unknown_ledger', `${database} holds no ledger "${name}".`)
    }
    return await verifyLedger(reader, database, ledger, options, new ResumableRun([ledger], options))
  })
}

/**
 * The same for every ledger of the file, one after the other, the first one first. A key that was brought along counts
 * for the ledger whose origin it names, and so does the checkpoint; those that name none of the file's ledgers are held
 * against the first, which then does not verify.
 *
 * @throws LedgerError as `verifyFolder`
 */
export function verifyEveryLedger(options: Omit<VerifyFolderOptions, 'ledger'>): Promise<FolderReport[]> {
  return reading(options, async (reader, database) => {
    const ledgers = reader.ledgers()
    if (ledgers.length === 0) throw new LedgerError('unknown_ledger', `${database} holds no ledger.`)
    const known = (origin: string | undefined) => ledgers.some(ledger => ledger.origin === origin)
    const run = new ResumableRun(ledgers, options)
    const reports: FolderReport[] = []
    for (const ledger of ledgers) {
      const isMeant = (origin: string | undefined) =>
        origin === ledger.origin || (ledger === ledgers[0] && !known(origin))
      const { kept, ...rest } = options
      const isKept = kept !== undefined && isMeant(kept.split('\n', 1)[0])
      const own = {
        ...rest,
        pinned: options.pinned.filter(key => isMeant(key.name)),
        ...(isKept ? { kept } : {}),
      }
      reports.push(await verifyLedger(reader, database, ledger, own, run))
    }
    return reports
  })
}

async function reading<T>(
  { folder, signal }: Pick<VerifyFolderOptions, 'folder' | 'signal'>,
  work: (reader: SqliteReader, database: string) => Promise<T>,
): Promise<T> {
  const isFile = statSync(folder, { throwIfNoEntry: false })?.isFile() === true
  const database = isFile ? folder : dataFolder(folder, {}).database
  const reader = openSqliteReader(database)
  try {
    return await work(reader, database)
  } catch (cause) {
    if (cause instanceof LedgerError || signal?.aborted === true) throw cause
    throw new LedgerError('storage_failed', `The ledger ${database} cannot be read: ${sentenceOf(cause)}.`, {
      cause,
    })
  } finally {
    reader.close()
  }
}

async function verifyLedger(
  reader: SqliteReader,
  database: string,
  ledger: LedgerRow,
  options: VerifyFolderOptions,
  run: ResumableRun,
): Promise<FolderReport> {
  const { pinned, kept, signal, onProgress } = options
  const moved = movedTo(reader, database, ledger)
  const seen = guardOf(ledger.origin, options.guardFolder)
  // The server goes on with the ledger, and may do so on this machine.
  const guard = moved?.isWhole === true && sizeIn(seen) > moved.size ? null : seen
  const resume = run.stateOf(ledger)
  const check = {
    pinned,
    ...(kept === undefined ? {} : { kept }),
    ...(guard === null ? {} : { guard }),
    ...(resume === undefined ? {} : { resume }),
    ...(onProgress === undefined ? {} : { onProgress }),
  }
  const report = await verifyInThreads(reader, database, ledger, check, {
    save: state => run.save(ledger, state()),
    ...(signal === undefined ? {} : { signal }),
  })
  if (moved === undefined) return report
  const { url, at } = moved
  const guardSize = guard === seen ? null : sizeIn(seen)
  return { ...(moved.isWhole ? report : notAsMoved(report, moved)), moved: { url, at, guardSize } }
}

/** What the mark beside a closed file says of a ledger in it; a mark that cannot be read says nothing here. */
function movedTo(reader: SqliteReader, database: string, { name, origin, ledgerId }: LedgerRow) {
  try {
    const mark = readMoveMark(database)
    if (mark?.state !== 'moved' || !isSealed(database)) return undefined
    const own = mark.ledgers.find(each => each.name === name && each.origin === origin)
    if (own === undefined) return undefined
    const { size, root } = reader.head(ledgerId)
    const isWhole = own.size === size && own.root === Buffer.from(root).toString('base64')
    return { url: mark.url, at: mark.at, size: own.size, isWhole }
  } catch {
    return undefined
  }
}

function notAsMoved(report: DataReport, { url, size }: { url: string; size: number }): DataReport {
  const isSound = report.findings.length === 0
  const verdict = report.size < size ? ('truncated' as const) : ('content_mismatch' as const)
  const detail =
    `The ledger was moved to ${url} with ${size} entries, and the file, which has ${report.size}, is not the one that ` +
    'was moved.'
  return {
    ...report,
    verdict: isSound ? verdict : report.verdict,
    findings: [...report.findings, { verdict, detail }],
    found: report.found + 1,
  }
}

/** The size that a checkpoint note claims; -1: none. */
function sizeIn(note: string | null): number {
  const size = note?.split('\n', 2)[1] ?? ''
  return /^\d{1,16}$/.test(size) ? Number(size) : -1
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
