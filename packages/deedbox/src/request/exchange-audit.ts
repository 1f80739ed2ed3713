import type { AuditGate, AuditMode, Routed } from './audit-gate.ts'
import type { Failure, RequestRecord } from './record.ts'
import type { Refusal } from './refusal.ts'
import type { ResponseHolder } from './response-hold.ts'

/** What the audit of an exchange needs of it. */
export interface AuditedExchange {
  /** The record as far as the request has come; `undefined` when nobody is there to be answered. */
  begun(): RequestRecord | undefined
  /** The headers that every response of the instance carries. */
  ownHeaders(): Readonly<Record<string, string>>
  /** Another answer went to the client than the service's. */
  refused(status: number, bytes: number): void
}

/** Asking again changes nothing (RFC 9110 §9.2.1): some clients do so by themselves if they are told when. */
const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/**
 * Has the response of one exchange wait for its event, and sees that the request has one event: the one made when its
 * response began, or else the one of its end. Exchanges have one only where their instance, or their handler, asked for
 * another mode than `open`.
 */
export class ExchangeAudit implements ResponseHolder {
  readonly #gate: AuditGate
  readonly #exchange: AuditedExchange
  readonly #requestId: string
  readonly #isSafe: boolean
  #chosen: AuditMode | undefined
  #progress: 'none' | 'waiting' | 'admitted' | 'refused' = 'none'
  /** What the event told already. */
  #failure: Failure | null = null
  /** The record of an exchange that ended while its response waited. */
  #left: RequestRecord | undefined

  constructor(gate: AuditGate, exchange: AuditedExchange, requestId: string, method: string | undefined) {
    this.#isSafe = safeMethods.has(method ?? '')
    this.#gate = gate
    this.#exchange = exchange
    this.#requestId = requestId
  }

  /** Has this exchange go by a mode of its own. */
  choose(mode: AuditMode): void {
    this.#chosen = mode
  }

  modeOf(request: Routed): AuditMode {
    return this.#chosen ?? this.#gate.modeOf?.(request) ?? 'open'
  }

  async admit(): Promise<boolean> {
    const record = this.#exchange.begun()
    if (record === undefined) return true
    const mode = this.modeOf(record)
    if (mode === 'open' || mode === 'off') return true
    this.#progress = 'waiting'
    this.#failure = record.error
    const admitted = await this.#gate.admit(record, mode)
    this.#progress = admitted ? 'admitted' : 'refused'
    if (this.#left !== undefined) {
      const left = this.atEnd(this.#left)
      this.#left = undefined
      if (left !== null) this.#gate.offer(left)
    }
    return admitted
  }

  refusal(): Refusal {
    return {
      status: 503,
      reason: 'Service Unavailable',
      headers: {
        ...this.#exchange.ownHeaders(),
        'Content-Type': 'application/json; charset=utf-8',
        'Cache-Control': 'no-store',
        ...(this.#isSafe ? { 'Retry-After': String(this.#gate.retryAfter) } : {}),
      },
      body: JSON.stringify({
        ok: false,
        reason: 'audit_unavailable',
        message:
          'The answer is withheld because this request could not be recorded. ' +
          'What was asked for may have been done; find out before you ask again.',
        request_id: this.#requestId,
      }),
    }
  }

  refused({ status, body }: Refusal): void {
    // Its own ledger may have let it go; then that of another instance did not, and the event told is not what came.
    this.#progress = 'refused'
    this.#exchange.refused(status, Buffer.byteLength(body))
  }

  /** The record that the event of a finished exchange is made of; `null` when there is none to make any more. */
  atEnd(record: RequestRecord): RequestRecord | null {
    if (this.modeOf(record) === 'off') return null
    if (this.#progress === 'none') return record
    if (this.#progress === 'refused') return Object.freeze({ ...record, withheld: true })
    if (this.#progress === 'waiting') {
      this.#left = record
      return null
    }
    const failedSince = record.error !== null && record.error.thrown !== this.#failure?.thrown
    return failedSince ? Object.freeze({ ...record, late: true }) : null
  }
}
