import type { LedgerRow, SqliteInspection } from '../store/index.ts'
import { ApiKeyCheck, isKeyLeafName } from './api-key-check.ts'
import type { Findings } from './findings.ts'
import { LedgerCheck, ledgerCreated } from './ledger-check.ts'
import type { LedgerAct } from './stretch-check.ts'

/**
 * Compares the tables `api_keys` and `ledgers` with what the ledger's own acts say, replayed in their order. The file's
 * events ledger has the leaves that say which API keys and further ledgers there are.
 */
export function checkAdministration(
  findings: Findings,
  inspection: SqliteInspection,
  ledgers: readonly LedgerRow[],
  ledger: LedgerRow,
  acts: readonly LedgerAct[],
): void {
  if (ledger.kind !== 'events') {
    if (ledgers.some(({ kind }) => kind === 'events')) return
    findings.add('index_mismatch', 'Table ledgers has no events ledger; every file begins with one.')
    return
  }
  const apiKeys = new ApiKeyCheck(findings, ledger.name)
  const further = new LedgerCheck(findings)
  for (const { index, name, at, payload } of acts) {
    try {
      if (isKeyLeafName(name)) apiKeys.expect(index, name, at, payload)
      if (name === ledgerCreated) further.expect(index, payload)
    } catch (error) {
      const detail = `A part of event ${index} cannot be read: ${String(error)}`
      findings.add('content_mismatch', detail, index)
    }
  }
  apiKeys.compare(inspection, ledgers)
  further.compare(ledgers, ledger.ledgerId)
}
