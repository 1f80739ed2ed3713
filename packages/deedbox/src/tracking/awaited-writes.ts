import { errorMessage } from '../safety/index.ts'
import type { Chest } from './chest.ts'
import { writeTold } from './chest-client.ts'
import { ChestError } from './chest-error.ts'
import { entriesIn } from './tracked-payload.ts'

/** What the variables of one request make for the chests of one rule. */
export interface TrackedItem {
  readonly payload: string
  readonly idempotencyKey: string
  readonly requestId: string
}

interface Waiting {
  readonly item: TrackedItem
  settle(error: ChestError | undefined): void
}

/** Requests of one write. */
const batchSize = 256

/** Writes to one chest what responses wait for: past its queue, and together what comes while it is writing. */
export class AwaitedWrites {
  readonly #chest: Chest
  readonly #waiting = new Set<Waiting>()
  #isWriting = false

  constructor(chest: Chest) {
    this.#chest = chest
  }

  /**
   * Resolves once the chest has it.
   * @param timeout milliseconds
   * @throws ChestError
   */
  write(item: TrackedItem, timeout: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const waiting: Waiting = {
        item,
        settle: error => {
          clearTimeout(timer)
          this.#waiting.delete(waiting)
          if (error === undefined) resolve()
          else reject(error)
        },
      }
      const timer = setTimeout(() => {
        const problem = `has not taken tracked variables within ${timeout} milliseconds`
        waiting.settle(new ChestError('unavailable', this.#chest.id, problem))
      }, timeout)
      this.#waiting.add(waiting)
      if (!this.#isWriting) void this.#run()
    })
  }

  async #run(): Promise<void> {
    this.#isWriting = true
    while (this.#waiting.size > 0) {
      const batch = [...this.#waiting].slice(0, batchSize)
      for (const waiting of batch) this.#waiting.delete(waiting)
      const failures = await this.#attempt(batch.map(({ item }) => item))
      for (const { item, settle } of batch) settle(failures.get(item))
    }
    this.#isWriting = false
  }

  /** Writes, and divides what is refused until it is known which requests it is about. Resolves to what failed. */
  async #attempt(items: readonly TrackedItem[]): Promise<Map<TrackedItem, ChestError>> {
    try {
      const entries = items.flatMap(item => entriesIn(item.payload, item.idempotencyKey, item.requestId))
      await writeTold(this.#chest, entries)
      return new Map()
    } catch (thrown) {
      const error =
        thrown instanceof ChestError
          ? thrown
          : new ChestError('unavailable', this.#chest.id, errorMessage(thrown), { cause: thrown })
      const left = items.filter(({ idempotencyKey }) => !error.taken.has(idempotencyKey))
      if (error.code !== 'refused' || left.length < 2) return new Map(left.map(item => [item, error]))
      const half = Math.ceil(left.length / 2)
      const first = await this.#attempt(left.slice(0, half))
      return new Map([...first, ...(await this.#attempt(left.slice(half)))])
    }
  }
}
