import { Ajv } from 'ajv'
import { checkEvent, type EventParts, type EventSource, eventSchema } from 'deedbox/event-rules'
import { columnsOfMeta, columnsOfParts, type EventColumns } from './columns.ts'
import type { EventMeta } from './event-meta.ts'
import { withLedgerErrors } from './ledger-errors.ts'

/** One event as a caller hands it over, in-process or through HTTP. */
export interface EventInput {
  /** Opaque text, JSON by convention; 65,536 bytes of UTF-8 at most. Committed to exactly as it is. */
  payload: string
  meta: EventMeta
  /** A repeat with the same key and the same content is answered with the first one's `txId`. */
  idempotencyKey?: string
  /** Correlates the acknowledgement with the caller's request; made by the ledger if absent. */
  requestId?: string
}

/** An event that passed every check, in the bytes that will be committed to. Plain data: it crosses threads. */
export interface PreparedEvent extends EventParts {
  columns: EventColumns
}

const matches = new Ajv({ allErrors: false, strict: true, strictTypes: false }).compile(eventSchema)

/**
 * Checks one event and brings it into the form that is committed to.
 *
 * @param source `parser`: the input came out of `parseStrictJson`, so that its texts are sound and reading it twice
 *   shows the same; `caller`: nothing is known about it
 * @throws LedgerError `invalid_event`, `invalid_payload`, `invalid_meta`, `invalid_text`, `number_not_exact`,
 *   `payload_too_large`, `meta_too_large`, `invalid_idempotency_key`
 */
export function prepareEvent(input: EventInput, source: EventSource = 'caller'): PreparedEvent {
  const parts = withLedgerErrors(() => checkEvent(input, source, findFault))
  const columns = source === 'parser' ? columnsOfMeta(input.meta) : columnsOfParts(parts.core, parts.context)
  return { ...parts, columns }
}

function findFault(event: object) {
  return matches(event) ? undefined : matches.errors?.[0]
}
