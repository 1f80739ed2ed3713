import type { EventMeta } from './event-meta.ts'

/**
 * The search columns of an event: copies of committed members that an index needs.
 *
 * Each is derived by {@link columnsOfMeta} from the committed bytes and nothing else, so a verifier derives it
 * again and compares (verdict `index_mismatch`). Nothing is searchable that is not attested.
 */
export interface EventColumns {
  type: string | null
  event_name: string | null
  service: string | null
  env: string | null
  request_id: string | null
  trace_id: string | null
  immutable_trail: string | null
  actor_id: string | null
  subject: string | null
  correlation_id: string | null
  outcome: string | null
}

/** The names of {@link EventColumns}, in the order of the table. */
export const columnNames: readonly (keyof EventColumns)[] = [
  'type',
  'event_name',
  'service',
  'env',
  'request_id',
  'trace_id',
  'immutable_trail',
  'actor_id',
  'subject',
  'correlation_id',
  'outcome',
]

/** The search columns of a `meta` that a JSON parser returned: it shows everybody the same. */
export function columnsOfMeta(meta: Partial<EventMeta>): EventColumns {
  return {
    type: text(meta.type),
    event_name: text(meta.event_name),
    service: text(meta.service),
    env: text(meta.env),
    request_id: text(meta.request_id),
    trace_id: text(meta.trace_id),
    immutable_trail: text(meta.immutable_trail),
    actor_id: text(meta.actor?.id),
    subject: text(meta.subject),
    correlation_id: text(meta.correlation_id),
    outcome: text(meta.outcome),
  }
}

/**
 * Derives the search columns from the canonical texts of the two parts, as they are committed to. Verification goes
 * through here, and so do objects of callers in-process, which may show different things to different readers.
 *
 * @throws SyntaxError when a part is not JSON, which only a tampered one is
 */
export function columnsOfParts(core: string, context: string): EventColumns {
  return columnsOfMeta({ ...JSON.parse(context), ...JSON.parse(core) })
}

function text(value: unknown): string | null {
  return typeof value === 'string' ? value : null
}
