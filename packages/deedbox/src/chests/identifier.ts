import { ConfigurationError } from '../safety/index.ts'

/**
 * Checks the name of a table or the like. It is strict, since such a name becomes a part of statements: letters, digits and
 * underscores of ASCII, a letter or underscore first, 63 at most. (FC-23)
 * @param setting how messages call the option: `sqlite(): name`
 * @throws ConfigurationError
 */
export function checkedIdentifier(setting: string, name: unknown): string {
  if (typeof name === 'string' && /^[A-Za-z_][A-Za-z0-9_]{0,62}$/.test(name)) return name
  throw new ConfigurationError(
    setting,
    'a name of letters, digits and underscores is needed, a letter or underscore first, 63 at most.',
  )
}
