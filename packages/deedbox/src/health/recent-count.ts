/** Of a count that only grows, what it grew by lately. Growth counts from when it was seen. */
export class RecentCount {
  readonly #span: number
  #last: number
  #steps: { readonly at: number; readonly by: number }[] = []

  /** @param span milliseconds @param now what it is before anything of it counts */
  constructor(span: number, now: number) {
    this.#span = span
    this.#last = now
  }

  /** Takes the count as it is. @returns by how much it grew within the span */
  grewBy(count: number, at: number = performance.now()): number {
    if (count > this.#last) this.#steps.push({ at, by: count - this.#last })
    this.#last = count
    this.#steps = this.#steps.filter(step => at - step.at < this.#span)
    return this.#steps.reduce((sum, { by }) => sum + by, 0)
  }
}
