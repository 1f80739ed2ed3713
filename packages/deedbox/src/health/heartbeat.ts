import {
  beginRound,
  type Check,
  type CheckOutcome,
  checkLevels,
  type HealthReport,
  outcomesOf,
  type RoundSettings,
  type RunningChecks,
} from '../checks/index.ts'
import { runOutside } from '../request/index.ts'

/** What a heartbeat is made with. */
export interface HeartbeatSettings extends RoundSettings {
  /** What has to be done before a round, in so many milliseconds. Never rejects. */
  readonly prepare?: (timeout: number) => Promise<unknown> | undefined
  /** Asked anew for each round. */
  readonly checks: () => readonly Check[]
  /** Milliseconds for which the results of a round answer later calls as well; 0 for none. */
  readonly cache: number
  /** Told of each round, once all of its checks are done. Must not throw. */
  readonly completed: (outcomes: readonly CheckOutcome[]) => void
}

/** A round of checks, which is done for some before it is for others. */
interface Round {
  /** All checks. */
  readonly diagnosis: Promise<readonly CheckOutcome[]>
  /** Those alone that the service needs to be ready; the others do not hold them up. */
  readonly readiness: Promise<readonly CheckOutcome[]>
}

/** Runs rounds of checks: one at a time, whose results answer everybody who asks meanwhile. (DF-13) */
export class Heartbeat {
  readonly #settings: HeartbeatSettings
  readonly #running: RunningChecks = new WeakMap()
  #round: Round | undefined
  /** Until when the round answers; for ever while it runs. */
  #until = 0

  constructor(settings: HeartbeatSettings) {
    this.#settings = settings
  }

  /** What the checks of a view come to, in a round that is not older than the cache allows. */
  outcomes(view: keyof Round): Promise<readonly CheckOutcome[]> {
    if (this.#round === undefined || performance.now() >= this.#until) {
      this.#until = Number.POSITIVE_INFINITY
      // It answers many requests and belongs to none of them, nor do the connections that a pool opens for a check.
      this.#round = runOutside(() => this.#begin())
    }
    return this.#round[view]
  }

  #begin(): Round {
    const { cache, completed, prepare, checks, deadline } = this.#settings
    const begin = async (): Promise<ReturnType<typeof beginRound>> => {
      const start = performance.now()
      await prepare?.(deadline / 2)
      const left = Math.max(1, Math.round(deadline - (performance.now() - start)))
      return beginRound(checks(), { ...this.#settings, deadline: left }, this.#running)
    }
    const end = async (): Promise<readonly CheckOutcome[]> => {
      let fresh = 0
      try {
        const outcomes = await outcomesOf(await begun)
        fresh = cache
        completed(outcomes)
        return outcomes
      } finally {
        this.#until = performance.now() + fresh
      }
    }
    const begun = begin()
    const readiness = begun.then(all => outcomesOf(all.filter(each => each.readiness)))
    const diagnosis = end()
    // Who asks for one of them need not hear of the other.
    for (const view of [readiness, diagnosis]) view.catch(() => undefined)
    return { readiness, diagnosis }
  }
}

/** Whether a report fails at a level. */
export function fails({ level }: HealthReport, failLevel: number = checkLevels.error): boolean {
  return level >= failLevel
}
