// Any value may be thrown, and reading one may throw again or run anybody's code: of an error only these members are
// read, each under guard.

/** The stack of an error; empty if it has none. */
export function stackOf(thrown: unknown): string {
  const stack = read(thrown, 'stack')
  return typeof stack === 'string' ? stack : ''
}

/** What caused an error; `undefined` if nothing did. */
export function causeOf(thrown: unknown): unknown {
  return read(thrown, 'cause') ?? undefined
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
