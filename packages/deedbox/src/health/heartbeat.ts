import {
  type Check,
  type CheckOutcome,
  checkLevels,
  type HealthReport,
  type RoundSettings,
  type RunningChecks,
  reportOf,
  runRound,
} from '../checks/index.ts'
import { runOutside } from '../request/index.ts'

/** What a heartbeat is made with. */
export interface HeartbeatSettings extends RoundSettings {
  /** What has to be done before a round, in so many milliseconds. Never rejects. */
  readonly prepare?: (timeout: number) => Promise<void> | undefined
  /** Asked anew for each round. */
  readonly checks: () => readonly Check[]
  readonly silenced: ReadonlySet<string>
  /** Milliseconds for which the results of a round answer later calls as well; 0 for none. */
  readonly cache: number
  /** Told of each round. Must not throw. */
  readonly completed: (results: Results) => void
}

/** The results of a round. */
export interface Results {
  readonly outcomes: readonly CheckOutcome[]
  /** All checks. */
  readonly diagnosis: HealthReport
  /** Those alone that the service needs to be ready. */
  readonly readiness: HealthReport
}

/** Runs rounds of checks: one at a time, whose results answer everybody who asks meanwhile. (DF-13) */
export class Heartbeat {
  readonly #settings: HeartbeatSettings
  readonly #running: RunningChecks = new WeakMap()
  #current: Promise<Results> | undefined
  #fresh: { readonly results: Results; readonly until: number } | undefined

  constructor(settings: HeartbeatSettings) {
    this.#settings = settings
  }

  /** What a round comes to that is not older than the cache allows. */
  async results(): Promise<Results> {
    if (this.#fresh !== undefined && performance.now() < this.#fresh.until) return this.#fresh.results
    // It answers many requests and belongs to none of them, nor do the connections that a pool opens for a check.
    this.#current ??= runOutside(() => this.#round()).finally(() => {
      this.#current = undefined
    })
    return this.#current
  }

  async #round(): Promise<Results> {
    const { silenced, cache, completed, prepare, checks, deadline } = this.#settings
    const start = performance.now()
    await prepare?.(deadline / 2)
    const left = Math.max(1, Math.round(deadline - (performance.now() - start)))
    const outcomes = await runRound(checks(), { ...this.#settings, deadline: left }, this.#running)
    const results: Results = {
      outcomes,
      diagnosis: reportOf(outcomes, silenced),
      readiness: reportOf(
        outcomes.filter(outcome => outcome.readiness),
        silenced,
      ),
    }
    if (cache > 0) this.#fresh = { results, until: performance.now() + cache }
    completed(results)
    return results
  }
}

/** Whether a report fails at a level. */
export function fails({ level }: HealthReport, failLevel: number = checkLevels.error): boolean {
  return level >= failLevel
}
