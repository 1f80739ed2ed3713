import type { RedactionOptions } from '../safety/index.ts'
import { maskedValues } from './masked-values.ts'
import { factsOf } from './read-config.ts'

/**
 * A configuration for the log: each variable with its value in force, secrets masked, and `ENV`, the profile. (FA-32)
 * @throws TypeError for anything that `readConfig()` did not make
 */
export function describeConfig(config: object, redact: RedactionOptions = {}): Record<string, unknown> {
  const { profile, settings } = factsOf(config)
  return { ENV: profile, ...maskedValues(settings, ({ variable }) => variable, redact) }
}
