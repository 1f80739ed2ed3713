/** How often the head is looked at for events that other processes wrote, in milliseconds. */
const pollInterval = 250

/** Milliseconds between two looks at least: each wakes every follower, and under load there is a commit each moment. */
const lookInterval = 50

interface Waiting {
  beyond: number
  settle: (error?: unknown) => void
}

/**
 * Tells whoever waits that the ledger has grown: at once when this process has written (`look`), soon when another
 * one has. While nobody waits, nothing runs.
 */
export class Growth {
  readonly #size: () => number
  readonly #waiting = new Set<Waiting>()
  #timer: NodeJS.Timeout | undefined
  #next: NodeJS.Timeout | undefined
  #lookedAt = Number.NEGATIVE_INFINITY
  #closed = false

  /** @param size reads the size of the tree; called often, so it has to be cheap */
  constructor(size: () => number) {
    this.#size = size
  }

  /** How many wait now. */
  get waiting(): number {
    return this.#waiting.size
  }

  /** Whether `close` was called. */
  get closed(): boolean {
    return this.#closed
  }

  /** Resolves once the tree has more than `size` leaves, or the signal is aborted, or everything is closed. */
  beyond(size: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#closed) return Promise.resolve()
    return new Promise((resolve, reject) => {
      const onAbort = () => waiting.settle()
      const waiting: Waiting = {
        beyond: size,
        settle: error => {
          this.#waiting.delete(waiting)
          signal.removeEventListener('abort', onAbort)
          if (this.#waiting.size === 0) this.#stopTimers()
          if (error === undefined) resolve()
          else reject(error)
        },
      }
      this.#waiting.add(waiting)
      signal.addEventListener('abort', onAbort, { once: true })
      this.#timer ??= setInterval(() => this.#check(), pollInterval)
      // What came since the caller looked must not wait for the timer.
      this.look()
    })
  }

  /** The ledger may have grown. Many calls within a moment are one look. */
  look(): void {
    if (this.#next !== undefined || this.#waiting.size === 0) return
    const pause = Math.max(0, this.#lookedAt + lookInterval - performance.now())
    this.#next = setTimeout(() => {
      this.#next = undefined
      this.#check()
    }, pause)
  }

  /** Lets everybody who waits go; nobody waits from now on. */
  close(): void {
    this.#closed = true
    for (const waiting of [...this.#waiting]) waiting.settle()
  }

  #check(): void {
    this.#lookedAt = performance.now()
    try {
      const size = this.#size()
      for (const waiting of [...this.#waiting]) if (size > waiting.beyond) waiting.settle()
    } catch (error) {
      for (const waiting of [...this.#waiting]) waiting.settle(error)
    }
  }

  #stopTimers(): void {
    clearInterval(this.#timer)
    clearTimeout(this.#next)
    this.#timer = undefined
    this.#next = undefined
  }
}
