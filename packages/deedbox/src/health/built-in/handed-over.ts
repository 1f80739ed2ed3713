import { ConfigurationError } from '../../safety/index.ts'

/** Whether something has all these methods. Never throws. */
export function hasMethods(thing: unknown, ...names: readonly string[]): boolean {
  const isThing = typeof thing === 'function' || (typeof thing === 'object' && thing !== null)
  return isThing && names.every(name => typeof Reflect.get(thing, name) === 'function')
}

/**
 * The refusal of something that a check cannot work with. It never repeats what was given, which may be a URL with a
 * password.
 * @param maker the function that was called
 * @param expected what it takes, as the end of a sentence
 */
export function notWhat(maker: string, expected: string, given: unknown): ConfigurationError {
  const what =
    given === null || given === undefined
      ? String(given)
      : typeof given === 'object'
        ? 'another object'
        : `a ${typeof given}`
  return new ConfigurationError(`${maker}()`, `takes ${expected}, and was given ${what}.`)
}
