import type { LogFields, Logger } from '../log/index.ts'

/** The level of a line that another logger wrote, in our words. */
export type BridgedLevel = 'trace' | 'debug' | 'info' | 'warning' | 'error' | 'critical'

/**
 * Writes the line of another logger. Every bridge passes here, and the names of the functions in between begin with
 * `bridged`: so the log sees that the line's place in the source lies further out. (FA-05)
 */
export function bridgedLine(
  log: Logger,
  level: BridgedLevel,
  message: string,
  error: unknown,
  fields: LogFields | undefined,
): void {
  if (error instanceof Error) log[level](message, error, fields)
  else log[level](message, fields)
}

/** An error that another logger has already put into words, as one that our log takes for an error. */
export function toldError(type: string, message: string, stack: string): Error {
  const member = (value: string): PropertyDescriptor => ({ value, writable: true, configurable: true })
  // Not made by its constructor, which would look at the stack of this place.
  return Object.create(Error.prototype, {
    name: member(type),
    message: member(message),
    stack: member(stack),
  }) as Error
}
