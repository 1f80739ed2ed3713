import type { RequestRecord } from './record.ts'

/**
 * What the response to a request waits for. `open`: nothing. `buffer`: that its event survives the death of the process.
 * `closed`: that the ledger has acknowledged its event, without which it is withheld. `off`: there is no event.
 */
export type AuditMode = 'open' | 'buffer' | 'closed' | 'off'

/** All modes that a request can have. */
export const auditModes: readonly AuditMode[] = ['open', 'buffer', 'closed', 'off']

/** The part of a request that decides about its mode. */
export type Routed = Pick<RequestRecord, 'method' | 'route' | 'path'>

/** What exchanges need of the auditor of their instance. */
export interface AuditGate {
  /** The mode of a request by its route; absent where all are `open`. */
  readonly modeOf: ((request: Routed) => AuditMode) | undefined
  /** Seconds after which a client whose response was withheld may ask again. */
  readonly retryAfter: number
  /**
   * Takes the event of a request whose response begins. Resolves to whether the response may go. Never rejects.
   * @param record the request as far as it has come
   */
  admit(record: RequestRecord, mode: 'buffer' | 'closed'): Promise<boolean>
  /** Takes the event of a request that is over and has none yet. Must not throw. */
  offer(record: RequestRecord): void
  /** A mode was asked for after the response had begun. */
  warnLate(): void
}
