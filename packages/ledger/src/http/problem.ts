import { toldMessage } from 'deedbox/event-rules'
import type { FastifyError } from 'fastify'
import { LedgerError, type LedgerErrorCode } from '../errors.ts'

/** The body of every answer that is not a success. */
export interface Problem {
  ok: false
  /** Stable, snake_case; for programs. */
  reason: LedgerErrorCode
  /** A sentence that says what to do. */
  message: string
}

/** The HTTP status of each code that can reach a client; what is missing here is the server's own fault: 500. */
const statusOf: Partial<Record<LedgerErrorCode, number>> = {
  malformed_json: 400,
  duplicate_key: 400,
  number_not_exact: 400,
  invalid_text: 400,
  invalid_event: 400,
  invalid_payload: 400,
  invalid_meta: 400,
  invalid_idempotency_key: 400,
  invalid_query: 400,
  invalid_ledger: 400,
  invalid_key_settings: 400,
  malformed_request: 400,
  missing_api_key: 401,
  invalid_api_key: 401,
  insufficient_scope: 403,
  unknown_route: 404,
  unknown_event: 404,
  unknown_ledger: 404,
  unknown_tile: 404,
  unknown_key: 404,
  method_not_allowed: 405,
  request_timeout: 408,
  ledger_exists: 409,
  ledger_lost: 409,
  key_conflict: 409,
  payload_too_large: 413,
  meta_too_large: 413,
  body_too_large: 413,
  batch_too_large: 413,
  unsupported_content_type: 415,
  metrics_missing: 501,
  header_too_large: 431,
  overloaded: 503,
  storage_full: 503,
  storage_failed: 503,
  outcome_unknown: 503,
  awaiting_move: 503,
  invalid_move_token: 401,
  move_conflict: 409,
  checksum_mismatch: 422,
  ledger_stopped: 503,
}

/** The status that goes with an error code. */
export function httpStatus(code: LedgerErrorCode): number {
  return statusOf[code] ?? 500
}

/** The answer to an error. What is not meant for clients becomes one sentence that gives nothing away. */
export function problemOf(error: unknown): { status: number; body: Problem } {
  const known = error instanceof LedgerError ? error : fromFramework(error)
  if (known !== undefined && statusOf[known.code] !== undefined) {
    const message = toldMessage(known.message)
    return { status: httpStatus(known.code), body: { ok: false, reason: known.code, message } }
  }
  return {
    status: 500,
    body: {
      ok: false,
      reason: 'internal_error',
      message: 'The ledger failed on this request. Its log says why.',
    },
  }
}

/** Fastify's own refusals, in our words and with our codes. */
function fromFramework(error: unknown): LedgerError | undefined {
  const { code, statusCode, validation } = error as Partial<FastifyError>
  switch (code) {
    case 'FST_ERR_CTP_BODY_TOO_LARGE':
      return new LedgerError(
        'body_too_large',
        'The body is too large for this call. Send fewer or smaller events.',
      )
    case 'FST_ERR_CTP_INVALID_MEDIA_TYPE':
      return new LedgerError(
        'unsupported_content_type',
        'Send "Content-Type: application/json", or "application/x-ndjson" to the batch call.',
      )
    case 'FST_ERR_CTP_INVALID_CONTENT_LENGTH':
      return new LedgerError('malformed_request', 'The body is not as long as Content-Length says.')
    case 'FST_ERR_BAD_URL':
    case 'FST_ERR_ASYNC_CONSTRAINT':
    case 'FST_ERR_MAX_PARAM_LENGTH':
      return new LedgerError('malformed_request', 'The address of the request is not a valid URL.')
    default:
  }
  if (validation !== undefined) {
    const first = validation[0]
    const name = String(first?.params.additionalProperty ?? first?.instancePath.slice(1) ?? '')
    const what =
      first?.keyword === 'additionalProperties' ? 'is not known here' : (first?.message ?? 'is not valid')
    return new LedgerError('invalid_query', `The query parameter "${name}" ${what}.`)
  }
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    return new LedgerError('malformed_request', 'The request is not valid HTTP for this call.')
  }
  return undefined
}
