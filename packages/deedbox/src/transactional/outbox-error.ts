/**
 * Why an event was not written to the outbox, or nothing was relayed.
 * - `no_transaction`: the connection is in no transaction, so the event could not stand or fall with one.
 * - `not_a_connection`: what was given as the transaction is no connection of this kind of database.
 * - `table_missing`: the outbox's table is not there.
 * - `in_transaction`: `runOnce()` found a transaction open on the SQLite connection that the relay has.
 */
export type OutboxErrorCode = 'no_transaction' | 'not_a_connection' | 'table_missing' | 'in_transaction'

/** What a transactional outbox fails with, beside `SendError` and what the database itself says. */
export class OutboxError extends Error {
  override readonly name = 'OutboxError'
  readonly code: OutboxErrorCode

  constructor(code: OutboxErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** A connection that is in no transaction. */
export function noTransaction(cause?: unknown): OutboxError {
  return new OutboxError(
    'no_transaction',
    'The event was not written: this connection is in no transaction. BEGIN one, and give write() the connection ' +
      'that your own changes go through, not the pool.',
    cause === undefined ? undefined : { cause },
  )
}

/** A connection that the relay cannot read with, for what it would see may yet be rolled back. */
export function inTransaction(): OutboxError {
  return new OutboxError(
    'in_transaction',
    'Nothing was relayed: a transaction is open on the connection of the outbox. COMMIT or ROLLBACK it first.',
  )
}

/** Whether it is what {@link inTransaction} makes. */
export function isInTransaction(error: unknown): boolean {
  return error instanceof OutboxError && error.code === 'in_transaction'
}

/** A table that is not there. */
export function tableMissing(table: string, cause: unknown): OutboxError {
  return new OutboxError(
    'table_missing',
    `The event was not written: there is no table ${table}. outbox.migrate() creates it, outbox.start() does too.`,
    { cause },
  )
}

/**
 * Something that is no connection.
 * @param wanted what it has to be, for example `a client of pg`
 */
export function notAConnection(wanted: string): OutboxError {
  return new OutboxError(
    'not_a_connection',
    `The event was not written: write() needs ${wanted} as its first argument.`,
  )
}

/** Whether a database's error, or what it wraps, carries one of these codes. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth++)
    if (codes.includes(String(Reflect.get(at, 'code')))) return true
  return false
}
