import { type BackoffOptions, retryDelay } from './backoff.ts'
import { quotaPauseOf } from './delivery-options.ts'

/** The longest pause between attempts while somebody waits for an event. Milliseconds. */
const longestWaited = 1_000

/**
 * When a delivery may try again. All by the monotonic clock, in milliseconds: the other one may be set back by years, and
 * nothing would be sent for as long. (IP-06, IP-07, IF-11)
 */
export class DeliveryPauses {
  readonly #backoff: BackoffOptions
  readonly #quotaPause: number
  #failures = 0
  #isInterrupted = false
  #resumeAt = 0
  /** What the ledger itself asked for. */
  #notBefore = 0
  #quotaUntil = 0

  /** @param quotaPause after a 429 that names no time itself */
  constructor(backoff: BackoffOptions, quotaPause: number) {
    this.#backoff = backoff
    this.#quotaPause = quotaPause
  }

  /** Failures in a row. */
  get failures(): number {
    return this.#failures
  }

  /** How long until the next attempt; 0 and less: now. */
  get left(): number {
    return Math.max(this.#resumeAt, this.#quotaUntil) - performance.now()
  }

  /** How long nothing is sent because the quota is used up; 0 and less: it is not. */
  get quotaLeft(): number {
    return this.#quotaUntil - performance.now()
  }

  /** The same as an instant in milliseconds since 1970, `null` if it is not. */
  get pausedUntil(): number | null {
    const left = this.quotaLeft
    return left > 0 ? Math.round(Date.now() + left) : null
  }

  /** An attempt failed, and may be repeated after a pause. */
  failed(retryAfter: number | undefined, isWaitedFor: boolean): void {
    this.#failures++
    this.#isInterrupted = true
    const { base, cap } = this.#backoff
    const longest = isWaitedFor ? Math.min(cap, longestWaited) : cap
    const delay = retryDelay(this.#failures, { base, cap: longest }, Math.random(), retryAfter)
    const now = performance.now()
    this.#resumeAt = now + delay
    this.#notBefore = now + Math.min(retryAfter ?? 0, delay)
  }

  /** An attempt came through. @returns whether it is the first after some that did not */
  succeeded(): boolean {
    const wasInterrupted = this.#isInterrupted
    this.#failures = 0
    this.#isInterrupted = false
    // It may have been made before the pause was over.
    this.#resumeAt = 0
    return wasInterrupted
  }

  /**
   * Somebody waits from now on: that the ledger is back is not to be found out in half a minute only, nor at the moment
   * in which the waiting ends.
   * @param timeout milliseconds that is waited at most
   */
  hurry(timeout: number): void {
    const soon = Math.min(this.#resumeAt, performance.now() + Math.min(longestWaited, timeout / 2))
    this.#resumeAt = Math.max(this.#notBefore, soon)
  }

  /** The quota is used up. */
  quota(retryAfter: number | undefined): void {
    this.#isInterrupted = true
    this.#quotaUntil = performance.now() + quotaPauseOf(retryAfter, this.#quotaPause)
  }
}
