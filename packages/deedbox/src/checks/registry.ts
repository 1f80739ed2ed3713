import { ConfigurationError } from '../safety/index.ts'
import { type Check, type CheckFunction, type CheckOptions, check, toCheck } from './check.ts'

/** What is said about checks stands in the log under this name, as Dockerflow has it. (DF-22) */
export const registryLogger = 'dockerflow.checks.registry'

/** How a check is registered. */
export interface RegisterOptions extends CheckOptions {
  /** Whether it may take the place of one of the same name. Default `false`. (DF-16) */
  readonly replace?: boolean | undefined
}

/** The checks of one instance. (DF-18) */
export interface CheckRegistry {
  /**
   * Adds a check. Returns how to take it away again. (DF-16)
   * @throws ConfigurationError for what is no check, and for a name that is taken
   */
  register(check: Check | CheckFunction, options?: RegisterOptions): () => void
  register(name: string, fn: CheckFunction, options?: RegisterOptions): () => void
  /** The names, in the order in which they were registered. */
  readonly names: readonly string[]
  /** The checks, in the order in which they were registered. */
  readonly checks: readonly Check[]
}

/**
 * A registry without any check.
 * @param registered told the name of each that is added
 */
export function createRegistry(registered: (name: string) => void = () => undefined): CheckRegistry {
  const checks = new Map<string, Check>()
  const add = (added: Check, replace: boolean): (() => void) => {
    if (checks.has(added.name) && !replace) {
      throw new ConfigurationError(
        'checks',
        `there is a check named "${added.name}" already. Give this one another name, as in sqlite(db, { name: 'check_stock_connected' }), or register it with { replace: true }.`,
      )
    }
    checks.set(added.name, added)
    registered(added.name)
    return () => {
      if (checks.get(added.name) === added) checks.delete(added.name)
    }
  }
  return {
    register(
      first: string | Check | CheckFunction,
      second?: CheckFunction | RegisterOptions,
      third: RegisterOptions = {},
    ) {
      if (typeof first === 'string') {
        const { replace = false, ...options } = third
        return add(check(first, second as CheckFunction, options), replace)
      }
      const { replace = false, ...options } = (second ?? {}) as RegisterOptions
      return add(toCheck({ ...toCheck(first), ...options }), replace)
    },
    get names() {
      return [...checks.keys()]
    },
    get checks() {
      return [...checks.values()]
    },
  }
}
