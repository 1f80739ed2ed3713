import { hash, randomBytes } from 'node:crypto'
import { LedgerError } from '../errors.ts'
import type { ApiKeyRow } from '../store/index.ts'

/** What a key may do. `write` does not include `read`, and `admin` includes nothing. */
export type Scope = 'write' | 'read' | 'verify' | 'admin' | 'erase'

/** All of them. */
export const allScopes: readonly Scope[] = ['write', 'read', 'verify', 'admin', 'erase']

/** What a key of a raw ledger can have: the file is administered by its first ledger, and a raw entry is never erased. */
export const rawScopes: readonly Scope[] = ['write', 'read', 'verify']

/** The scopes of a ledger's first key. */
export const firstScopes: readonly Scope[] = ['write', 'read', 'verify']

/** A new key: `deed_live_` and 256 random bits. */
export function newApiKey(): string {
  return `deed_live_${randomBytes(32).toString('base64url')}`
}

/** What is stored instead of a key. With 256 random bits behind it, a plain SHA-256 is beyond guessing. */
export function hashOfKey(key: string): Uint8Array {
  return hash('sha256', key, 'buffer')
}

/**
 * The row of a key.
 *
 * @throws LedgerError `invalid_option` for a key that somebody chose and that is too short to be a secret
 */
export function apiKeyRow(
  key: string,
  ledgerId: number,
  name: string,
  scopes: readonly string[],
  expiresAt: number | null = null,
): ApiKeyRow {
  if (!/^[\x21-\x7e]{32,256}$/.test(key)) {
    throw new LedgerError(
      'invalid_option',
      'An API key is 32 to 256 visible ASCII characters, and this text (of DEEDBOX_BOOTSTRAP_KEY, or of the caller) is ' +
        'not. "deed_live_" and 43 random characters will do; "deedbox keys create" makes one.',
    )
  }
  return {
    keyId: `key_${randomBytes(9).toString('base64url')}`,
    ledgerId,
    principal: `writer_${randomBytes(9).toString('base64url')}`,
    name,
    hash: hashOfKey(key),
    scopes: [...scopes],
    createdAt: Date.now(),
    expiresAt,
    revokedAt: null,
    replacedBy: null,
    lastUsedAt: null,
  }
}

/**
 * What the leaf says of a new key: everything about it but its text.
 *
 * @param ledger the ledger that the key is of, unless that is the one that records it
 */
export function keyRecord(row: ApiKeyRow, ledger?: string): object {
  return {
    key_id: row.keyId,
    principal: row.principal,
    name: row.name,
    scopes: row.scopes,
    hash: Buffer.from(row.hash).toString('hex'),
    expires_at: row.expiresAt,
    ...(ledger === undefined ? {} : { ledger }),
  }
}
