/** A value that is worked out when it is written, once, and not at all if nobody writes it. */
export class Lazy {
  readonly #work: () => unknown
  #value: unknown
  #isKnown = false

  constructor(work: () => unknown) {
    this.#work = work
  }

  /** What the function gives; what it throws is thrown each time. */
  get value(): unknown {
    if (!this.#isKnown) {
      this.#value = this.#work()
      this.#isKnown = true
    }
    return this.#value
  }
}

/**
 * A field or a message of a log line that costs something to work out: `log.debug('state', { dump: lazy(() => …) })`.
 * The function runs only if the line is written. A function without this mark is never called. (FA-48)
 */
export function lazy(work: () => unknown): Lazy {
  return new Lazy(work)
}
