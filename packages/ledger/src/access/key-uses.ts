import type { KeyUse } from '../store/index.ts'

/** A use reaches the table at most this often per key, in milliseconds. */
const interval = 60_000

/**
 * When each key was last used, as this process has seen it. Kept in memory, for a request must not wait for a note
 * about itself; the table gets it a minute later and when the ledger closes, and a note that cannot be stored is
 * tried again then. What a killed process had not stored is lost, and nothing but that.
 */
export class KeyUses {
  readonly #store: (uses: KeyUse[]) => Promise<void>
  readonly #seen = new Map<string, number>()
  readonly #stored = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined

  /** @param store puts uses into the table */
  constructor(store: (uses: KeyUse[]) => Promise<void>) {
    this.#store = store
  }

  /** Takes note of a use; `at` in milliseconds since the epoch. */
  note(keyId: string, at: number): void {
    this.#seen.set(keyId, at)
    this.#timer ??= setTimeout(() => void this.flush(), interval).unref()
  }

  /** The newest use that this process has seen. */
  lastUse(keyId: string): number | undefined {
    return this.#seen.get(keyId)
  }

  /** Stores what is not stored yet. Never rejects. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const uses = [...this.#seen]
      .filter(([keyId, at]) => at > (this.#stored.get(keyId) ?? 0))
      .map(([keyId, at]) => ({ keyId, at }))
    if (uses.length === 0) return
    try {
      await this.#store(uses)
    } catch {
      // Writing fails for the events too, and they say so. With the next use there is another attempt.
      return
    }
    for (const { keyId, at } of uses) this.#stored.set(keyId, at)
  }
}
