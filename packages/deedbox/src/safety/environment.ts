import { secretNameTest } from './secret-names.ts'
import { secretTextRedactor } from './secret-patterns.ts'

/** A setting mistaken for another, such as a key in the place of the level, is repeated in no text. */
const redact = secretTextRedactor({
  replacement: '[redacted]',
  isSecretName: secretNameTest({ keys: [], allow: [] }),
  patterns: [],
})

/**
 * A setting that cannot work. Thrown when an instance is made, never later, and never with a key or password in
 * its text.
 */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError'
  readonly code = 'invalid_configuration'
  /** The variable or option at fault, for example `DEEDBOX_API_KEY`. */
  readonly setting: string

  constructor(setting: string, problem: string) {
    super(`${setting}: ${redact(problem)}`)
    this.setting = setting
  }
}

/** A value found in the environment and the variable that held it. */
export interface FoundVariable {
  readonly name: string
  readonly value: string
}

/** The first of the variables that is set; an empty one counts as absent. (Ruling 1) */
export function findVariable(
  environment: Readonly<Record<string, string | undefined>>,
  names: readonly string[],
): FoundVariable | undefined {
  for (const name of names) {
    const value = environment[name]?.trim()
    if (value !== undefined && value !== '') return { name, value }
  }
  return undefined
}
