import type { ApiKeyRow, LedgerRow, SqliteInspection } from '../store/index.ts'
import type { Findings } from './findings.ts'

/** The `event_name` of the admin leaf that records the creation of an API key. */
export const keyCreated = 'deedbox.key.created'

/** What both the leaf and the row say about a key, each value in one spelling. */
type KeyRecord = Record<
  'key_id' | 'ledger_id' | 'principal' | 'name' | 'scopes' | 'hash' | 'expires_at',
  string
>

/**
 * Compares table `api_keys` with the leaves that record keys: a key slipped in, a scope raised or an expiry put off
 * would let somebody write or read without any event that says so.
 */
export class ApiKeyCheck {
  readonly #findings: Findings
  readonly #own: string
  /** By hash. A text that was created a second time kept its first row. */
  readonly #created = new Map<string, { index: number; record: KeyRecord }>()

  /** @param own the name of the ledger whose leaves are read; a key of another names that one in its leaf */
  constructor(findings: Findings, own: string) {
    this.#findings = findings
    this.#own = own
  }

  /** Takes note of an admin leaf named {@link keyCreated} whose payload is the committed one. */
  expect(index: number, payload: Uint8Array): void {
    const said = JSON.parse(Buffer.from(payload).toString('utf8')) as Record<string, unknown>
    const scopes = Array.isArray(said.scopes) ? said.scopes.join(' ') : ''
    const record: KeyRecord = {
      key_id: String(said.key_id),
      ledger_id: String(said.ledger ?? this.#own),
      principal: String(said.principal),
      name: String(said.name),
      scopes,
      hash: String(said.hash),
      expires_at: String(said.expires_at),
    }
    if (!this.#created.has(record.hash)) this.#created.set(record.hash, { index, record })
  }

  /** Reads the table, after the last event. */
  compare(inspection: SqliteInspection, ledgers: readonly LedgerRow[]): void {
    for (const row of inspection.apiKeys()) {
      const ledger = ledgers.find(({ ledgerId }) => ledgerId === row.ledgerId)
      const record = recordOf(row, ledger?.name ?? '')
      const created = this.#created.get(record.hash)
      if (created === undefined) {
        this.#findings.add(
          'index_mismatch',
          `Table api_keys, key ${row.keyId}: no leaf records its creation.`,
        )
        continue
      }
      this.#created.delete(record.hash)
      for (const column of Object.keys(record) as (keyof KeyRecord)[]) {
        if (record[column] === created.record[column]) continue
        this.#findings.add(
          'index_mismatch',
          `Table api_keys, key ${created.record.key_id}, column ${column}: not what its leaf says.`,
          created.index,
        )
      }
    }
    for (const { index, record } of this.#created.values()) {
      this.#findings.add('index_mismatch', `Table api_keys has no row of the key ${record.key_id}.`, index)
    }
  }
}

function recordOf(row: ApiKeyRow, ledgerName: string): KeyRecord {
  return {
    key_id: row.keyId,
    ledger_id: ledgerName,
    principal: row.principal,
    name: row.name,
    scopes: row.scopes.join(' '),
    hash: Buffer.from(row.hash).toString('hex'),
    expires_at: String(row.expiresAt),
  }
}
