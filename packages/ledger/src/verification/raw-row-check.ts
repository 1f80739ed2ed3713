import { parts } from '@deedbox/tlog'
import { columnNames } from '../events/index.ts'
import type { LedgerRow } from '../store/index.ts'
import { partOf } from '../stored-event.ts'
import type { Findings } from './findings.ts'
import type { AuditedRow } from './row-check.ts'

/**
 * Checks one row of a raw ledger. Its bytes are the leaf, so the tree alone says whether they are the committed ones;
 * beside them a row has only its time, which nothing vouches for, but which never decreases.
 *
 * @param lastAt the time of the row before, milliseconds
 * @returns whether nothing was found
 */
export function checkRawRow(row: AuditedRow, ledger: LedgerRow, lastAt: number, findings: Findings): boolean {
  const before = findings.count
  const is = (column: string, sound: boolean) => {
    if (sound) return
    const detail = `Table events, row ${row.index}, column ${column}: not as in a row of a raw ledger.`
    findings.add('index_mismatch', detail, row.index)
  }
  is('kind', String(row.kind) === 'raw')
  is('ledger_id', row.ledgerColumn === ledger.ledgerId)
  is('at', row.at >= lastAt)
  for (const part of parts) is(part, partOf(row, part) === null)
  for (const column of columnNames) is(column, row.columns[column] === null)
  return findings.count === before
}
