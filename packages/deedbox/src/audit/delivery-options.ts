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

/** Says something about what goes wrong, at most once a minute per code. */
export type Warn = (code: string, message: string, fields?: Record<string, unknown>) => void
