import type { ReceiptPart } from './checked-receipt.ts'

/** The four kinds of event that the ledger contract knows. (IF-26) */
export type EventKind = 'success' | 'info' | 'warning' | 'error'

/**
 * What is known about an event beside its payload. `type`, `event_name` and `service` are required; unknown
 * members are kept. (IF-26)
 */
export interface EventMeta {
  readonly type: EventKind
  readonly event_name: string
  readonly service: string
  readonly request_id?: string
  readonly env?: string
  readonly trace_id?: string
  readonly [member: string]: unknown
}

/** One event on its way to a ledger. */
export interface LedgerItem {
  /** The exact text that the ledger hashes and keeps, at most 65,536 bytes of UTF-8. */
  readonly payload: string
  readonly meta: EventMeta
  /** The same for every attempt to deliver this event. */
  readonly idempotencyKey?: string
  readonly requestId?: string
}

/** What a ledger answers for one event. */
export type LedgerResult =
  | {
      readonly ok: true
      readonly txId: string
      /** The event's place in the ledger; ledgers that are not ours do not tell it. */
      readonly index?: number
      /** Hex SHA-256 of the payload. */
      readonly payloadHash: string
      /** Whether the ledger had this event already. */
      readonly duplicate: boolean
      readonly requestId?: string | undefined
    }
  | {
      readonly ok: false
      /** A code in snake case, for example `invalid_payload`. */
      readonly reason: string
      readonly message: string
      /** Whether the same event may be accepted later. */
      readonly retryable: boolean
      /** The HTTP status, where there was one; 429 means that the monthly quota is used up (IP-06). */
      readonly status?: number
      /** The ledger's wish, in milliseconds, where it told one. */
      readonly retryAfter?: number
    }

/** What one process says about itself as a source of events; the body of `POST /v1/producers`. */
export interface ProducerAnnouncement {
  readonly id: string
  readonly service: string
  readonly env: string
  readonly host: string
  readonly pid?: number
  /** RFC 3339. */
  readonly started_at?: string
  /** The number that it gave last. */
  readonly high_water: number
  /** Events that wait in its memory. */
  readonly queued: number
  /** Events that wait on its disk. */
  readonly spooled?: number
  /** With the last announcement: how it ended. */
  readonly ended?: 'clean' | 'crashed'
}

/**
 * Anything that takes events: a ledger over HTTP, or one opened in this process. `appendBatch` resolves to one
 * result per item, in their order, once the accepted ones are durable. Rejecting means that the fate of the whole
 * batch is unknown; it is sent again with the same keys.
 */
export interface LedgerClient {
  /** Events that one call is to have at most, where fewer than usual are better. */
  readonly batchSize?: number | undefined
  appendBatch(items: readonly LedgerItem[]): Promise<readonly LedgerResult[]>
  /**
   * Takes what a producer says about itself. A ledger that knows no producers has no such call, or ignores it.
   * Rejecting means that it may be said again later.
   */
  announce?(announcement: ProducerAnnouncement): Promise<void>
  /**
   * The receipt of an event: the text of a `.tlog-proof` file with the given parts in the clear. Absent where there are
   * no receipts. Throws, or rejects, when it cannot be had; an error whose `code` is `unknown_event` says why.
   */
  receipt?(txId: string, disclose: readonly ReceiptPart[]): string | Promise<string>
}

/** Checks that there is a result for each event. @throws LedgerUnavailable */
export function checkResults(results: readonly LedgerResult[], count: number): void {
  if (results.length !== count)
    throw new LedgerUnavailable(`The ledger answered ${results.length} results for ${count} events`)
  if (!results.every(result => typeof result === 'object' && result !== null))
    throw new LedgerUnavailable('The ledger answered results that are none')
}

/**
 * Why a batch has no results. `retryAfter` is the ledger's wish in milliseconds.
 */
export class LedgerUnavailable extends Error {
  override readonly name = 'LedgerUnavailable'
  readonly code = 'ledger_unavailable'
  readonly retryAfter: number | undefined

  constructor(
    message: string,
    options: { readonly retryAfter?: number | undefined; readonly cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause })
    this.retryAfter = options.retryAfter
  }
}
