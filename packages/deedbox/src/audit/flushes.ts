/** The longest time that Node's timers hold. Milliseconds. */
export const longestTimer = 2_147_483_647

/** Those that wait until all events are delivered, each up to its deadline. */
export class Flushes {
  readonly #waiting = new Set<{ readonly last: number; readonly done: (delivered: boolean) => void }>()

  get size(): number {
    return this.#waiting.size
  }

  /** Resolves to what ends it, to `false` after the given milliseconds. */
  async wait(timeout: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const flush = { last: performance.now() + timeout, done: resolve }
    this.#waiting.add(flush)
    const deadline = setTimeout(() => resolve(false), Math.min(timeout, longestTimer))
    try {
      return await promise
    } finally {
      clearTimeout(deadline)
      this.#waiting.delete(flush)
    }
  }

  /** Ends them all. */
  end(delivered: boolean): void {
    for (const { done } of this.#waiting) done(delivered)
  }

  /** Ends those in vain that would be over before the given instant of the monotonic clock. */
  endBefore(instant: number): void {
    for (const { last, done } of this.#waiting) if (instant > last) done(false)
  }
}
