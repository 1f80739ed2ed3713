/** Milliseconds after the first failure, and at most. */
const first = 100
const longest = 30_000

/** When a spool that could not be read is tried again: what cannot be read now may be fine in a moment. */
export class ReadPause {
  #failures = 0
  #until = 0

  /** Milliseconds that are left; 0 if there is no pause. */
  get left(): number {
    return Math.max(0, this.#until - performance.now())
  }

  failed(): void {
    this.#until = performance.now() + Math.min(longest, first * 2 ** this.#failures++)
  }

  succeeded(): void {
    this.#failures = 0
    this.#until = 0
  }
}

/** A wait that somebody may end early. */
export class Nap {
  #wake: (() => void) | undefined

  /** @param time milliseconds */
  async sleep(time: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const timer = setTimeout(resolve, time).unref()
    this.#wake = resolve
    await promise
    clearTimeout(timer)
    this.#wake = undefined
  }

  wake(): void {
    this.#wake?.()
  }
}
