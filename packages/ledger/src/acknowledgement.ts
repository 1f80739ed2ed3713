import { LedgerError, type LedgerErrorCode } from './errors.ts'
import type { Sequenced } from './sequencer/index.ts'

/** The answer to an event that is durably stored. */
export interface Acknowledgement {
  ok: true
  /** The event's id in the ledger. */
  txId: string
  /** The event's place in the tree, from 0. */
  index: number
  /** Hex SHA-256 of the payload as sent. */
  payloadHash: string
  status: 'accepted'
  /** True: the same content under the same idempotency key was here before; the rest is the first answer's. */
  duplicate: boolean
  /** The first event under the same idempotency key, when this one differs from it. */
  amends?: string
  requestId: string
}

/** The answer to an event that was not stored. */
export interface Refusal {
  ok: false
  reason: LedgerErrorCode
  message: string
  /** Whether sending the same event again may succeed. */
  retryable: boolean
}

const retryableCodes: readonly LedgerErrorCode[] = [
  'overloaded',
  'storage_full',
  'storage_failed',
  'outcome_unknown',
  'ledger_stopped',
]

/** What the caller is told of a stored event. */
export function acknowledgement({
  txId,
  index,
  payloadHash,
  duplicate,
  amends,
  requestId,
}: Sequenced): Acknowledgement {
  const base = { ok: true, txId, index, payloadHash, status: 'accepted', duplicate } as const
  return { ...base, ...(amends === undefined ? {} : { amends }), requestId }
}

/** An error as the result of one event in a batch. */
export function refusal(error: unknown): Refusal {
  if (!(error instanceof LedgerError)) {
    return {
      ok: false,
      reason: 'internal_error',
      message: 'The ledger failed on this event.',
      retryable: false,
    }
  }
  return {
    ok: false,
    reason: error.code,
    message: error.message,
    retryable: retryableCodes.includes(error.code),
  }
}
