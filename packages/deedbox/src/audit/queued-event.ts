import type { AuditEvent } from './audit-event.ts'
import type { LedgerResult } from './ledger-client.ts'
import type { SendError } from './send-error.ts'

/** One event that waits, and whoever waits for it. */
export interface QueuedEvent {
  readonly event: AuditEvent
  /** Told the outcome, once; absent for automatic events. */
  readonly settle: ((outcome: LedgerResult | SendError) => void) | undefined
  /**
   * Told, once, whether an automatic event survives the death of this process, where only the ledger can say so. Unlike
   * one with {@link settle}, the event stays whatever this says.
   */
  onKept?: ((isKept: boolean) => void) | undefined
  /**
   * Told, once, what the first attempt at an automatic event came to; the event stays after one that failed for now. It is
   * taken before all others, also in a pause.
   */
  onAttempt?: ((outcome: LedgerResult | Error) => void) | undefined
  /** Whoever waited was told that it failed: it must not be delivered any more. */
  givenUp?: boolean
  /** Whether it is too long for a spool, and waits in memory alone. */
  isUnfit?: boolean
  /** Its place in a spool, if it has one. */
  place?: SpoolPlace | undefined
}

/** Whether somebody waits for what becomes of it. */
export function isAwaited({ settle, onKept, onAttempt, givenUp }: QueuedEvent): boolean {
  return (settle !== undefined && givenUp !== true) || onKept !== undefined || onAttempt !== undefined
}

/** Where an event lies in a spool. */
export interface SpoolPlace {
  readonly files: PlaceFiles
  /** Its number in the spool. */
  readonly id: number
  /** The file that it is written to; absent before. */
  segment: Segment | undefined
  /** Whether it needs no delivery any more. */
  isSettled: boolean
  /** Whether it is written. */
  isWritten: boolean
  /** Whether it waits in memory, too. */
  inMemory: boolean
  /** Told, once, whether the event could be written. */
  onWritten: ((isWritten: boolean) => void) | undefined
}

/** The files of a spool, as far as an event in it is concerned. */
export interface PlaceFiles {
  /** Whether they were removed by somebody else. */
  readonly isGone: boolean
  /** Notes that an event needs no delivery any more. */
  settle(place: SpoolPlace): void
}

/** One file of a spool. */
export interface Segment {
  readonly number: number
  readonly path: string
  /** Open for writing. */
  fd: number | undefined
  size: number
  /** Bytes from the beginning that are written for sure. */
  written: number
  /** Events in it that still need delivery. */
  waiting: number
  /** Writes that have not come back. */
  writing: number
}
