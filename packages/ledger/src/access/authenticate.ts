import { hash } from 'node:crypto'
import { LedgerError } from '../errors.ts'
import type { ApiKeyRow } from '../store/index.ts'
import { hashOfKey, type Scope } from './api-keys.ts'

/** A key is looked up again after this many milliseconds, so a revocation holds everywhere within a second. */
export const trustFor: number = 500

/** A flood of wrong keys must not fill the memory: then the cache starts over. */
const maxCached = 10_000

/** Who a request comes from. */
export interface Caller {
  principal: string
  scopes: readonly string[]
  /** The ledger that the key is of. */
  ledgerId: number
}

/** Tells callers by the `Authorization` header of their request. */
export class Authenticator {
  readonly #find: (hash: Uint8Array) => ApiKeyRow | null
  readonly #ledgerId: number
  readonly #onUse: (keyId: string, at: number) => void
  readonly #cache = new Map<string, { row: ApiKeyRow | null; until: number }>()

  /**
   * @param find looks a key up by the SHA-256 of its text
   * @param ledgerId the ledger that is meant where a call names none: the first of the file
   * @param onUse told of each request that came with a valid key, at which milliseconds since the epoch
   */
  constructor(
    find: (hash: Uint8Array) => ApiKeyRow | null,
    ledgerId: number,
    onUse: (keyId: string, at: number) => void = () => undefined,
  ) {
    this.#find = find
    this.#ledgerId = ledgerId
    this.#onUse = onUse
  }

  /**
   * @throws LedgerError `missing_api_key`, `invalid_api_key` (unknown, expired and revoked look the same from
   *   outside), `insufficient_scope`, also for a key of another ledger
   */
  authenticate(authorization: string | undefined, scope: Scope, ledgerId: number = this.#ledgerId): Caller {
    if (authorization === undefined) {
      throw new LedgerError('missing_api_key', 'Send your API key in the header "Authorization: Bearer …".')
    }
    const key = /^Bearer +(\S+)$/i.exec(authorization)?.[1]
    const row = key === undefined ? null : this.#lookUp(key)
    const now = Date.now()
    const usable = row !== null && row.revokedAt === null && (row.expiresAt === null || row.expiresAt > now)
    if (!usable) {
      throw new LedgerError(
        'invalid_api_key',
        'This API key is not valid here. Check the key and the address.',
      )
    }
    this.#onUse(row.keyId, now)
    if (row.ledgerId !== ledgerId) {
      throw new LedgerError(
        'insufficient_scope',
        'This API key belongs to another ledger. Use one that was created for this ledger.',
      )
    }
    if (!row.scopes.includes(scope)) {
      throw new LedgerError(
        'insufficient_scope',
        `This call needs a key with the scope "${scope}"; this one has: ${row.scopes.join(', ')}.`,
      )
    }
    return { principal: row.principal, scopes: row.scopes, ledgerId: row.ledgerId }
  }

  /** Looks every key up again from now on: this process has just changed one. */
  forget(): void {
    this.#cache.clear()
  }

  #lookUp(key: string): ApiKeyRow | null {
    const now = performance.now()
    // The cache holds hashes only: a dump of this process's memory should not be a list of keys.
    const name = hash('sha256', key, 'base64')
    const cached = this.#cache.get(name)
    if (cached !== undefined && cached.until > now) return cached.row
    const row = this.#find(hashOfKey(key))
    if (this.#cache.size >= maxCached) this.#cache.clear()
    this.#cache.set(name, { row, until: now + trustFor })
    return row
  }
}
