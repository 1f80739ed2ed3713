import type { ExchangeAudit } from './exchange-audit.ts'
import type { Failure, RequestRecord } from './record.ts'
import type { Refusal } from './refusal.ts'
import type { ResponseHolder } from './response-hold.ts'
import type { RequestScope } from './scope.ts'
import type { ScopeRules, TrackingGate } from './scope-rules.ts'

/** What holding the response of an exchange needs of it. */
export interface HeldExchange {
  readonly scope: RequestScope
  /** The record as far as the request has come; `undefined` when nobody is there to be answered. */
  begun(): RequestRecord | undefined
  /** The headers that every response of the instance carries. */
  ownHeaders(): Readonly<Record<string, string>>
  /** Tracking failed the request, which is answered with 500. */
  untracked(failure: Failure): void
  /** Another answer went to the client than the service's. */
  refused(status: number, bytes: number): void
}

/**
 * Has the response of one exchange wait: first for the variables that it is tracked by, then for its event, which so tells
 * how that went. An answer to an error waits too, but is not replaced: it says already that the request failed. (FC-11)
 */
export class ExchangeHold implements ResponseHolder {
  readonly #exchange: HeldExchange
  readonly #gate: TrackingGate
  readonly #audit: ExchangeAudit | undefined
  /** What is answered because of a chest. */
  #own: Refusal | undefined
  #isUnaudited = false

  constructor(exchange: HeldExchange, gate: TrackingGate, audit: ExchangeAudit | undefined) {
    this.#exchange = exchange
    this.#gate = gate
    this.#audit = audit
  }

  async admit(): Promise<boolean> {
    // Not even for a turn is there any waiting where nothing is awaited: a response without a socket ends meanwhile.
    if (this.#exchange.scope.rules?.isAwaited === true) await this.#track(this.#exchange.scope.rules)
    this.#isUnaudited = this.#audit !== undefined && !(await this.#audit.admit())
    return !this.#isUnaudited && this.#own === undefined
  }

  async #track(rules: ScopeRules): Promise<void> {
    const record = this.#exchange.begun()
    if (record === undefined) return
    const failure = await rules.write(record, this.#gate)
    if (failure === undefined || record.error !== null) return
    this.#own = untrackedAnswer(record.requestId, this.#exchange.ownHeaders())
    this.#exchange.untracked(failure)
  }

  refusal(): Refusal {
    if (this.#own !== undefined && !this.#isUnaudited) return this.#own
    return this.#audit!.refusal()
  }

  refused(refusal: Refusal): void {
    // An event that was let go has told of our own answer already.
    if (this.#audit !== undefined && refusal !== this.#own) this.#audit.refused(refusal)
    else this.#exchange.refused(refusal.status, Buffer.byteLength(refusal.body))
  }
}

function untrackedAnswer(requestId: string, headers: Readonly<Record<string, string>>): Refusal {
  return {
    status: 500,
    reason: 'Internal Server Error',
    headers: {
      ...headers,
      'Content-Type': 'application/json; charset=utf-8',
      'Cache-Control': 'no-store',
    },
    body: JSON.stringify({
      ok: false,
      reason: 'tracking_failed',
      message:
        'The answer is withheld because variables of this request could not be stored. ' +
        'What was asked for may have been done; find out before you ask again.',
      request_id: requestId,
    }),
  }
}
