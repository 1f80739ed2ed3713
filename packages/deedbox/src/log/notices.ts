import type { LogFields } from './fields.ts'
import type { LogWriter } from './writer.ts'

/** Milliseconds between two lines of the same notice. */
const quietTime = 60_000

/**
 * What this package says about itself: failures of ours, settings that look wrong. Each notice is a line
 * with a `notice` code, at most one a minute per code; the next one says how many were left out. (IF-35)
 */
export class Notices {
  readonly #writer: LogWriter
  readonly #seen = new Map<string, { until: number; suppressed: number }>()

  constructor(writer: LogWriter) {
    this.#writer = writer
  }

  /** Writes a WARNING, as {@link tell} does. */
  warn(code: string, message: string, fields?: LogFields): void {
    this.tell('WARNING', code, message, fields)
  }

  /**
   * Writes the notice, or counts it if the same code was written within the last minute.
   * @param about what it is about, where the same code may be said of several things
   */
  tell(
    level: 'INFO' | 'WARNING',
    code: string,
    message: string,
    fields: LogFields = {},
    about: string = '',
  ): void {
    const now = performance.now()
    const key = `${code} ${about}`
    const seen = this.#seen.get(key)
    if (seen !== undefined && now < seen.until) {
      seen.suppressed++
      return
    }
    const suppressed = seen?.suppressed ?? 0
    this.#seen.set(key, { until: now + quietTime, suppressed: 0 })
    this.#writer.own({
      level,
      message,
      fields: suppressed > 0 ? { notice: code, ...fields, suppressed } : { notice: code, ...fields },
    })
  }
}
