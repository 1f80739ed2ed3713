/** Milliseconds that an event may be in memory alone. (Ruling 23) */
export const writeAfter = 10
/** Milliseconds between two tries on a full disk. */
export const tryAgainAfter = 1_000
/** Bytes that wait for the next write, at most: what comes faster waits for the disk. */
export const mostPending: number = 4 * 1024 * 1024

/** Writes, one at a time: after some time or with the next turn of the event loop, whatever comes first. */
export class WriteTurns {
  readonly #write: () => Promise<void>
  #timer: NodeJS.Timeout | undefined
  #turn: NodeJS.Immediate | undefined
  #underWay: Promise<void> | undefined

  /** @param write never rejects; asks for the next turn itself, if there is more by then */
  constructor(write: () => Promise<void>) {
    this.#write = write
  }

  /** The write that has not come back yet. */
  get underWay(): Promise<void> | undefined {
    return this.#underWay
  }

  /** @param delay milliseconds; 0 overtakes one that waits */
  start(delay: number): void {
    if (this.#turn !== undefined || (this.#timer !== undefined && delay > 0)) return
    this.stop()
    if (delay === 0) this.#turn = setImmediate(this.#run)
    else this.#timer = setTimeout(this.#run, delay).unref()
  }

  stop(): void {
    clearTimeout(this.#timer)
    clearImmediate(this.#turn)
    this.#timer = undefined
    this.#turn = undefined
  }

  readonly #run = (): void => {
    this.stop()
    if (this.#underWay !== undefined) return
    this.#underWay = this.#write().finally(() => {
      this.#underWay = undefined
    })
  }
}
