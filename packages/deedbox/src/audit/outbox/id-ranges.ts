/** A range of numbers with both ends. */
export type IdRange = readonly [number, number]

/** A set of numbers of events, kept as ranges: those that need no delivery any more mostly follow one another. */
export class IdRanges {
  /** In order, none touching another. */
  readonly #ranges: [number, number][] = []

  constructor(ranges: readonly IdRange[] = []) {
    for (const [from, to] of [...ranges].sort(([a], [b]) => a - b)) {
      const last = this.#ranges.at(-1)
      if (last !== undefined && from <= last[1] + 1) last[1] = Math.max(last[1], to)
      else if (from <= to) this.#ranges.push([from, to])
    }
  }

  has(id: number): boolean {
    const range = this.#ranges[this.#before(id)]
    return range !== undefined && id <= range[1]
  }

  /** @returns whether it was not in it before */
  add(id: number): boolean {
    const index = this.#before(id)
    const below = this.#ranges[index]
    if (below !== undefined && id <= below[1]) return false
    const above = this.#ranges[index + 1]
    const joinsBelow = below?.[1] === id - 1
    const joinsAbove = above?.[0] === id + 1
    if (joinsBelow && joinsAbove) {
      below[1] = above[1]
      this.#ranges.splice(index + 1, 1)
    } else if (joinsBelow) below[1] = id
    else if (joinsAbove) above[0] = id
    else this.#ranges.splice(index + 1, 0, [id, id])
    return true
  }

  /** The index of the last range that begins at the number or before; -1 if there is none. */
  #before(id: number): number {
    let low = 0
    let high = this.#ranges.length
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#ranges[middle]![0] <= id) low = middle + 1
      else high = middle
    }
    return low - 1
  }
}
