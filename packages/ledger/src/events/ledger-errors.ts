import { EventRefusal } from 'deedbox/event-rules'
import { LedgerError } from '../errors.ts'

/** An event's refusal as an error of the ledger; anything else as it is. */
export function asLedgerError(error: unknown): unknown {
  if (!(error instanceof EventRefusal)) return error
  return new LedgerError(error.code, error.message, { cause: error.cause })
}

/** What a rule about events answers; what it refuses is thrown as an error of the ledger. */
export function withLedgerErrors<T>(rule: () => T): T {
  try {
    return rule()
  } catch (error) {
    throw asLedgerError(error)
  }
}
