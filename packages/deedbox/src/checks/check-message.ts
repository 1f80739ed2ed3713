import { isDeepStrictEqual } from 'node:util'
import { type CheckLevelName, checkLevels, levelNumber } from './levels.ts'

/** What a message says beside its text. */
export interface CheckMessageDetails {
  /** What to do about it. */
  readonly hint?: string | undefined
  /** What it is about. */
  readonly object?: unknown
  /** Dotted, after who says it: `acme.health.0001`. By it a message is silenced. */
  readonly id?: string | undefined
  /** In place of the one that the function stands for. */
  readonly level?: number | CheckLevelName | undefined
}

/** One message of a check. (DF-15) */
export class CheckMessage {
  readonly message: string
  readonly level: number
  readonly hint: string | undefined
  readonly object: unknown
  readonly id: string | undefined

  /** @throws TypeError for a level that is none */
  constructor(message: string, level: number | CheckLevelName, details: CheckMessageDetails = {}) {
    const number = levelNumber(details.level ?? level)
    if (number === undefined) {
      throw new TypeError(
        `${String(details.level ?? level)} is no level. Use a number, or ${Object.keys(checkLevels).join(', ')}.`,
      )
    }
    this.message = message
    this.level = number
    this.hint = details.hint
    this.object = details.object
    this.id = details.id
  }

  /** Whether it is at least as grave as a level, ERROR unless given. */
  isSerious(level: number | CheckLevelName = 'error'): boolean {
    return this.level >= (levelNumber(level) ?? checkLevels.error)
  }

  /** Whether another message is equal in all five parts. */
  equals(other: unknown): boolean {
    return (
      other instanceof CheckMessage &&
      this.message === other.message &&
      this.level === other.level &&
      this.hint === other.hint &&
      this.id === other.id &&
      isDeepStrictEqual(this.object, other.object)
    )
  }

  /** `object: (id) message`, and the hint on a line of its own; `?` where there is no object. */
  toString(): string {
    const id = this.id ? `(${this.id}) ` : ''
    const hint = this.hint ? `\n\tHINT: ${this.hint}` : ''
    return `${textOf(this.object)}: ${id}${this.message}${hint}`
  }
}

/** Of any object, also of one that has no text. */
function textOf(object: unknown): string {
  if (object === undefined || object === null) return '?'
  try {
    return String(object)
  } catch {
    return typeof object
  }
}

/** A message that nothing is made of; level 10. (DF-15) */
export function debug(message: string, details?: CheckMessageDetails): CheckMessage {
  return new CheckMessage(message, 'debug', details)
}

/** A message for who looks; level 20. (DF-15) */
export function info(message: string, details?: CheckMessageDetails): CheckMessage {
  return new CheckMessage(message, 'info', details)
}

/** Something that needs a look, while the service does its work; level 30. (DF-15) */
export function warning(message: string, details?: CheckMessageDetails): CheckMessage {
  return new CheckMessage(message, 'warning', details)
}

/** The service cannot do its work, or not all of it; level 40. (DF-15) */
export function error(message: string, details?: CheckMessageDetails): CheckMessage {
  return new CheckMessage(message, 'error', details)
}

/** As an error, and it does not go by itself; level 50. (DF-15) */
export function critical(message: string, details?: CheckMessageDetails): CheckMessage {
  return new CheckMessage(message, 'critical', details)
}
