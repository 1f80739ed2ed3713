import { createRedactor, createSerializer, logLimits, type RedactionOptions } from '../safety/index.ts'
import type { ReadSetting } from './reading.ts'

/**
 * Each setting as a dump shows it: what is declared secret, or has the name of a secret, is blanked, and whatever
 * else looks like one. That a secret is absent is no secret.
 */
export function maskedValues(
  settings: readonly ReadSetting[],
  nameOf: (setting: ReadSetting) => string,
  redaction: RedactionOptions,
): Record<string, unknown> {
  const redactor = createRedactor(redaction)
  const serializer = createSerializer(redactor, logLimits)
  const isSecret = ({ key, variable, setting, value }: ReadSetting): boolean =>
    setting.secret ||
    (typeof value !== 'boolean' && (redactor.key(key).secret || redactor.key(variable).secret))
  const shown = (read: ReadSetting): unknown => {
    if (read.value === undefined) return null
    if (isSecret(read)) return redactor.replacement
    const member = serializer.member(nameOf(read), read.setting.show(read.value))
    return member === undefined ? null : Object.values(JSON.parse(`{${member}}`) as object)[0]
  }
  return Object.fromEntries(settings.map(read => [nameOf(read), shown(read)]))
}
