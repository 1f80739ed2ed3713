import type { LedgerRow, SqliteReader } from '../store/index.ts'
import type { DataCheck, DataReport } from './data-report.ts'
import { LedgerVerification } from './ledger-verification.ts'

/**
 * Re-reads and re-derives everything: the file's tables and indexes, each leaf, each part against its commitment,
 * each search column against the part it came from, each tile, each published checkpoint, idempotency and API keys,
 * and the root against the signature (pitfall P1). Reads one snapshot, so it may run while the ledger is written.
 *
 * In this thread and at one go; `verifyInThreads` does the same on all processors and can be interrupted.
 *
 * @throws LedgerError `storage_failed` when the system does not let the file be read; damage is a finding
 */
export function verifyData(reader: SqliteReader, ledger: LedgerRow, check: DataCheck): DataReport {
  return reader.snapshot(() => {
    const verification = new LedgerVerification(reader, ledger, check)
    try {
      verification.addIntegrityProblems(reader.integrityProblems())
      if (verification.begin()) checkAll(verification)
    } catch (error) {
      verification.addDamage(error)
    }
    return verification.report()
  })
}

function checkAll(verification: LedgerVerification): void {
  for (;;) {
    const stretch = verification.nextStretch(verification.done)
    if (stretch === undefined || !verification.take(verification.checkHere(stretch))) break
  }
  verification.end()
}
