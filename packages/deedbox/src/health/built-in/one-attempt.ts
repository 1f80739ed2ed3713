import type { CheckFunction, CheckMessage } from '../../checks/index.ts'

/** What a check has begun, and may not come back from. */
export interface Attempt {
  /** What it finds. May reject where {@link late} was called before: then nobody waits for it. */
  readonly found: Promise<CheckMessage[]>
  /**
   * Called when its time is over, and then in each later round in which it still hangs. Says what it waits for, and gives up
   * what can be given up.
   * @param milliseconds since it was begun
   */
  late(milliseconds: number): CheckMessage[]
}

/**
 * A check that is never at work more than once, so that a dependency that does not answer holds one connection and not
 * one for each round. While an attempt hangs, the rounds after it say so at once and begin none.
 */
export function oneAttempt(begin: () => Attempt): CheckFunction {
  let hanging: { readonly attempt: Attempt; readonly since: number } | undefined
  return signal => {
    if (hanging !== undefined) return hanging.attempt.late(performance.now() - hanging.since)
    const attempt = begin()
    const own = { attempt, since: performance.now() }
    hanging = own
    return new Promise((resolve, reject) => {
      const isLate = (): void => resolve(attempt.late(performance.now() - own.since))
      signal.addEventListener('abort', isLate, { once: true })
      attempt.found.then(resolve, reject).finally(() => {
        hanging = undefined
        signal.removeEventListener('abort', isLate)
      })
    })
  }
}
