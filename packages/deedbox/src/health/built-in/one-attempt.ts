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
 * one for each round. Who calls it meanwhile waits for the same attempt. Once that was late, each round says so at once, and
 * begins none before it has ended.
 */
export function oneAttempt(begin: () => Attempt): CheckFunction {
  let current: Running | undefined
  const begun = (): Running => {
    const attempt = begin()
    const ended = (): void => {
      current = undefined
    }
    attempt.found.then(ended, ended)
    return { attempt, since: performance.now(), late: undefined }
  }
  return signal => {
    if (current?.late !== undefined) return tellLate(current)
    current ??= begun()
    const own = current
    return new Promise((resolve, reject) => {
      const isOver = (): void => resolve(tellLate(own))
      signal.addEventListener('abort', isOver, { once: true })
      own.attempt.found
        // For who has still time when it was given up.
        .then(messages => resolve(own.late ?? messages), reject)
        .finally(() => signal.removeEventListener('abort', isOver))
    })
  }
}

interface Running {
  readonly attempt: Attempt
  readonly since: number
  /** What it said when its time was over. */
  late: CheckMessage[] | undefined
}

function tellLate(running: Running): CheckMessage[] {
  running.late = running.attempt.late(performance.now() - running.since)
  return running.late
}
