import { hash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Checkpoint, type NoteSigner, TlogError } from '@deedbox/tlog'
import { LedgerError } from '../errors.ts'
import { openInlineWriter } from '../sequencer/index.ts'
import { loadSigningKeys } from '../signing/index.ts'
import { type ApiKeyRow, closeForGood, openSqliteReader, sentenceOf } from '../store/index.ts'
import { buildingFolder, type ChangeOver, changeOver, markReady, readyChange } from './change-over.ts'
import { carriedKey, isLive, recoveredSubmission } from './recovered-leaf.ts'
import { guardNote, openKept, type Standing, standingOf } from './seen-elsewhere.ts'
import { type SoundLedger, soundLedgers } from './sound-ledgers.ts'

/** Which ledger to close, and what shows that it is an old copy. */
export interface RecoverOptions {
  folder: string
  database: string
  keysFolder: string
  /** Null: the rollback guard is switched off. */
  guardFolder: string | null
  /** The note of a checkpoint newer than the database, kept elsewhere. */
  kept?: string
  /** The operator's word that entries are missing, where there is no guard and no checkpoint to show it. */
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
 * May be repeated after a crash: it then finishes what was begun.
 *
 * @throws LedgerError `invalid_option` when there is nothing to recover, `not_verified`, `guard_unusable`,
 *   `storage_failed` when another process has the ledger open, and what a ledger is not created for
 */
export async function recoverAfterRestore(options: RecoverOptions): Promise<RecoverReport> {
  try {
    const begun = readyChange<RecoverReport>(options)
    if (begun !== null) {
      changeOver(options, begun)
      return begun.report
    }
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

async function prepare(options: RecoverOptions): Promise<ChangeOver<RecoverReport>> {
  const { database } = options
  const old = onlyLedger(options)
  const seen = await beyond(options, old)
  const signers = oldSigners(options, old)
  closeForGood(database)
  const { name, origin } = old.row
  const mark = `${old.head.size}-${hash('sha256', origin, 'hex').slice(0, 8)}`
  const closedFile = freeName(options.folder, `ledger-${mark}`, '.closed.db')
  const keyFile = `${name}.signing-key`
  const hasKey = existsSync(join(options.keysFolder, keyFile))
  const closedKey = hasKey ? freeName(options.keysFolder, `${name}-${mark}`, '.closed-signing-key') : null
  const apiKeys = liveKeys(database)
  const building = buildingFolder(options)
  const writer = await openInlineWriter({
    path: join(building, 'ledger.db'),
    keysFolder: join(building, 'keys'),
    signingKey: undefined,
    guardFolder: options.guardFolder,
    ledgerName: name,
    kind: 'events',
    origin: options.origin,
  })
  const { ledgerId, origin: newOrigin, verifierKeys } = writer.ledger
  const verifierKey = verifierKeys[0] ?? ''
  try {
    const succession = { old: old.row, head: old.head, seen, closedFile, verifierKey, signers }
    await writer.append([recoveredSubmission(succession), ...apiKeys.map(key => carriedKey(key, ledgerId))])
    await writer.publish()
  } finally {
    await writer.close()
  }
  const root = Buffer.from(old.head.root).toString('base64')
  const plan = {
    closedFile,
    closedKey,
    keyFile,
    report: {
      closed: { file: closedFile, key: closedKey, origin, size: old.head.size, root },
      seenSize: seen?.size ?? null,
      opened: { origin: newOrigin, verifierKey, size: 1 + apiKeys.length },
      apiKeys: apiKeys.length,
      handover: signers !== null,
    },
  }
  markReady(options, plan)
  return plan
}

function onlyLedger({ database, origin, onProgress }: RecoverOptions): SoundLedger {
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
  if (notes.length === 0 && withoutGuard) return null
  throw new LedgerError('invalid_option', nothingToRecover(head.size, notes.length > 0))
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

function liveKeys(database: string): ApiKeyRow[] {
  const reader = openSqliteReader(database)
  try {
    const now = Date.now()
    return [...reader.inspection().apiKeys()].filter(key => isLive(key, now))
  } finally {
    reader.close()
  }
}

/** The same backup may be restored and recovered more than once in one folder. */
function freeName(folder: string, stem: string, ending: string): string {
  let name = stem + ending
  for (let n = 2; existsSync(join(folder, name)); n++) name = `${stem}-${n}${ending}`
  return name
}
