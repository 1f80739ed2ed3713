import {
  checkConsistency,
  consistencySubtrees,
  proveConsistency,
  type TileReader,
  TlogError,
  tileSubtreeReader,
  tilesForSubtrees,
} from '@deedbox/tlog'
import { nodeCrypto } from '@deedbox/tlog/node'
import { LedgerError } from '../errors.ts'
import type { HeadRow, StoreTransaction } from '../store/index.ts'

/**
 * Makes sure that the database's head continues a state that was signed before: kept by the guard, or seen by this
 * very process. Otherwise the next signature would start a second history (pitfall P22).
 *
 * @throws LedgerError `rolled_back` when the database is behind that state, `fork` when it is another history
 */
export async function checkExtends(
  tx: Pick<StoreTransaction, 'readTile'>,
  ledgerId: number,
  signed: { size: number; root: Uint8Array },
  head: HeadRow,
): Promise<void> {
  if (signed.size > head.size) {
    throw new LedgerError(
      'rolled_back',
      `The database has ${head.size} entries, but ${signed.size} were signed already: an old copy was restored. ` +
        'Put the newest database back. If it is lost, run "deedbox recover --after-restore --data …": it closes ' +
        'this tree and opens a new origin, so that no second history is signed.',
    )
  }
  if (signed.size === head.size && Buffer.compare(signed.root, head.root) === 0) return
  const tiles = await consistencyTiles(tx, ledgerId, signed.size, head.size)
  try {
    const read = tileSubtreeReader(nodeCrypto.sha256, tiles, head.size)
    checkConsistency(nodeCrypto.sha256, {
      oldSize: signed.size,
      newSize: head.size,
      oldRoot: signed.root,
      newRoot: head.root,
      proof: proveConsistency(nodeCrypto.sha256, signed.size, head.size, read),
    })
  } catch (cause) {
    if (!(cause instanceof TlogError)) throw cause
    throw new LedgerError(
      'fork',
      `The database does not extend the checkpoint of size ${signed.size} that was signed before: it was replaced ` +
        'or changed. Nothing is signed on top of it. Run "deedbox verify --data …" to see what differs, and put the ' +
        'newest backup back with "deedbox restore"; if none extends that checkpoint, "deedbox recover --after-restore".',
      { cause },
    )
  }
}

/** Fetches the tiles that the consistency proof reads, since the store may be asynchronous and the proof is not. */
async function consistencyTiles(
  tx: Pick<StoreTransaction, 'readTile'>,
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
