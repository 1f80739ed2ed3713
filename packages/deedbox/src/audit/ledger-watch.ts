import { errorMessage } from '../safety/index.ts'
import type { LedgerClient, LedgerItem, LedgerResult } from './ledger-client.ts'

/** What deliveries have met with. Times are milliseconds since 1970. (Gap 12) */
export interface LedgerState {
  /** When the ledger last judged events. */
  readonly lastAnswer: number | null
  /** When the first of the deliveries failed that have failed since then; `null` for none. */
  readonly failingSince: number | null
  /** What the last of them failed with; why the ledger could not be opened. */
  readonly problem: string | null
  /** Whether it could not be opened, for good. */
  readonly isLost: boolean
}

/** Knows from the deliveries themselves whether a ledger is there: no request is made to find it out. */
export class LedgerWatch {
  #state: LedgerState = { lastAnswer: null, failingSince: null, problem: null, isLost: false }

  get state(): LedgerState {
    return this.#state
  }

  /** The same client, watched. */
  watched(client: LedgerClient | Promise<LedgerClient>): LedgerClient | Promise<LedgerClient> {
    if (!(client instanceof Promise)) return this.#watched(client)
    client.catch(error => {
      this.#failed(errorMessage(error))
      this.#state = { ...this.#state, isLost: true }
    })
    return client.then(opened => this.#watched(opened))
  }

  #watched(client: LedgerClient): LedgerClient {
    return {
      // It is found out only with the first answer.
      get batchSize() {
        return client.batchSize
      },
      appendBatch: async items => this.#append(client, items),
    }
  }

  async #append(client: LedgerClient, items: readonly LedgerItem[]): Promise<readonly LedgerResult[]> {
    let results: readonly LedgerResult[]
    try {
      results = await client.appendBatch(items)
    } catch (error) {
      this.#failed(errorMessage(error))
      throw error
    }
    const problem = problemOf(results)
    if (problem === undefined)
      this.#state = { lastAnswer: Date.now(), failingSince: null, problem: null, isLost: false }
    else this.#failed(problem)
    return results
  }

  #failed(problem: string): void {
    const { failingSince } = this.#state
    this.#state = { ...this.#state, problem, failingSince: failingSince ?? Date.now() }
  }
}

/** Why none of the events was judged. What answers is checked by the delivery, later than here. */
function problemOf(results: readonly LedgerResult[]): string | undefined {
  if (!Array.isArray(results)) return 'It answered something else than results'
  let problem: string | undefined
  for (const result of results as readonly (Partial<LedgerResult> | null)[]) {
    if (result === null || result.ok !== false || result.status === 429 || !result.retryable) return undefined
    problem ??= `${result.message} (${result.reason})`
  }
  return problem
}
