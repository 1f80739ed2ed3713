import { ConfigurationError } from '../safety/index.ts'
import { CheckMessage } from './check-message.ts'
import { type CheckLevelName, levelNumber } from './levels.ts'

/** A message as checks may also give it, such as those of `Chest.check()`. */
export interface PlainCheckMessage {
  readonly message: string
  readonly level: number | CheckLevelName
  readonly id?: string | undefined
  readonly hint?: string | undefined
}

/** What a check finds: no message, an empty list or nothing, means that all is well. (DF-19) */
// biome-ignore lint/suspicious/noConfusingVoidType: a function without a return statement is a check, too
export type CheckResult = readonly (CheckMessage | PlainCheckMessage)[] | undefined | void

/**
 * Looks at one thing. It is given a signal that aborts once its time is over. What it throws, or rejects with, is a
 * message of level ERROR. (DF-19, DF-23)
 */
export type CheckFunction = (signal: AbortSignal) => CheckResult | Promise<CheckResult>

/** How a check is run, and what its result is for. */
export interface CheckOptions {
  /** Milliseconds that it may take. Default: `timeout` of `health()`. */
  readonly timeout?: number | undefined
  /**
   * Whether the service is not ready while this check fails. `false` for what it can work without: then only the
   * heartbeat shows it. Default `true`. (X-18)
   */
  readonly readiness?: boolean | undefined
}

/** A named check. */
export interface Check extends CheckOptions {
  readonly name: string
  readonly run: CheckFunction
}

/**
 * Makes a check of a function, under the function's own name: `check(storageReachable)`; or under another:
 * `check('storage', () => …)`. (DF-16, ruling 29)
 * @throws ConfigurationError without a name or a function
 */
export function check(fn: CheckFunction, options?: CheckOptions): Check
export function check(name: string, fn: CheckFunction, options?: CheckOptions): Check
export function check(
  first: string | CheckFunction,
  second?: CheckFunction | CheckOptions,
  third?: CheckOptions,
): Check {
  const [name, run, options] =
    typeof first === 'string'
      ? [first, second as CheckFunction, third]
      : [first?.name, first, second as CheckOptions | undefined]
  if (typeof run !== 'function') {
    throw new ConfigurationError(
      'check',
      'a function is needed: check(storageReachable), or check("storage", () => …).',
    )
  }
  if (typeof name !== 'string' || name.trim() === '') {
    throw new ConfigurationError('check', 'this function has no name. Give one: check("storage", () => …).')
  }
  return checked({ ...options, name, run })
}

/**
 * What may stand in a list of checks: a check, or a function with a name.
 * @throws ConfigurationError for anything else
 */
export function toCheck(given: unknown): Check {
  if (typeof given === 'function') return check(given as CheckFunction)
  const { name, run } = Object(given) as Partial<Check>
  if (typeof name === 'string' && name.trim() !== '' && typeof run === 'function')
    return checked(given as Check)
  throw new ConfigurationError(
    'checks',
    'a check is what check() makes, a function with a name, or one of the built-in checks.',
  )
}

function checked(given: Check): Check {
  const { name, timeout, readiness } = given
  if (timeout !== undefined && !(Number.isFinite(timeout) && timeout > 0)) {
    throw new ConfigurationError(
      `timeout of the check ${name}`,
      'a number of milliseconds above 0 is needed.',
    )
  }
  if (readiness !== undefined && typeof readiness !== 'boolean') {
    throw new ConfigurationError(`readiness of the check ${name}`, 'true or false is needed.')
  }
  return given
}

/** The messages of a result; what is none becomes an ERROR that says so. */
export function messagesOf(result: unknown): CheckMessage[] {
  if (result === undefined || result === null) return []
  if (!Array.isArray(result)) return [noMessage(result)]
  return result.map(each => {
    if (each instanceof CheckMessage) return each
    const { message, level, id, hint } = Object(each) as Partial<PlainCheckMessage>
    const number = levelNumber(level)
    if (typeof message !== 'string' || number === undefined) return noMessage(each)
    return new CheckMessage(message, number, {
      id: typeof id === 'string' ? id : undefined,
      hint: typeof hint === 'string' ? hint : undefined,
    })
  })
}

function noMessage(given: unknown): CheckMessage {
  return new CheckMessage(
    `The check returned ${given === null ? 'null' : `a ${typeof given}`} where messages are expected.`,
    'error',
    {
      id: 'deedbox.health.E101',
      hint: 'Return a list of messages, such as [warning("…", { id: "…" })]; an empty one for no problem.',
    },
  )
}
