/**
 * What a value lacks of a pattern, as `path: sentence`; undefined when it fits. An object fits when the members that the
 * pattern names fit, an array when its items do, one by one; a regular expression is for texts; the rest is compared.
 */
export function mismatch(actual: unknown, pattern: unknown, path = ''): string | undefined {
  if (pattern instanceof RegExp) {
    const fits = typeof actual === 'string' && actual.search(pattern) !== -1
    return fits ? undefined : `${at(path)} is ${shown(actual)} and does not match ${pattern}`
  }
  if (Array.isArray(pattern)) {
    if (!Array.isArray(actual)) return `${at(path)} is ${shown(actual)} and no array`
    if (actual.length !== pattern.length)
      return `${at(path)} has ${actual.length} items and not ${pattern.length}`
    return first(pattern.keys(), i => mismatch(actual[i], pattern[i], `${path}[${i}]`))
  }
  if (typeof pattern === 'object' && pattern !== null) {
    if (typeof actual !== 'object' || actual === null) return `${at(path)} is ${shown(actual)} and no object`
    return first(Object.keys(pattern), name =>
      mismatch(
        Object.hasOwn(actual, name) ? Reflect.get(actual, name) : undefined,
        Reflect.get(pattern, name),
        path === '' ? name : `${path}.${name}`,
      ),
    )
  }
  return Object.is(actual, pattern) ? undefined : `${at(path)} is ${shown(actual)} and not ${shown(pattern)}`
}

function first<T>(parts: Iterable<T>, find: (part: T) => string | undefined): string | undefined {
  for (const part of parts) {
    const found = find(part)
    if (found !== undefined) return found
  }
  return undefined
}

function at(path: string): string {
  return path === '' ? 'it' : path
}

function shown(value: unknown): string {
  if (value === undefined) return 'absent'
  const text = typeof value === 'bigint' ? `${value}n` : (JSON.stringify(value) ?? String(value))
  return text.length > 200 ? `${text.slice(0, 200)}…` : text
}
