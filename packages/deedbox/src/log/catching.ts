import type { LogFields } from './fields.ts'

/** How {@link catching} takes errors. */
export interface CatchingOptions {
  /** Default ERROR. */
  readonly level?: string | undefined
  /** Default: that an error was caught, and the function's name. */
  readonly message?: string | undefined
  /** Whether the error goes on to the caller, once it is logged. Default `false`: the caller gets `undefined`. */
  readonly rethrow?: boolean | undefined
}

/**
 * Has what a function throws, or its promise rejects with, logged; see `Logger.catching`. (FA-49)
 * @param log writes one line
 */
export function catching<Values extends unknown[], Result>(
  log: (level: string, message: string, error: LogFields | Error) => void,
  work: (...values: Values) => Result,
  options: CatchingOptions,
): (...values: Values) => Result | undefined {
  const take = (error: unknown): void => {
    const message = options.message ?? `An error was caught in ${work.name === '' ? 'a function' : work.name}`
    log(options.level ?? 'ERROR', message, error instanceof Error ? error : { thrown: error })
    if (options.rethrow === true) throw error
  }
  const caught = function (this: unknown, ...values: Values): Result | undefined {
    try {
      const result = work.apply(this, values)
      if (result instanceof Promise) return result.catch(take) as Result
      return result
    } catch (error) {
      take(error)
      return undefined
    }
  }
  Object.defineProperty(caught, 'name', { value: work.name })
  return caught
}
