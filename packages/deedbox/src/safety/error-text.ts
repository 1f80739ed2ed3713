// Errors reach us from anybody's code: any value may be thrown, and reading one may throw again. These functions
// always answer.

/** How many causes of causes, and members of an aggregate, are followed. */
export const followed = 5
/** How many entries of an aggregate's list are looked at. */
const looked = 100

/**
 * The class name of what was thrown: the error's own name if it has one, else its constructor's name
 * (`PaymentError` for `class PaymentError extends Error`); for other values, their type. (IF-22)
 */
export function errorName(thrown: unknown): string {
  try {
    if (!isErrorLike(thrown)) return thrown === null ? 'null' : typeof thrown
    const name: unknown = Reflect.get(thrown, 'name')
    if (typeof name === 'string' && name !== '' && name !== 'Error') return name
    const made: unknown = thrown.constructor?.name
    return typeof made === 'string' && made !== '' && made !== 'Object' ? made : 'Error'
  } catch {
    return 'Error'
  }
}

/** The message of what was thrown; for values that are not errors, the value as text. */
export function errorMessage(thrown: unknown): string {
  try {
    if (typeof thrown === 'string') return thrown
    if (!isErrorLike(thrown)) return String(thrown)
    const message: unknown = Reflect.get(thrown, 'message')
    return typeof message === 'string' ? message : String(message)
  } catch {
    return 'unreadable error'
  }
}

/** The stack of one error without its causes; name and message when it has no stack. */
export function errorStack(thrown: unknown): string {
  try {
    const stack: unknown = isErrorLike(thrown) ? Reflect.get(thrown, 'stack') : undefined
    if (typeof stack === 'string' && stack !== '') return stack
  } catch {
    // Falls through to what can be read.
  }
  return `${errorName(thrown)}: ${errorMessage(thrown)}`
}

/**
 * The traceback text of the `exception` field: the stack, then each cause and each member of an aggregate under
 * a line that says so. (FA-27)
 */
export function errorTrace(thrown: unknown): string {
  const lines: string[] = []
  describe(thrown, '', 0, lines)
  return lines.join('\n')
}

function describe(thrown: unknown, heading: string, depth: number, lines: string[]): void {
  lines.push(heading + errorStack(thrown))
  if (depth >= followed) return
  for (const member of collectedErrors(thrown)) describe(member, 'One of: ', depth + 1, lines)
  const cause = read(thrown, 'cause')
  if (cause !== undefined && cause !== null) describe(cause, 'Caused by: ', depth + 1, lines)
}

/** The errors that an `AggregateError` collects; other values under that name are no part of a trace. */
export function collectedErrors(thrown: unknown): readonly Error[] {
  const members: Error[] = []
  try {
    const errors = read(thrown, 'errors')
    if (!Array.isArray(errors)) return members
    for (let i = 0; i < Math.min(errors.length, looked) && members.length < followed; i++) {
      const error: unknown = errors[i]
      // Other libraries keep validation details under this name; only real errors belong in a traceback.
      if (error instanceof Error) members.push(error)
    }
  } catch {
    // What was read so far.
  }
  return members
}

function read(thrown: unknown, key: string): unknown {
  try {
    return isErrorLike(thrown) ? Reflect.get(thrown, key) : undefined
  } catch {
    return undefined
  }
}

function isErrorLike(thrown: unknown): thrown is object {
  return typeof thrown === 'object' && thrown !== null && (thrown instanceof Error || 'message' in thrown)
}
