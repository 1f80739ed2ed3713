import type { StoredEntry } from '../tracking/index.ts'

/** Milliseconds that entries rest after their first refusal; it doubles with each further one. */
const firstRest = 300_000
const longestRest = 86_400_000

/** The entries that a target refused: they stay in their chest, and rest before they are tried again. (FC-28) */
export class RefusedEntries {
  readonly #byKey = new Map<StoredEntry['key'], { readonly refusals: number; readonly until: number }>()

  get size(): number {
    return this.#byKey.size
  }

  isResting({ key }: StoredEntry): boolean {
    const known = this.#byKey.get(key)
    return known !== undefined && performance.now() < known.until
  }

  add(rows: readonly StoredEntry[]): void {
    for (const { key } of rows) {
      const refusals = (this.#byKey.get(key)?.refusals ?? 0) + 1
      const rest = Math.min(longestRest, firstRest * 2 ** (refusals - 1))
      this.#byKey.set(key, { refusals, until: performance.now() + rest })
    }
  }

  forget(rows: readonly StoredEntry[]): void {
    for (const { key } of rows) this.#byKey.delete(key)
  }

  /** Forgets those that are no longer among the oldest: somebody has deleted them. */
  keepOnly(oldest: readonly StoredEntry[]): void {
    const there = new Set(oldest.map(({ key }) => key))
    for (const key of this.#byKey.keys()) if (!there.has(key)) this.#byKey.delete(key)
  }
}
