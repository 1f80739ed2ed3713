import { type Checkpoint, openCheckpoint, parseVerifierKey } from '@deedbox/tlog'
import { nodeCrypto } from '@deedbox/tlog/node'
import { LedgerError } from '../errors.ts'
import type { HeadRow, LedgerRow, StoreTransaction } from '../store/index.ts'
import { checkExtends } from './check-extends.ts'
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
  await checkExtends(tx, ledger.ledgerId, guarded, head)
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
