/**
 * From which level on lines are written: one for all, and others for named loggers, by name or by the beginning of
 * it: `db` stands for `db.query` as well, unless that has one of its own. (FA-30, FA-50, ruling 12)
 */
export class Thresholds {
  /** The number from which on lines without a name of their own are written. */
  general: number
  /** Counts changes, so that loggers can remember what they looked up. */
  version = 0
  readonly #named: Map<string, number>

  constructor(general: number, named: ReadonlyMap<string, number> = new Map()) {
    this.general = general
    this.#named = new Map(named)
  }

  /** Whether any name has a threshold of its own. */
  get hasNames(): boolean {
    return this.#named.size > 0
  }

  /** The number that was set for a name or the longest beginning of it; `undefined` where none was. */
  own(name: string): number | undefined {
    for (let part = name; part !== ''; part = part.slice(0, Math.max(0, part.lastIndexOf('.')))) {
      const number = this.#named.get(part)
      if (number !== undefined) return number
    }
    return undefined
  }

  /** The number from which on lines of a logger are written. */
  of(name: string | undefined): number {
    return (name === undefined ? undefined : this.own(name)) ?? this.general
  }

  /** Changes the threshold of a name and all below it, or the general one. */
  set(name: string | undefined, number: number): void {
    if (name === undefined) this.general = number
    else this.#named.set(name, number)
    this.version++
  }
}
