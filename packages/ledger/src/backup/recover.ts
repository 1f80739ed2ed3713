import { hash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Checkpoint, type NoteSigner, TlogError } from '@deedbox/tlog'
import { LedgerError } from '../errors.ts'
import { fileGuard } from '../sequencer/index.ts'
import { hasUsedKey, loadSigningKeys, markKeyUsed } from '../signing/index.ts'
import { closeForGood, readMoveMark, sentenceOf } from '../store/index.ts'
import { buildSuccessor } from './build-successor.ts'
import {
  type ChangeOver,
  changeOver,
  dropChange,
  markReady,
  readyChange,
  stageOf,
  throwBuildingAway,
} from './change-over.ts'
import { guardNote, openKept, type Standing, standingOf } from './seen-elsewhere.ts'
import { onlyHeadNote, removeShell, type SoundLedger, soundLedgers } from './sound-ledgers.ts'

/** Which ledger to close, and what shows that it is an old copy. */
export interface RecoverOptions {
  folder: string
  database: string
  keysFolder: string
  /** Null: the rollback guard is switched off. */
  guardFolder: string | null
  /** The note of a checkpoint newer than the database, kept elsewhere. */
  kept?: string
  /**
   * The operator's word that entries are missing, where there is no guard and no checkpoint to show it. Of a ledger that
   * was moved they show nothing: what the server signed went by another machine's guard.
   */
  withoutGuard: boolean
  /** The origin of the new ledger; default `<32 hex>.deedbox.invalid/<name>`. */
  origin?: string
  onProgress: (what: string, done: number, total: number) => void
}

/** What became of it. */
export interface RecoverReport {
  /** The database that can only be read from now on. */
  closed: { file: string; key: string | null; origin: string; size: number; root: string }
  /** How much had been signed; null when nothing shows it. */
  seenSize: number | null
  opened: { origin: string; verifierKey: string; size: number }
  /** How many API keys the new ledger has from the old one. */
  apiKeys: number
  /** Whether the old signing key vouches for the new verifier key. */
  handover: boolean
}

/**
 * Closes a ledger that was restored from an old copy, and opens a new one with an origin and a key of its own, whose
 * first leaf says what came before it and how far that had gone (DESIGN §7.4). Signing on under the old origin would
 * be a second history, which nobody could tell from tampering (pitfall P22).
 *
 * May be repeated after a crash: it then finishes what was begun, unless another database has been put in its place.
 *
 * @throws LedgerError `invalid_option` when there is nothing to recover, `not_verified`, `guard_unusable`,
 *   `storage_failed` when another process has the ledger open, and what a ledger is not created for
 */
export async function recoverAfterRestore(options: RecoverOptions): Promise<RecoverReport> {
  try {
    // Said before anything is moved.
    if (options.guardFolder !== null) fileGuard(options.guardFolder)
    const finished = finishBegun(options)
    if (finished !== null) return finished
    const plan = await prepare(options)
    changeOver(options, plan)
    return plan.report
  } catch (cause) {
    if (cause instanceof LedgerError) throw cause
    throw new LedgerError('storage_failed', `The recovery failed: ${sentenceOf(cause)}. Run it again.`, {
      cause,
    })
  }
}

/** Goes on where an earlier call stopped. Null: there is nothing, or nothing any more, to go on with. */
function finishBegun(options: RecoverOptions): RecoverReport | null {
  const plan = readyChange<RecoverReport>(options)
  if (plan === null) return null
  const { database, folder } = options
  const stage = stageOf(options, plan)
  if (stage === 'done') {
    dropChange(options)
    return isAsOpened(options, plan) ? plan.report : null
  }
  if (stage === 'waiting') {
    if (onlyHeadNote(database) !== plan.oldNote) {
      dropChange(options)
      return null
    }
    closeUnchanged(database, plan.oldNote)
  } else {
    removeShell(database)
    if (existsSync(database)) {
      throw new LedgerError(
        'invalid_option',
        `A recovery was interrupted when it had moved the old ledger to ${plan.closedFile}, and since then another ` +
          `database was put into its place. To finish that recovery, move ${database} out of ${folder} and run this ` +
          `again. To keep that database, delete ${folder}/recovering, and see that its own key is in keys/${plan.keyFile}` +
          `${plan.closedKey === null ? '' : ` (keys/${plan.closedKey} may be a copy)`}.`,
      )
    }
  }
  changeOver(options, plan)
  return plan.report
}

/** Whether nothing has happened since the new ledger came into its place: then the report is still true. */
function isAsOpened(
  { database, guardFolder, kept }: RecoverOptions,
  { opened }: ChangeOver<RecoverReport>,
): boolean {
  const guard = guardNote(guardFolder, opened.origin)
  return (
    kept === undefined && onlyHeadNote(database) === opened.note && (guard ?? opened.note) === opened.note
  )
}

/** Closes the ledger whose head was read before; compared again after, when nobody can write to it any more. */
function closeUnchanged(database: string, note: string): void {
  if (onlyHeadNote(database) === note) {
    closeForGood(database)
    if (onlyHeadNote(database) === note) return
  }
  throw new LedgerError(
    'storage_failed',
    `${database} was written to during the recovery. Stop every process that has this ledger open, and run it again.`,
  )
}

async function prepare(options: RecoverOptions): Promise<ChangeOver<RecoverReport>> {
  const { database } = options
  const old = onlyLedger(options)
  const seen = await beyond(options, old)
  const { name, origin } = old.row
  // A key that is still called new would later take the name of the new ledger's, and replace it.
  if (!hasUsedKey({ folder: options.keysFolder }, name)) markKeyUsed({ folder: options.keysFolder }, name)
  const signers = oldSigners(options, old)
  const mark = `${old.head.size}-${hash('sha256', origin, 'hex').slice(0, 8)}`
  const closedFile = freeName(options.folder, `ledger-${mark}`, '.closed.db')
  const keyFile = `${name}.signing-key`
  const hasKey = existsSync(join(options.keysFolder, keyFile))
  const closedKey = hasKey ? freeName(options.keysFolder, `${name}-${mark}`, '.closed-signing-key') : null
  try {
    const { opened, verifierKey, size, apiKeys } = await buildSuccessor(options, old, {
      seen,
      closedFile,
      signers,
    })
    const root = Buffer.from(old.head.root).toString('base64')
    const plan = {
      closedFile,
      closedKey,
      keyFile,
      oldNote: old.head.note,
      opened,
      report: {
        closed: { file: closedFile, key: closedKey, origin, size: old.head.size, root },
        seenSize: seen?.size ?? null,
        opened: { origin: opened.origin, verifierKey, size },
        apiKeys,
        handover: signers !== null,
      },
    }
    // As late as can be: whatever refuses the recovery leaves the old ledger as it was.
    closeUnchanged(database, old.head.note)
    markReady(options, plan)
    return plan
  } catch (cause) {
    throwBuildingAway(options)
    throw cause
  }
}

function onlyLedger({ database, origin, guardFolder, onProgress }: RecoverOptions): SoundLedger {
  const ledgers = soundLedgers(
    database,
    () => ({}),
    (done, entries) => onProgress('entries re-read', done, entries),
  )
  const [old, ...others] = ledgers
  if (old === undefined || others.length > 0) {
    throw new LedgerError(
      'invalid_option',
      `${database} holds ${ledgers.length} ledgers (${ledgers.map(({ row }) => row.name).join(', ')}); recover is for a ` +
        'file of one. Put a newer copy of the file back; or keep this one for reading, and begin a new one in another folder.',
    )
  }
  if (origin === old.row.origin) {
    throw new LedgerError(
      'invalid_option',
      `${origin} is the origin that is to be closed. Name a new one, or none.`,
    )
  }
  if (origin !== undefined && guardNote(guardFolder, origin) !== null) {
    throw new LedgerError(
      'invalid_option',
      `There was a ledger ${origin} on this machine: the rollback guard has a checkpoint of it. Name a new origin, or none.`,
    )
  }
  return old
}

/**
 * What was signed beyond the database, with the most entries.
 *
 * @throws LedgerError `invalid_option` unless something was, or nobody can know and the operator says so
 */
async function beyond(
  { database, guardFolder, kept, withoutGuard }: RecoverOptions,
  { row, head }: SoundLedger,
): Promise<(Checkpoint & { note: string }) | null> {
  const guard = guardNote(guardFolder, row.origin)
  const notes = [
    ...(guard === null ? [] : [{ note: guard, where: 'The rollback guard' }]),
    ...(kept === undefined ? [] : [{ note: kept, where: 'The checkpoint that you gave' }]),
  ]
  const seen: { standing: Standing; checkpoint: Checkpoint & { note: string } }[] = []
  for (const { note, where } of notes) {
    const checkpoint = openKept(note, row, where)
    seen.push({
      standing: await standingOf(database, row, head, checkpoint),
      checkpoint: { ...checkpoint, note },
    })
  }
  const [newest] = seen
    .filter(({ standing }) => standing !== 'extends')
    .sort((a, b) => b.checkpoint.size - a.checkpoint.size)
  if (newest !== undefined) return newest.checkpoint
  if (withoutGuard && (notes.length === 0 || readMoveMark(database) !== null)) return null
  const moved = readMoveMark(database)
  const why = moved === null ? nothingToRecover(head.size, notes.length > 0) : movedAway(moved.url)
  throw new LedgerError('invalid_option', why)
}

function movedAway(url: string): string {
  return (
    `The ledger was moved to ${url}, or is being moved. While that server has it, there is nothing to recover: a new ledger ` +
    'under a new name would begin here. If the server is lost for good, give the newest checkpoint or receipt of it that ' +
    'somebody kept, with --checkpoint, or --without-guard if there is none.'
  )
}

function nothingToRecover(size: number, compared: boolean): string {
  if (compared) {
    return (
      `Nothing is to be recovered: the database has ${size} entries and everything that the guard or checkpoint at ` +
      'hand has seen. Start it with "deedbox serve". If you know a newer checkpoint or receipt, give it with --checkpoint.'
    )
  }
  return (
    `Nothing shows that the database with its ${size} entries is an old copy: this machine has no rollback guard of it. ` +
    'Give a newer checkpoint or receipt with --checkpoint; or --without-guard, if there is none and you know that ' +
    'entries are missing.'
  )
}

/** With a key that does not fit, as without one, the old ledger cannot vouch for the new; the recovery goes on. */
function oldSigners({ keysFolder }: RecoverOptions, { row }: SoundLedger): readonly NoteSigner[] | null {
  try {
    const keys = loadSigningKeys(
      { folder: keysFolder, text: process.env.DEEDBOX_SIGNING_KEY || undefined },
      row.name,
    )
    return keys?.verifierKeys.every(key => row.verifierKeys.includes(key)) === true ? keys.signers : null
  } catch (error) {
    if (error instanceof LedgerError || error instanceof TlogError) return null
    throw error
  }
}

/** The same backup may be restored and recovered more than once in one folder. */
function freeName(folder: string, stem: string, ending: string): string {
  let name = stem + ending
  for (let n = 2; existsSync(join(folder, name)); n++) name = `${stem}-${n}${ending}`
  return name
}
