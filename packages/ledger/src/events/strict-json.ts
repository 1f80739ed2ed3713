import * as rules from 'deedbox/event-rules'
import { withLedgerErrors } from './ledger-errors.ts'

/**
 * JSON that means the same to everybody who reads it; anything else is refused (pitfall P27).
 * @throws LedgerError `malformed_json`, `duplicate_key`, `number_not_exact`, `invalid_text`, `invalid_event`
 */
export function parseStrictJson(bytes: Uint8Array, where: string): unknown {
  return withLedgerErrors(() => rules.parseStrictJson(bytes, where))
}

/** {@link parseStrictJson} for a text that is already decoded. */
export function parseStrictJsonText(text: string, where: string): unknown {
  return withLedgerErrors(() => rules.parseStrictJsonText(text, where))
}
