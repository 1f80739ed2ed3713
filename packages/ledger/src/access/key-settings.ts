import { LedgerError } from '../errors.ts'
import { allScopes, type Scope } from './api-keys.ts'

/** The last millisecond of the year 9999: later times have no form in RFC 3339. */
export const latestTime: number = Date.UTC(10_000, 0) - 1

/** The longest overlap of a rotation, in milliseconds: a year. */
export const longestOverlap: number = 365 * 24 * 60 * 60 * 1_000

/**
 * Checks what a key is to be called. Invisible characters could make one key look like another in a list.
 *
 * @throws LedgerError `invalid_key_settings`
 */
export function checkKeyName(name: unknown): string {
  if (typeof name === 'string' && /^[^\p{C}]{1,100}$/u.test(name)) return name
  throw invalid('The name of a key is a text of 1 to 100 visible characters.')
}

/**
 * Checks what a key may do: at least one scope, each once.
 *
 * @throws LedgerError `invalid_key_settings`
 */
export function checkScopes(scopes: unknown): Scope[] {
  const known = Array.isArray(scopes) ? allScopes.filter(scope => scopes.includes(scope)) : []
  if (Array.isArray(scopes) && known.length > 0 && known.length === scopes.length) return scopes as Scope[]
  throw invalid(`The scopes of a key are one or more of ${allScopes.join(', ')}, each once.`)
}

/**
 * Checks who is to write with a key.
 *
 * @throws LedgerError `invalid_key_settings`
 */
export function checkPrincipal(principal: unknown): string {
  if (typeof principal === 'string' && /^[\x20-\x7e]{1,255}$/.test(principal)) return principal
  throw invalid('A principal is 1 to 255 visible ASCII characters.')
}

/**
 * Checks when a key ends: milliseconds since the epoch in the future, or null for never.
 *
 * @throws LedgerError `invalid_key_settings`
 */
export function checkExpiry(expiresAt: unknown, now: number): number | null {
  if (expiresAt === null) return null
  if (typeof expiresAt === 'number' && Number.isInteger(expiresAt)) {
    if (expiresAt > now && expiresAt <= latestTime) return expiresAt
  }
  throw invalid('A key expires in the future and before the year 10000, or never.')
}

/**
 * Checks how long a replaced key goes on working, in milliseconds.
 *
 * @throws LedgerError `invalid_key_settings`
 */
export function checkOverlap(overlap: unknown): number {
  if (typeof overlap === 'number' && Number.isInteger(overlap) && overlap >= 0 && overlap <= longestOverlap) {
    return overlap
  }
  throw invalid('The overlap of a rotation is 0 to 365 days.')
}

function invalid(message: string): LedgerError {
  return new LedgerError('invalid_key_settings', message)
}
