import { randomUUID } from 'node:crypto'
import { rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { guardNote, readyChange, soundLedgers } from '../backup/index.ts'
import { LedgerError } from '../errors.ts'
import {
  closeForGood,
  holdLock,
  isSealed,
  type MovedLedger,
  type MoveMark,
  openSqliteReader,
  readMoveMark,
  removeMoveMark,
  unsealFile,
  writeMoveMark,
} from '../store/index.ts'
import { sha256Of } from './check-received.ts'
import { MoveCaller } from './move-caller.ts'
import {
  afterFailure,
  anotherServer,
  finish,
  isServerOf,
  outcomeUnknown,
  whatTheServerSays,
} from './move-outcome.ts'
import { sendFile } from './send-file.ts'
import { sourceKeys } from './source-keys.ts'
import { movedLedger, sameLedgers } from './wire.ts'

/** What to carry, and where to. */
export interface MoveOptions {
  database: string
  keysFolder: string
  /** The value of `DEEDBOX_SIGNING_KEY`. */
  signingKey: string | undefined
  /** Null: the rollback guard is switched off. */
  guardFolder: string | null
  url: string
  token: string
  onProgress: (what: string, done: number, total: number) => void
}

/** How a move ended. */
export interface MoveReport {
  database: string
  url: string
  ledgers: MovedLedger[]
  /** Whether an earlier call had done it already. */
  before: boolean
}

/**
 * Carries a ledger to a server that awaits one. The file is closed before a byte is sent and opened again only when it
 * is certain that the server will not install it, so the two never both take events. May be repeated, and finishes then
 * what was begun.
 *
 * @throws LedgerError `outcome_unknown` when nobody could say whether the server installed it: the file stays closed,
 *   and a repetition finds out. Any other code: nothing was moved, and the file is as it was
 */
export async function moveLedger(options: MoveOptions): Promise<MoveReport> {
  // Said in words of its own when it is no ledger, before a file is made beside it.
  if (readMoveMark(options.database) === null) openSqliteReader(options.database).close()
  return alone(options.database, () => move(options))
}

async function move(options: MoveOptions): Promise<MoveReport> {
  const { database, url } = options
  const earlier = checkSource(options)
  if (earlier?.state === 'moved') return { database, url, ledgers: earlier.ledgers, before: true }
  const caller = new MoveCaller(url, options.token)
  const mark = earlier ?? newMark(url)
  const there = await caller.status()
  const isOurs = there.state === 'installed' && there.moveId === mark.moveId
  // To another server than the one that may have it, the ledger is not sent a second time.
  if (mark.state === 'installing' && !isOurs && !isServerOf(mark, there)) {
    throw outcomeUnknown(database, url, anotherServer)
  }
  if (there.state === 'installed' && !isOurs) {
    throw new LedgerError(
      'move_conflict',
      `The server at ${url} holds another ledger already. ${earlier === null ? 'Name another one.' : 'Give this move up, with --cancel.'}`,
    )
  }
  seal(database, mark, earlier === null)
  try {
    if (isOurs && mark.ledgers.length > 0) {
      finish(options, mark, there.ledgers)
      return { database, url, ledgers: mark.ledgers, before: true }
    }
    finish(options, mark, await carry(options, caller, mark))
  } catch (error) {
    finish(options, mark, await afterFailure(database, caller, mark, error))
  }
  return { database, url, ledgers: mark.ledgers, before: false }
}

/** Lets no other `deedbox move` at the file meanwhile: it could open it again while this one has it installed. */
async function alone<T>(database: string, work: () => Promise<T>): Promise<T> {
  const lock = `${database}.moving`
  const letGo = holdLock(lock)
  if (letGo === undefined) {
    throw new LedgerError(
      'move_conflict',
      `Another "deedbox move" is at work on ${database}. Let it end, and try again.`,
    )
  }
  try {
    return await work()
  } finally {
    letGo()
    rmSync(lock, { force: true })
  }
}

/**
 * Gives up a move that was begun, and opens its file for writing again.
 *
 * @throws LedgerError `move_conflict` when the server has installed it; `outcome_unknown` when only the server could
 *   say so and does not answer; `invalid_option` when no move is under way
 */
export async function cancelMove(options: CancelOptions): Promise<void> {
  if (readMoveMark(options.database) === null) {
    throw new LedgerError('invalid_option', `No move of ${options.database} is under way.`)
  }
  await alone(options.database, () => cancel(options))
}

interface CancelOptions extends Pick<MoveOptions, 'database' | 'url'> {
  /** Needed when only the server can say how the move ended. */
  token: string | undefined
}

async function cancel(options: CancelOptions): Promise<void> {
  const { database, url, token } = options
  const mark = readMoveMark(database)
  if (mark === null) return
  checkAddress(database, mark, url)
  if (mark.state === 'moved') throw new LedgerError('move_conflict', movedAlready(database, url))
  if (mark.state === 'installing') {
    if (token === undefined) {
      throw new LedgerError(
        'invalid_usage',
        'Only the server can say how the move ended: set DEEDBOX_MOVE_TOKEN.',
      )
    }
    const ledgers = await whatTheServerSays(new MoveCaller(url, token), mark, database)
    if (ledgers !== undefined) {
      finish(options, mark, ledgers)
      throw new LedgerError('move_conflict', movedAlready(database, url))
    }
  }
  unsealFile(database)
  removeMoveMark(database)
}

function checkSource({ database, url }: MoveOptions): MoveMark | null {
  const earlier = readMoveMark(database)
  if (earlier !== null) checkAddress(database, earlier, url)
  if (earlier?.state === 'moved') return earlier
  if (earlier === null && isSealed(database)) {
    throw new LedgerError(
      'invalid_option',
      `${database} is a ledger that was closed. It is not moved: nobody goes on with it.`,
    )
  }
  if (readyChange({ folder: dirname(database) }) !== null) {
    throw new LedgerError(
      'invalid_option',
      `A "deedbox recover" was interrupted here. Run it again before the move.`,
    )
  }
  return earlier
}

function checkAddress(database: string, mark: MoveMark, url: string): void {
  if (mark.url === url) return
  const what = mark.state === 'moved' ? 'was moved' : 'is being moved'
  throw new LedgerError('ledger_moved', `${database} ${what} to ${mark.url}, not to ${url}.`)
}

function movedAlready(database: string, url: string): string {
  return `${database} was moved to ${url}, which has the ledger now. There is nothing to give up.`
}

function newMark(url: string): MoveMark {
  return { v: 1, state: 'moving', url, moveId: randomUUID(), at: new Date().toISOString(), ledgers: [] }
}

/** The mark stands before the file is closed, so that who finds it closed also finds out why. */
function seal(database: string, mark: MoveMark, isFirst: boolean): void {
  if (isFirst) writeMoveMark(database, mark)
  try {
    closeForGood(database)
  } catch (cause) {
    if (isFirst) removeMoveMark(database)
    throw cause
  }
}

/** Verifies, sends, lets the server verify, and has it installed. Resolves to what the server says it has. */
async function carry(options: MoveOptions, caller: MoveCaller, mark: MoveMark): Promise<MovedLedger[]> {
  const { database, keysFolder, signingKey, guardFolder, onProgress } = options
  const sound = soundLedgers(
    database,
    ({ origin }) => {
      const guard = guardNote(guardFolder, origin)
      return guard === null ? {} : { guard }
    },
    (done, entries) => onProgress('entries re-read', done, entries),
  )
  mark.ledgers = sound.map(movedLedger)
  writeMoveMark(database, mark)
  const keys = sourceKeys(
    keysFolder,
    signingKey,
    sound.map(({ row }) => row),
  )
  const manifest = {
    v: 1 as const,
    bytes: statSync(database).size,
    sha256: await sha256Of(database),
    ledgers: mark.ledgers,
    keys,
  }
  const ready = await sendFile(caller, mark.moveId, database, manifest, onProgress)
  if (!sameLedgers(ready.ledgers, mark.ledgers)) {
    throw new LedgerError('not_verified', 'The server found another size or root than this side has.')
  }
  if (ready.state === 'installed') return ready.ledgers
  if (ready.server === undefined) {
    throw new LedgerError('move_conflict', 'The server does not say which one it is. Update it.')
  }
  if (mark.state === 'installing' && !isServerOf(mark, ready)) {
    throw outcomeUnknown(database, mark.url, anotherServer)
  }
  mark.state = 'installing'
  mark.server = ready.server
  writeMoveMark(database, mark)
  const status = await caller.install(mark.moveId, ready.server)
  if (status.state === 'installed' && status.moveId === mark.moveId) return status.ledgers
  throw new LedgerError('move_conflict', `The server did not install the ledger: it is "${status.state}".`)
}
