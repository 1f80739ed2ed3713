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
   * @param left ids of rows that are not to be taken
   * @throws OutboxError `in_transaction`
   */
  take(
    limit: number,
    left: readonly string[],
    work: (rows: readonly WaitingRow[]) => Promise<readonly Outcome[]>,
  ): Promise<void>
  /** Counts the rows of the table. */
  count(): Promise<OutboxBacklog>
}

/** The rows of an outbox's table, whichever process wrote them. */
export interface OutboxBacklog {
  /** Committed, and not yet acknowledged by the ledger. */
  readonly waiting: number
  /** Refused by the ledger for good, and kept with the reason. */
  readonly refused: number
}

/**
 * The condition that leaves rows out. Ids come from the database itself, and are numbers in whatever form its driver
 * gives them.
 */
export function exceptRows(column: string, left: readonly string[]): string {
  const ids = left.filter(id => /^\d+$/.test(id))
  return ids.length === 0 ? '' : ` AND ${column} NOT IN (${ids.join(', ')})`
}

/** How one answer of two numbers is read, in whatever form a driver gives numbers. */
export function backlogOf(row: unknown): OutboxBacklog {
  const { waiting, refused } = row as Record<'waiting' | 'refused', unknown>
  return { waiting: Number(waiting), refused: Number(refused) }
}

/** The statement that counts, in all three kinds of database. */
export function countStatement(table: string): string {
  return `SELECT COUNT(*) - COUNT(refused_at) AS waiting, COUNT(refused_at) AS refused FROM ${table}`
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

/** A row that somebody changed into something else than an event. */
export class SpoiltRow extends Error {
  override readonly name = 'SpoiltRow'
}

/**
 * The event of a row, the same to the byte.
 * @throws SpoiltRow for what would not even be told as an event: whoever delivers it reads these members
 */
export function eventOf(row: EventColumns): AuditEvent {
  for (const column of ['idempotency_key', 'payload', 'meta', 'request_id'] as const)
    if (typeof row[column] !== 'string') throw new SpoiltRow(`The row holds no event: ${column} is no text`)
  return {
    payload: row.payload,
    meta: metaOf(row.meta),
    idempotencyKey: row.idempotency_key,
    requestId: row.request_id,
  }
}

function metaOf(text: string): EventMeta {
  let meta: unknown
  try {
    meta = JSON.parse(text)
  } catch (cause) {
    throw new SpoiltRow('The row holds no event: meta is no JSON', { cause })
  }
  if (typeof meta !== 'object' || meta === null || Array.isArray(meta))
    throw new SpoiltRow('The row holds no event: meta is no JSON object')
  for (const member of ['type', 'event_name', 'service'])
    if (typeof Reflect.get(meta, member) !== 'string')
      throw new SpoiltRow(`The row holds no event: meta.${member} of its JSON is no text`)
  return meta as EventMeta
}
