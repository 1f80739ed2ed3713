import { leafHash } from '@deedbox/tlog'
import { nodeCrypto } from '@deedbox/tlog/node'
import type { HeadRow, RawLeafRow, StoreTransaction } from '../store/index.ts'
import { currentTree, type LedgerState, moveTree } from './sequence.ts'

/**
 * Sequences the entries of a raw ledger inside one transaction, as `sequence` does with events: the bytes are the
 * leaf, each gets the next index, and nothing is looked for twice.
 *
 * @returns the indices, in order, and the new head
 * @throws LedgerError `edge_damaged` when the stored tiles do not hash to the stored root
 */
export async function sequenceRaw(
  tx: StoreTransaction,
  ledger: LedgerState,
  entries: readonly Uint8Array[],
  now: number,
): Promise<{ results: number[]; head: HeadRow }> {
  const from = await tx.head(ledger.ledgerId)
  const tree = await currentTree(tx, ledger, from)
  const at = Math.max(now, from.at)
  const rows: RawLeafRow[] = entries.map((leaf, i) => ({ index: from.size + i, leaf, at }))
  for (const { leaf } of rows) tree.append(leafHash(nodeCrypto.sha256, leaf))
  await tx.insertRawLeaves(ledger.ledgerId, rows)
  return { results: rows.map(row => row.index), head: await moveTree(tx, ledger, from, tree, at) }
}
