/**
 * Everything that can go wrong between a caller and the ledger, as a closed set. The codes are the `reason`
 * of an HTTP answer (snake_case, stable) and the `code` of a {@link LedgerError} in-process.
 */
export type LedgerErrorCode =
  // what the caller sent
  | 'malformed_json'
  | 'duplicate_key'
  | 'number_not_exact'
  | 'invalid_text'
  | 'invalid_event'
  | 'invalid_payload'
  | 'invalid_meta'
  | 'invalid_idempotency_key'
  | 'invalid_query'
  | 'invalid_key_settings'
  | 'payload_too_large'
  | 'meta_too_large'
  | 'body_too_large'
  | 'header_too_large'
  | 'batch_too_large'
  | 'unsupported_content_type'
  | 'malformed_request'
  | 'request_timeout'
  // who the caller is
  | 'missing_api_key'
  | 'invalid_api_key'
  | 'insufficient_scope'
  // what is not there
  | 'unknown_route'
  | 'method_not_allowed'
  | 'unknown_event'
  | 'unknown_ledger'
  | 'unknown_tile'
  | 'unknown_key'
  // a ledger that is to be created, or is of the other kind
  | 'invalid_ledger'
  // what contradicts what is there
  | 'ledger_exists'
  | 'key_conflict'
  // what the ledger cannot do now
  | 'overloaded'
  | 'storage_full'
  | 'storage_failed'
  | 'outcome_unknown'
  | 'ledger_stopped'
  | 'metrics_missing'
  | 'internal_error'
  // why a ledger does not open
  | 'not_a_ledger'
  | 'schema_too_new'
  | 'signing_key_missing'
  | 'signing_key_mismatch'
  | 'ledger_lost'
  | 'ledger_moved'
  | 'rolled_back'
  | 'fork'
  | 'edge_damaged'
  | 'guard_unusable'
  | 'invalid_option'
  | 'worker_missing'
  // between `deedbox move` and a server that waits for a ledger
  | 'awaiting_move'
  | 'invalid_move_token'
  | 'move_conflict'
  | 'checksum_mismatch'
  // a command
  | 'not_verified'
  | 'invalid_usage'
  | 'unreachable'
  | 'incomplete'

/** An error of the ledger: `code` is for programs, `message` is a sentence that says what to do. */
export class LedgerError extends Error {
  /** The stable code; the same text is the `reason` of the HTTP answer. */
  readonly code: LedgerErrorCode

  /** @param options `cause` keeps what the operating system or SQLite said; it is never sent to a client. */
  constructor(code: LedgerErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'LedgerError'
    this.code = code
  }
}

/** Whether nothing can be written any more, whoever tries, until the ledger is opened anew. */
export function isForGood(failure: LedgerError | undefined): boolean {
  return failure?.code === 'ledger_stopped' || failure?.code === 'ledger_moved'
}

/** The failure that is for good, else the first. */
export function gravestFailure(failures: readonly (LedgerError | undefined)[]): LedgerError | undefined {
  return failures.find(isForGood) ?? failures.find(failure => failure !== undefined)
}
