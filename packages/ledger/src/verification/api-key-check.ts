import type { ApiKeyRow, LedgerRow, SqliteInspection } from '../store/index.ts'
import type { Findings } from './findings.ts'

/** The `event_name` of each kind of admin leaf that changes table `api_keys`. */
export type KeyLeafName = 'deedbox.key.created' | 'deedbox.key.rotated' | 'deedbox.key.revoked'

const names: readonly string[] = ['deedbox.key.created', 'deedbox.key.rotated', 'deedbox.key.revoked']

/** Whether a leaf of this `event_name` changes table `api_keys`. */
export function isKeyLeafName(name: string | null): name is KeyLeafName {
  return name !== null && names.includes(name)
}

/** What both the leaves and the row say about a key, each value in one spelling. */
type Column =
  | 'key_id'
  | 'ledger_id'
  | 'principal'
  | 'name'
  | 'scopes'
  | 'hash'
  | 'created_at'
  | 'expires_at'
  | 'revoked_at'
  | 'replaced_by'

/** A value, and the leaf that said it last. */
type Expected = Record<Column, { value: string; index: number }>

/**
 * Compares table `api_keys` with the leaves that record keys, replayed in their order: a key slipped in, a scope
 * raised, an expiry put off or a revocation undone would let somebody write or read without any event that says so.
 */
export class ApiKeyCheck {
  readonly #findings: Findings
  readonly #own: string
  /** By hash. A text that was created a second time kept its first row. */
  readonly #byHash = new Map<string, Expected>()
  readonly #byId = new Map<string, Expected>()

  /** @param own the name of the ledger whose leaves are read; a key of another names that one in its leaf */
  constructor(findings: Findings, own: string) {
    this.#findings = findings
    this.#own = own
  }

  /** Takes note of an admin leaf whose payload is the committed one; `at` is its time in milliseconds. */
  expect(index: number, name: KeyLeafName, at: number, payload: Uint8Array): void {
    const said = JSON.parse(Buffer.from(payload).toString('utf8')) as Record<string, unknown>
    if (name !== 'deedbox.key.revoked') this.#add(index, at, said)
    if (name === 'deedbox.key.created') return
    const id = String(name === 'deedbox.key.rotated' ? said.replaces : said.key_id)
    const key = this.#byId.get(id)
    if (key === undefined) {
      this.#findings.add(
        'index_mismatch',
        `The leaf ${index} is about the key ${id}, which no leaf creates.`,
        index,
      )
    } else if (name === 'deedbox.key.rotated') {
      key.replaced_by = { value: String(said.key_id), index }
      key.expires_at = { value: String(said.replaced_expires_at), index }
    } else key.revoked_at = { value: String(said.revoked_at), index }
  }

  /** Reads the table, after the last event. */
  compare(inspection: SqliteInspection, ledgers: readonly LedgerRow[]): void {
    for (const row of inspection.apiKeys()) {
      const ledger = ledgers.find(({ ledgerId }) => ledgerId === row.ledgerId)
      const stored = valuesOf(row, ledger?.name ?? '')
      const expected = this.#byHash.get(stored.hash)
      if (expected === undefined) {
        this.#findings.add(
          'index_mismatch',
          `Table api_keys, key ${row.keyId}: no leaf records its creation.`,
        )
        continue
      }
      this.#byHash.delete(stored.hash)
      for (const column of Object.keys(stored) as Column[]) {
        const { value, index } = expected[column]
        if (stored[column] === value) continue
        const detail = `Table api_keys, key ${expected.key_id.value}, column ${column}: not what its leaf says.`
        this.#findings.add('index_mismatch', detail, index)
      }
    }
    for (const { key_id } of this.#byHash.values()) {
      this.#findings.add(
        'index_mismatch',
        `Table api_keys has no row of the key ${key_id.value}.`,
        key_id.index,
      )
    }
  }

  #add(index: number, at: number, said: Record<string, unknown>): void {
    const value = (text: unknown) => ({ value: String(text), index })
    const hash = String(said.hash)
    if (this.#byHash.has(hash)) return
    const key: Expected = {
      key_id: value(said.key_id),
      ledger_id: value(said.ledger ?? this.#own),
      principal: value(said.principal),
      name: value(said.name),
      scopes: value(Array.isArray(said.scopes) ? said.scopes.join(' ') : ''),
      hash: value(hash),
      created_at: value(at),
      expires_at: value(said.expires_at),
      revoked_at: value(null),
      replaced_by: value(null),
    }
    this.#byHash.set(hash, key)
    this.#byId.set(key.key_id.value, key)
  }
}

function valuesOf(row: ApiKeyRow, ledgerName: string): Record<Column, string> {
  return {
    key_id: row.keyId,
    ledger_id: ledgerName,
    principal: row.principal,
    name: row.name,
    scopes: row.scopes.join(' '),
    hash: Buffer.from(row.hash).toString('hex'),
    created_at: String(row.createdAt),
    expires_at: String(row.expiresAt),
    revoked_at: String(row.revokedAt),
    replaced_by: String(row.replacedBy),
  }
}
