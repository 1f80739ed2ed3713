import { UsageError } from './usage-error.ts'

/**
 * An option that takes one of a few words.
 * @throws UsageError
 */
export function oneOf<T extends string>(
  option: string,
  given: string | undefined,
  words: readonly T[],
  otherwise: T,
): T {
  if (given === undefined) return otherwise
  const word = words.find(candidate => candidate === given)
  if (word !== undefined) return word
  throw new UsageError(`${option} takes ${words.join(', ')}; not "${given}".`)
}
