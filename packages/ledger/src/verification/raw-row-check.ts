import { parts } from '@deedbox/tlog'
import { columnNames } from '../events/index.ts'
import type { LedgerRow } from '../store/index.ts'
import { partOf } from '../stored-event.ts'
import type { Findings } from './findings.ts'
import type { AuditedRow } from './row-check.ts'

/**
 * Checks the rows of a raw ledger, each in itself. Its bytes are the leaf, so the tree alone says whether they are the
 * committed ones; beside them a row has only its time, which nothing vouches for, but which never decreases.
 */
export class RawRowCheck {
  /** Rows of which everything was checked and is well. */
  checked = 0
  /** Milliseconds since the epoch, of the last row read; 0 before the first. By the server's own account. */
  lastAt = 0
  readonly #ledger: LedgerRow
  readonly #findings: Findings

  constructor(ledger: LedgerRow, findings: Findings) {
    this.#ledger = ledger
    this.#findings = findings
  }

  check(row: AuditedRow): void {
    const before = this.#findings.count
    const is = (column: string, sound: boolean) => {
      if (sound) return
      this.#findings.add('index_mismatch', unlikeRaw(row.index, column), row.index)
    }
    is('kind', String(row.kind) === 'raw')
    is('ledger_id', row.ledgerColumn === this.#ledger.ledgerId)
    is('at', row.at >= this.lastAt)
    for (const part of parts) is(part, partOf(row, part) === null)
    for (const column of columnNames) is(column, row.columns[column] === null)
    this.lastAt = row.at
    if (this.#findings.count === before) this.checked++
  }
}

/** The finding about a column that no raw ledger has written so. */
export function unlikeRaw(index: number, column: string): string {
  return `Table events, row ${index}, column ${column}: not as in a row of a raw ledger.`
}
