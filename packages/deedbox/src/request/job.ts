import { monotonicNow, toSeconds, wallMicroseconds } from './clock.ts'
import { currentScope, runInScope } from './context.ts'
import { isRequestId } from './ids.ts'
import type { Failure, JobRecord } from './record.ts'
import { RequestScope } from './scope.ts'
import type { RuleInUse, TrackingGate } from './scope-rules.ts'

/** Work outside HTTP: a queue message, a timer, a script. */
export interface Job {
  /** Names the job on its log line. */
  readonly name: string
  /** 1 to 128 visible ASCII characters; made like a request's when absent. */
  readonly requestId?: string
}

/** What one instance decided about its jobs. */
export interface JobSettings {
  readonly box: object
  readonly generateId: () => string
  readonly tracking: TrackingGate
  /**
   * Takes the record of each job when it is over; must not throw. `rules` are those of {@link RequestScope.track}; absent
   * where there were none.
   */
  readonly emit: (record: JobRecord, rules: readonly RuleInUse[] | undefined) => void
}

/**
 * Runs a function in a scope of its own and emits the job's record when it returns, throws, or its promise
 * settles. The result and the error pass through unchanged.
 * @throws RangeError for a request id that could not stand in a header
 */
export function runJob<Result>(job: Job, work: () => Result, settings: JobSettings): Result {
  if (job.requestId !== undefined && !isRequestId(job.requestId)) {
    throw new RangeError('run(): requestId must be 1 to 128 visible ASCII characters')
  }
  const startedAt = wallMicroseconds()
  const start = monotonicNow()
  let failure: Failure | null = null
  const scope = new RequestScope(settings.box, currentScope(), job.requestId ?? settings.generateId(), {
    report: thrown => {
      failure = { thrown }
    },
    settle: async rule => {
      const failed = await scope.rules?.write(describe(), settings.tracking, rule)
      if (failed !== undefined) throw failed.thrown
    },
  })
  const describe = (thrown?: Failure): JobRecord => ({
    schema: 1,
    job: job.name,
    requestId: scope.requestId,
    startedAt,
    elapsed: toSeconds(monotonicNow() - start),
    error: thrown ?? failure,
    eventName: scope.eventName ?? null,
    eventDetails: scope.eventDetails ?? null,
    values: { ...scope.values },
  })
  const finish = (thrown?: Failure): void => settings.emit(describe(thrown), scope.rules?.inUse)

  let result: Result
  try {
    result = runInScope(scope, work)
  } catch (thrown) {
    finish({ thrown })
    throw thrown
  }
  if (!(result instanceof Promise)) {
    finish()
    return result
  }
  const settled: unknown = result.then(
    value => {
      finish()
      return value
    },
    thrown => {
      finish({ thrown })
      throw thrown
    },
  )
  return settled as Result
}
