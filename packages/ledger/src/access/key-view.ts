import type { ApiKeyRow } from '../store/index.ts'

/** `replaced`: it still works, but another key has taken its place. */
export type KeyState = 'active' | 'replaced' | 'expired' | 'revoked'

/** An API key as the ledger shows it, in-process and over HTTP: neither its text nor its hash. Times are ISO 8601. */
export interface ApiKeyView {
  key_id: string
  name: string
  /** The ledger of the file that it is of, by its name. */
  ledger: string
  /** Who writes with it; survives rotation. */
  principal: string
  scopes: string[]
  state: KeyState
  created_at: string
  expires_at: string | null
  revoked_at: string | null
  /** The key that took its place. */
  replaced_by: string | null
  /** A note, not part of what the ledger proves; null: not yet. */
  last_used_at: string | null
}

/**
 * @param ledger the name of the key's ledger
 * @param seen the newest use that this process knows of, which may be later than the table's
 */
export function keyView(row: ApiKeyRow, ledger: string, seen: number | undefined, now: number): ApiKeyView {
  const used = Math.max(row.lastUsedAt ?? 0, seen ?? 0)
  return {
    key_id: row.keyId,
    name: row.name,
    ledger,
    principal: row.principal,
    scopes: row.scopes,
    state: stateOf(row, now),
    created_at: new Date(row.createdAt).toISOString(),
    expires_at: timeText(row.expiresAt),
    revoked_at: timeText(row.revokedAt),
    replaced_by: row.replacedBy,
    last_used_at: timeText(used === 0 ? null : used),
  }
}

function stateOf({ revokedAt, expiresAt, replacedBy }: ApiKeyRow, now: number): KeyState {
  if (revokedAt !== null) return 'revoked'
  if (expiresAt !== null && expiresAt <= now) return 'expired'
  return replacedBy === null ? 'active' : 'replaced'
}

function timeText(time: number | null): string | null {
  return time === null ? null : new Date(time).toISOString()
}
