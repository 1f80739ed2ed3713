/** When failed deliveries are tried again. Milliseconds. */
export interface BackoffOptions {
  /** The longest wait after the first failure; it doubles with each further one. Default 500. (IP-07) */
  readonly base: number
  /** The longest wait at all. Default 30,000. */
  readonly cap: number
}

/** The waits of IP-07, bounded. */
export const defaultBackoff: BackoffOptions = { base: 500, cap: 30_000 }

/** No ledger's `Retry-After` holds events back longer than this. */
const longestRetryAfter = 3_600_000

/**
 * Milliseconds to wait after the n-th failure in a row (from 1): anything between nothing and base × 2^(n−1), at
 * most the cap, so that many services do not return in step ("full jitter"); never less than the ledger asked
 * for. (IP-07)
 * @param random a number in [0, 1)
 */
export function retryDelay(
  failures: number,
  options: BackoffOptions,
  random: number,
  retryAfter: number | undefined,
): number {
  const longest = Math.min(options.cap, options.base * 2 ** Math.min(failures - 1, 30))
  return Math.max(random * longest, Math.min(retryAfter ?? 0, longestRetryAfter))
}

/**
 * Reads a `Retry-After` header: seconds, or an HTTP date (RFC 9110 §10.2.3).
 * @param now milliseconds since 1970, for the date form
 * @returns milliseconds from now, or `undefined` for an absent or unreadable header
 */
export function readRetryAfter(header: string | null, now: number): number | undefined {
  if (header === null || header.trim() === '') return undefined
  if (/^\s*\d+\s*$/.test(header)) return Number(header) * 1000
  const date = Date.parse(header)
  return Number.isNaN(date) ? undefined : Math.max(0, date - now)
}
