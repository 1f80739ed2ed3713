import { type AuditEvent, type EventMeta, SendError } from '../audit/index.ts'

/** An event as a row holds it. */
export interface EventColumns {
  readonly idempotency_key: string
  readonly payload: string
  readonly meta: string
  readonly request_id: string
}

/** A row that waits in the outbox. */
export interface WaitingRow extends EventColumns {
  /** As the driver gives it. */
  readonly id: unknown
}

/** What became of a row: the ledger has it, refused it for good, or it still waits. */
export type Outcome =
  | { readonly kind: 'acknowledged' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'waiting'; readonly problem: string }

/** How one kind of database keeps the outbox. */
export interface OutboxStore<Transaction, Written> {
  /** The statement that creates the table. */
  readonly definition: string
  /** Creates the table unless it is there. */
  createTable(): Promise<void>
  /** Inserts with the caller's own connection. */
  insert(transaction: Transaction, row: EventColumns): Written
  /**
   * Hands the first rows that no other relay holds to `work`, deletes those that the ledger has, and marks those that
   * it refused. Resolves once that is committed.
   */
  take(limit: number, work: (rows: readonly WaitingRow[]) => Promise<readonly Outcome[]>): Promise<void>
}

/**
 * The columns of an event.
 * @throws SendError for U+0000, which neither PostgreSQL nor the ledger takes
 */
export function columnsOf(event: AuditEvent): EventColumns {
  const { payload, requestId, idempotencyKey } = event
  if (payload.includes('\0') || requestId.includes('\0'))
    throw new SendError('invalid_event', 'The event cannot be sent: its text has the character U+0000')
  return {
    idempotency_key: idempotencyKey,
    payload,
    meta: JSON.stringify(event.meta),
    request_id: requestId,
  }
}

/**
 * The event of a row, the same to the byte.
 * @throws SyntaxError when somebody changed the row's meta into something else
 */
export function eventOf(row: EventColumns): AuditEvent {
  return {
    payload: row.payload,
    meta: JSON.parse(row.meta) as EventMeta,
    idempotencyKey: row.idempotency_key,
    requestId: row.request_id,
  }
}
