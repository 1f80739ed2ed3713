// Any value may be thrown, and reading one may throw again or run anybody's code: of an error only these members are
// read, each under guard.

/** How many causes of causes, and members of an aggregate, are followed; as in the ordinary trace. */
export const followed = 5
const looked = 100

/** The stack of an error; empty if it has none. */
export function stackOf(thrown: unknown): string {
  const stack = read(thrown, 'stack')
  return typeof stack === 'string' ? stack : ''
}

/** What caused an error; `undefined` if nothing did. */
export function causeOf(thrown: unknown): unknown {
  return read(thrown, 'cause') ?? undefined
}

/** The errors that an `AggregateError` collects; other values under that name are no part of a trace. */
export function membersOf(thrown: unknown): readonly Error[] {
  const members: Error[] = []
  try {
    const errors = read(thrown, 'errors')
    if (!Array.isArray(errors)) return members
    for (let i = 0; i < Math.min(errors.length, looked) && members.length < followed; i++) {
      const error: unknown = errors[i]
      if (error instanceof Error) members.push(error)
    }
  } catch {
    // What was read so far.
  }
  return members
}

/** How many entries a list of collected errors has. */
export function memberCount(thrown: unknown): number {
  try {
    const errors = read(thrown, 'errors')
    return Array.isArray(errors) ? errors.length : 0
  } catch {
    return 0
  }
}

function read(thrown: unknown, key: string): unknown {
  try {
    return typeof thrown === 'object' && thrown !== null ? Reflect.get(thrown, key) : undefined
  } catch {
    return undefined
  }
}
