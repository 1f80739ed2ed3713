import {
  type Checkpoint,
  checkConsistency,
  consistencySubtrees,
  openCheckpoint,
  parseVerifierKey,
  proveConsistency,
  type TileReader,
  tileSubtreeReader,
  tilesForSubtrees,
} from '@deedbox/tlog'
import { nodeCrypto } from '@deedbox/tlog/node'
import { LedgerError } from '../errors.ts'
import type { HeadRow, LedgerRow, StoreTransaction } from '../store/index.ts'
import type { RollbackGuard } from './rollback-guard.ts'

/**
 * Compares the database with the guard's last signed checkpoint before anything is signed anew (pitfall P22).
 *
 * @returns a sentence for the operator when there is something to say, else null
 * @throws LedgerError `rolled_back` when the database is behind the guard, `fork` when it is another history
 */
export async function checkGuard(
  tx: StoreTransaction,
  guard: RollbackGuard,
  ledger: LedgerRow,
  head: HeadRow,
): Promise<string | null> {
  const kept = guard.read(ledger.origin)
  if (kept === null) {
    return head.size === 0
      ? null
      : `There is no rollback guard for ${ledger.origin} in the guard folder; from now on one is kept. ` +
          'Nobody can tell whether this database is the newest: compare it with a checkpoint kept elsewhere.'
  }
  const guarded = openGuarded(kept, ledger)
  if (guarded.size > head.size) {
    throw new LedgerError(
      'rolled_back',
      `The database has ${head.size} entries, but ${guarded.size} were signed already: an old copy was restored. ` +
        'Put the newest database back. If it is lost, the tree has to be closed and a new origin opened, ' +
        'so that no second history is signed.',
    )
  }
  try {
    const tiles = await consistencyTiles(tx, ledger.ledgerId, guarded.size, head.size)
    const read = tileSubtreeReader(nodeCrypto.sha256, tiles, head.size)
    const proof = proveConsistency(nodeCrypto.sha256, guarded.size, head.size, read)
    checkConsistency(nodeCrypto.sha256, {
      oldSize: guarded.size,
      newSize: head.size,
      oldRoot: guarded.root,
      newRoot: head.root,
      proof,
    })
  } catch (cause) {
    throw new LedgerError(
      'fork',
      `The database does not extend the checkpoint of size ${guarded.size} that was signed before: it was replaced ` +
        'or changed. Nothing is signed on top of it. Run "deedbox verify --data …" to see what differs.',
      { cause },
    )
  }
  return guarded.size === head.size
    ? null
    : `The rollback guard was at ${guarded.size}, the database is at ${head.size} and extends it. Going on.`
}

function openGuarded(kept: string, ledger: LedgerRow): Checkpoint {
  try {
    return openCheckpoint(
      nodeCrypto,
      kept,
      ledger.verifierKeys.map(key => parseVerifierKey(nodeCrypto.sha256, key)),
    )
  } catch (cause) {
    throw new LedgerError(
      'guard_unusable',
      `The rollback guard of ${ledger.origin} is not a checkpoint signed by this ledger. Find out who changed it; ` +
        'delete the file to go on without it.',
      { cause },
    )
  }
}

/** Fetches the tiles that the consistency proof reads, since the store may be asynchronous and the proof is not. */
async function consistencyTiles(
  tx: StoreTransaction,
  ledgerId: number,
  oldSize: number,
  newSize: number,
): Promise<TileReader> {
  const tiles = new Map<string, Uint8Array>()
  for (const { level, n } of tilesForSubtrees(consistencySubtrees(oldSize, newSize), newSize)) {
    tiles.set(`${level}/${n}`, (await tx.readTile(ledgerId, level, n)) ?? new Uint8Array())
  }
  return (level, n) => tiles.get(`${level}/${n}`) ?? new Uint8Array()
}
