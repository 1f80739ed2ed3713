import { type RequestScope, wallMicroseconds } from '../request/index.ts'
import { errorMessage, errorTrace, type Serializer } from '../safety/index.ts'
import { callSite } from './call-site.ts'
import { type LogLevel, levelNumbers } from './levels.ts'
import type { LineFormat, LineHead } from './line.ts'

/** Extra fields of a line. */
export type LogFields = Readonly<Record<string, unknown>>

/**
 * One log call. Never throws and never interpolates into the message (FA-07). An `Error` in place of the fields
 * becomes the line's `exception`; further fields may follow it. An `Error` in place of the message is both.
 */
export type LogCall = (message: string | Error, fields?: LogFields | Error, more?: LogFields) => void

/** The log calls of an instance. They work detached from it: `const { info } = box.log`. */
export interface Logger {
  readonly trace: LogCall
  readonly debug: LogCall
  readonly info: LogCall
  readonly success: LogCall
  readonly warning: LogCall
  /** The same as {@link warning}. */
  readonly warn: LogCall
  readonly error: LogCall
  readonly critical: LogCall
  /** The least severe level that is written; may be changed at any time. (FA-30) */
  level: LogLevel
  /** A logger whose lines all carry these fields. (FA-06) */
  with(fields: LogFields): Logger
}

/** On which explicit calls `source` is found out, at a few microseconds each. (Ruling 11) */
export type SourceMode = 'always' | 'warn' | 'never'

/** A line that is rendered by us and not by a log call: a request's, an audit event's, our own notices. */
export interface OwnLine {
  readonly level: LogLevel
  readonly message: string
  /** What kind of line it is. Default `deedbox`: what this package says itself. */
  readonly type?: string
  /** Members already rendered and redacted, each with its leading comma; the request id comes first. */
  readonly members?: string
  readonly fields?: LogFields | undefined
  readonly exception?: string | undefined
}

/** A line that is rendered at the end of the turn; must not depend on what happens until then. */
export type LazyLine = () => string

/** What the log of one instance is made of. */
export interface LogWriterSettings {
  /** Takes each line, with its line break; must not throw. */
  readonly write: (line: string | LazyLine) => void
  readonly serializer: Serializer
  readonly format: LineFormat
  readonly source: SourceMode
  readonly scope: () => RequestScope | undefined
  /** Told once per field name that collided with a key of the line. */
  readonly onCollision: (key: string) => void
}

/** Renders and writes the lines of one instance. */
export class LogWriter {
  /** The least severe level that log calls write. */
  level: LogLevel
  readonly #settings: LogWriterSettings
  readonly #collided = new Set<string>()

  constructor(level: LogLevel, settings: LogWriterSettings) {
    this.level = level
    this.#settings = settings
  }

  /** Whether a line of this level is written at all. (FA-30) */
  isWritten(level: LogLevel): boolean {
    return levelNumbers[level] >= levelNumbers[this.level]
  }

  /**
   * Writes the line of a log call.
   * @param depth frames between this function and the call whose place is the line's source
   */
  log(level: LogLevel, bound: LogFields | undefined, call: Parameters<LogCall>, depth: number): void {
    if (levelNumbers[level] < levelNumbers[this.level]) return
    try {
      const [message, second, third] = call
      const isSecondError = isError(second)
      const error = isError(message) ? message : isSecondError ? second : undefined
      const own = isSecondError ? third : (second as LogFields | undefined)
      const scope = this.#settings.scope()
      const { source } = this.#settings
      const wanted = source === 'always' || (source === 'warn' && levelNumbers[level] >= levelNumbers.WARNING)
      const head = {
        instant: wallMicroseconds(),
        level,
        number: levelNumbers[level],
        type: 'app.log',
        logger: undefined,
        message: error === message ? errorMessage(message) : String(message),
        source: wanted ? callSite(depth + 1) : undefined,
        failure: error === undefined ? undefined : { thrown: error },
        members: scope?.idMember ?? '',
      }
      const exception = error === undefined ? undefined : errorTrace(error)
      const { format, serializer } = this.#settings
      let line: string
      try {
        const fields = bound === undefined ? (own ?? undefined) : { ...bound, ...own }
        line = format(head, serializer, fields, exception, this.#collision)
      } catch (unreadable) {
        const fields = { fields_unreadable: errorMessage(unreadable) }
        line = format(head, serializer, fields, exception, this.#collision)
      }
      this.#settings.write(`${line}\n`)
    } catch (error) {
      // Where the stack is used up this throws as well: then the line is lost, and the caller none the wiser.
      try {
        this.own({ level: 'ERROR', message: 'A log call could not be written', exception: errorTrace(error) })
      } catch {}
    }
  }

  /**
   * Writes one of our own lines, whatever the level: what is asked of us is not filtered by what is asked of log
   * calls.
   */
  own(line: OwnLine, instant: number = wallMicroseconds()): void {
    const head = {
      instant,
      level: line.level,
      number: levelNumbers[line.level],
      type: line.type ?? 'deedbox',
      logger: undefined,
      message: line.message,
      source: undefined,
      failure: undefined,
      members: line.members ?? '',
    }
    this.#settings.write(this.render(head, line.fields, line.exception))
  }

  /** Writes a line that is rendered at the end of the turn. */
  later(line: LazyLine): void {
    this.#settings.write(line)
  }

  /** A line with its line break. */
  render(head: LineHead, fields: LogFields | undefined, exception: string | undefined): string {
    const { format, serializer } = this.#settings
    return `${format(head, serializer, fields, exception, this.#collision)}\n`
  }

  readonly #collision = (key: string): void => {
    if (this.#collided.has(key)) return
    this.#collided.add(key)
    this.#settings.onCollision(key)
  }
}

/** A revoked proxy throws when it is asked. */
function isError(value: unknown): value is Error {
  try {
    return value instanceof Error
  } catch {
    return false
  }
}

/** Makes the log calls around a writer; `writer` is asked at each call, so that it may depend on the context. */
export function createLogger(writer: () => LogWriter, bound?: LogFields): Logger {
  const call =
    (level: LogLevel): LogCall =>
    (...values) =>
      writer().log(level, bound, values, 1)
  const warning = call('WARNING')
  return {
    trace: call('TRACE'),
    debug: call('DEBUG'),
    info: call('INFO'),
    success: call('SUCCESS'),
    warning,
    warn: warning,
    error: call('ERROR'),
    critical: call('CRITICAL'),
    get level() {
      return writer().level
    },
    set level(level) {
      writer().level = level
    },
    with: fields => createLogger(writer, bound === undefined ? fields : joined(bound, fields)),
  }
}

/** Fields over others; where they cannot be read, a field that says so in their place. */
export function joined(bound: LogFields, fields: LogFields): LogFields {
  try {
    return { ...bound, ...fields }
  } catch (error) {
    return { ...bound, fields_unreadable: errorMessage(error) }
  }
}
