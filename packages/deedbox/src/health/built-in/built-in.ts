import { type Check, type CheckFunction, type CheckOptions, check } from '../../checks/index.ts'
import { ConfigurationError } from '../../safety/index.ts'

/** What every built-in check takes beside what it is about. */
export interface BuiltInOptions extends CheckOptions {
  /** In place of the name that Dockerflow gives it; needed for the second of its kind. (DF-28) */
  readonly name?: string | undefined
}

/**
 * A check of this package, under its standard name or the one that is wished.
 * @param maker the function that a message about its options names
 * @param own the options that this check has beside those of all
 * @throws ConfigurationError for options that are none
 */
export function builtIn(
  maker: string,
  standardName: string,
  options: BuiltInOptions,
  run: CheckFunction,
  own: readonly string[] = [],
): Check {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new ConfigurationError(`${maker}()`, 'takes an object of options as its last argument.')
  }
  const known = ['name', 'timeout', 'readiness', ...own]
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue
    throw new ConfigurationError(
      `${maker}() ${name}`,
      `there is no such option. There are: ${known.join(', ')}.`,
    )
  }
  const { name = standardName, timeout, readiness } = options
  return check(name, run, { timeout, readiness })
}
