import { existsSync } from 'node:fs'
import { type Checkpoint, openCheckpoint, parseVerifierKey } from '@deedbox/tlog'
import { nodeCrypto } from '@deedbox/tlog/node'
import { LedgerError } from '../errors.ts'
import { checkExtends, readGuard } from '../sequencer/index.ts'
import { type HeadRow, type LedgerRow, openSqliteReader, sentenceOf } from '../store/index.ts'

/** How a database stands to a checkpoint that was signed for its ledger and kept outside of it. */
export type Standing =
  /** The database has it, and perhaps more: going on is safe. */
  | 'extends'
  /** More was signed than the database has: an old copy. */
  | 'behind'
  /** The database is another history. */
  | 'forked'

/** The note in the rollback guard of this machine, or null: there is none of this ledger, or it is switched off. */
export function guardNote(guardFolder: string | null, origin: string): string | null {
  if (guardFolder === null || !existsSync(guardFolder)) return null
  try {
    return readGuard(guardFolder, origin)
  } catch (cause) {
    throw new LedgerError(
      'guard_unusable',
      `The rollback guard in ${guardFolder} cannot be read: ${sentenceOf(cause)}.`,
      { cause },
    )
  }
}

/**
 * Opens a checkpoint of a ledger.
 *
 * @param where for the message, such as `The rollback guard`
 * @throws LedgerError `guard_unusable` when this ledger did not sign it
 */
export function openKept(note: string, { origin, verifierKeys }: LedgerRow, where: string): Checkpoint {
  let opened: Checkpoint | undefined
  let cause: unknown
  try {
    const keys = verifierKeys.map(key => parseVerifierKey(nodeCrypto.sha256, key))
    opened = openCheckpoint(nodeCrypto, note, keys)
  } catch (error) {
    cause = error
  }
  if (opened?.origin === origin) return opened
  throw new LedgerError('guard_unusable', `${where} is not a checkpoint that the ledger ${origin} signed.`, {
    cause,
  })
}

/** Compares a database with such a checkpoint. */
export async function standingOf(
  database: string,
  ledger: LedgerRow,
  head: HeadRow,
  seen: Checkpoint,
): Promise<Standing> {
  const reader = openSqliteReader(database)
  try {
    const tiles = { readTile: (id: number, level: number, n: number) => reader.tile(id, level, n) }
    await checkExtends(tiles, ledger.ledgerId, seen, head)
    return 'extends'
  } catch (error) {
    const { code } = error as { code?: unknown }
    if (code === 'rolled_back') return 'behind'
    if (code === 'fork') return 'forked'
    throw error
  } finally {
    reader.close()
  }
}
