import type { AuditEvent } from './audit-event.ts'
import type { Backlog, BacklogListener } from './backlog.ts'
import type { BackoffOptions } from './backoff.ts'
import type { LedgerResult } from './ledger-client.ts'

/** How events are delivered. Times in milliseconds. */
export interface DeliveryOptions {
  /**
   * Events that may wait in memory; beyond it they wait in the spool, and without one the newest are dropped, counted
   * and told. Default 10,000.
   */
  readonly capacity?: number
  /** How long the first event of a batch waits for company. Default 25. */
  readonly linger?: number
  readonly backoff?: BackoffOptions
  /** How long nothing is sent after a 429 that names no time itself. Default one hour. (IP-06) */
  readonly quotaPause?: number
}

/** The quota is a month's, so nothing waits longer for a new one. Milliseconds. */
export const longestQuotaPause: number = 2_678_400_000

/** No 429 pauses for less, whatever it names: its events would be sent again and again. Milliseconds. */
const shortestQuotaPause = 1_000

/**
 * How long nothing is sent after a 429. (IP-06)
 * @param retryAfter what it names itself, in milliseconds
 * @param otherwise where it names nothing
 */
export function quotaPauseOf(retryAfter: number | undefined, otherwise: number): number {
  const pause = retryAfter === undefined ? otherwise : Math.max(retryAfter, shortestQuotaPause)
  return Math.min(pause, longestQuotaPause)
}

/** Events and bytes of payload in one batch; proxies often refuse bodies beyond one megabyte. */
export const batchCount: number = 256
export const batchBytes: number = 600_000

/** Events that may wait in memory. */
export const defaultCapacity: number = 10_000

/** Keeps what a ledger refused for good. */
export interface Refused {
  /** Returns whether it is kept. */
  add(event: AuditEvent, result: Extract<LedgerResult, { ok: false }>): boolean
}

/** What delivery works on, where that is more than memory. */
export interface DeliveryStore {
  readonly backlog: (listener: BacklogListener) => Backlog
  readonly refused: Refused
}

/** Says something about what goes wrong, at most once a minute per code; a WARNING unless a level is given. */
export type Warn = (
  code: string,
  message: string,
  fields?: Record<string, unknown>,
  level?: 'INFO' | 'WARNING',
) => void
