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

/** How many are at work at once, where one that hangs is left behind. */
const most = 2

/**
 * A check that is not at work anew for each round, so that a dependency that does not answer holds one connection and not
 * one for each round. Who calls it meanwhile waits for the same attempt. Once that was late, each round says so at once, and
 * begins none before it has ended.
 * @param again milliseconds after which one that hangs is left behind for another, where it cannot be given up: it may be
 * held by a connection that nobody answers any more, while others are well. No more than two are ever at work.
 */
export function oneAttempt(begin: () => Attempt, again: number = Number.POSITIVE_INFINITY): CheckFunction {
  let running: readonly Running[] = []
  const begun = (): Running => {
    const attempt = begin()
    const own: Running = { attempt, since: performance.now(), late: undefined }
    const ended = (): void => {
      running = running.filter(each => each !== own)
    }
    running = [...running, own]
    attempt.found.then(ended, ended)
    return own
  }
  const isLeft = ({ late, since }: Running): boolean =>
    late !== undefined && running.length < most && performance.now() - since >= again
  return signal => {
    const newest = running.at(-1)
    const own = newest === undefined || isLeft(newest) ? begun() : newest
    if (own.late !== undefined) return tellLate(own)
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
