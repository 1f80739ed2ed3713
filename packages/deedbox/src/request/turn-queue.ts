let exiting = false

/** Says that the event loop has had its last turn: the process exits. */
export function endTurns(): void {
  exiting = true
}

/**
 * Work that can wait until the running turn of the event loop ends. What one turn collects is done together: doing
 * the same thing for many requests in a row was measured to cost about half of doing it between their other work,
 * and one system call can serve them all.
 */
export class TurnQueue<Item> {
  readonly #work: (items: readonly Item[]) => void
  #items: Item[] = []

  /** @param work must not throw */
  constructor(work: (items: readonly Item[]) => void) {
    this.#work = work
  }

  /** Puts an item off to the end of the turn; while the process exits, which has no further turn, does it at once. */
  add(item: Item): void {
    if (exiting) {
      this.#work([item])
      return
    }
    if (this.#items.push(item) === 1) setImmediate(this.#endOfTurn)
  }

  /** Does at once what waits. */
  drain(): void {
    // The work itself may add to the queue, for instance a notice.
    while (this.#items.length > 0) {
      const items = this.#items
      this.#items = []
      this.#work(items)
    }
  }

  readonly #endOfTurn = (): void => this.drain()
}
