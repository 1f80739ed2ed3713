import { LedgerError } from '../errors.ts'
import {
  type MovedLedger,
  type MoveMark,
  removeMoveMark,
  sentenceOf,
  unsealFile,
  writeMoveMark,
} from '../store/index.ts'
import type { MoveCaller } from './move-caller.ts'
import { type MoveStatus, sameLedgers } from './wire.ts'

/** Notes that the server has the ledger, if it is the one that was sent. */
export function finish(
  { database, url }: { database: string; url: string },
  mark: MoveMark,
  theirs: MovedLedger[],
): void {
  if (!sameLedgers(theirs, mark.ledgers)) {
    throw new LedgerError(
      'outcome_unknown',
      `The server at ${url} says that it has another size or root than ${database}. The file stays closed: find out ` +
        'which server it is before anything else.',
    )
  }
  mark.state = 'moved'
  writeMoveMark(database, mark)
}

/** Opens the file again if the server certainly will not install it, and throws; resolves if it did install it. */
export async function afterFailure(
  database: string,
  caller: MoveCaller,
  mark: MoveMark,
  error: unknown,
): Promise<MovedLedger[]> {
  if (error instanceof LedgerError && error.code === 'outcome_unknown') throw error
  if (mark.state === 'installing') {
    const ledgers = await whatTheServerSays(caller, mark, database)
    if (ledgers !== undefined) return ledgers
  } else {
    // It was never asked to install, so it never will; this only spares it the space.
    await caller.cancel(mark.moveId).catch(() => undefined)
  }
  unsealFile(database)
  removeMoveMark(database)
  const code = error instanceof LedgerError ? error.code : 'storage_failed'
  throw new LedgerError(
    code,
    `${sentenceOf(error)}. Nothing was moved; ${database} can be written to as before.`,
    { cause: error },
  )
}

/** What the server has installed of this move; undefined: it has not, and has given it up for good. */
export async function whatTheServerSays(
  caller: MoveCaller,
  mark: MoveMark,
  database: string,
): Promise<MovedLedger[] | undefined> {
  const { moveId, url } = mark
  let status: MoveStatus
  try {
    status = await caller.status()
    if (status.state !== 'installed') status = await caller.cancel(moveId)
  } catch (cause) {
    throw outcomeUnknown(database, url, sentenceOf(cause), cause)
  }
  const isOurs = status.state !== 'awaiting' && status.moveId === moveId
  if (isOurs && status.state === 'installed') return status.ledgers
  // One that knows nothing of the move proves nothing: another one may have installed it.
  if (!isServerOf(mark, status)) throw outcomeUnknown(database, url, anotherServer)
  if (isOurs) throw outcomeUnknown(database, url, 'it does not give the move up')
  return undefined
}

/** Whether an answer is of the server that was asked to install the ledger. */
export function isServerOf({ server }: MoveMark, status: MoveStatus): boolean {
  return server !== undefined && status.server === server
}

/** Why the word of a server proves nothing. */
export const anotherServer =
  'another server answers at this address than the one that was asked to install it, or the same on another data folder'

/** What is said when the file has to stay closed. */
export function outcomeUnknown(database: string, url: string, why: string, cause?: unknown): LedgerError {
  return new LedgerError(
    'outcome_unknown',
    `It is not known whether the server at ${url} has installed the ledger: ${why.replace(/\.$/, '')}. ${database} stays ` +
      `closed until it is. Run "deedbox move ${database} --to ${url}" again when that server answers: it finds out, and finishes.`,
    { cause },
  )
}
