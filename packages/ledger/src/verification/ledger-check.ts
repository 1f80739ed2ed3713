import type { LedgerRow } from '../store/index.ts'
import type { Findings } from './findings.ts'

/** The `event_name` of the admin leaf that records a further ledger of the file. */
export const ledgerCreated = 'deedbox.ledger.created'

/** What both the leaf and the row say about a ledger, by column. */
type LedgerRecord = Record<'kind' | 'origin' | 'verifier_keys', string>

/**
 * Compares table `ledgers` with the leaves of the file's events ledger that record further ones: a key put in the place
 * of another would let somebody else's signatures pass, a ledger slipped in would pass for one of the owner's.
 */
export class LedgerCheck {
  readonly #findings: Findings
  /** By name. */
  readonly #created = new Map<string, { index: number; record: LedgerRecord }>()

  constructor(findings: Findings) {
    this.#findings = findings
  }

  /** Takes note of an admin leaf named {@link ledgerCreated} whose payload is the committed one. */
  expect(index: number, payload: Uint8Array): void {
    const said = JSON.parse(Buffer.from(payload).toString('utf8')) as Record<string, unknown>
    const record = {
      kind: String(said.kind),
      origin: String(said.origin),
      verifier_keys: String(said.verifier_key),
    }
    this.#created.set(String(said.name), { index, record })
  }

  /** Reads the table, after the last event. `own` is the ledger whose leaves were read; none records itself. */
  compare(rows: readonly LedgerRow[], own: number): void {
    for (const row of rows) {
      if (row.ledgerId === own) continue
      const created = this.#created.get(row.name)
      this.#created.delete(row.name)
      if (created === undefined) {
        this.#findings.add(
          'index_mismatch',
          `Table ledgers, ledger "${row.name}": no leaf records its creation.`,
        )
        continue
      }
      const record: LedgerRecord = {
        kind: row.kind,
        origin: row.origin,
        verifier_keys: row.verifierKeys.join('\n'),
      }
      for (const column of Object.keys(record) as (keyof LedgerRecord)[]) {
        if (record[column] === created.record[column]) continue
        this.#findings.add(
          'index_mismatch',
          `Table ledgers, ledger "${row.name}", column ${column}: not what its leaf says.`,
          created.index,
        )
      }
    }
    for (const [name, { index }] of this.#created) {
      this.#findings.add('index_mismatch', `Table ledgers has no row of the ledger "${name}".`, index)
    }
  }
}
