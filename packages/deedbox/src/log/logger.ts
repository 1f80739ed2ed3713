import type { Lazy } from '../safety/index.ts'
import { type CatchingOptions, catching } from './catching.ts'
import { withContext } from './context-fields.ts'
import { joined, type LogFields } from './fields.ts'
import { type LogLevel, levelNumbers } from './levels.ts'
import type { CallValues, LoggerBinding, LogWriter, PatchedLine } from './writer.ts'

/**
 * One log call. Never throws and never interpolates into the message (FA-07). An `Error` in place of the fields, or
 * under the name `err`, becomes the line's `exception`; further fields may follow it. An `Error` in place of the
 * message is both. What is caught is `unknown` to the compiler and may be given as it is; a value that is no object
 * stands as `value`. Fields before the message, as pino has them, are understood.
 */
export type LogCall = (message: string | Error | Lazy, fields?: unknown, more?: object) => void

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
  /** A call whose level is chosen at run time or is one of the service's own; INFO where there is no such level. */
  log(level: string, ...values: Parameters<LogCall>): void
  /** The least severe level that this logger writes; may be changed at any time. (FA-30) */
  level: string
  /** Whether a call of this level would be written. */
  isEnabled(level: string): boolean
  /** A logger whose lines all carry these fields. (FA-06, FA-47) */
  with(fields: object): Logger
  /** The same as {@link with}. */
  child(fields: object): Logger
  /**
   * A logger with a name, which stands on its lines as `logger`; names below one another are joined by full stops:
   * `log.named('db').named('query')` is `db.query`. Levels are set by such names. (Ruling 12)
   */
  named(name: string): Logger
  /** A logger whose lines pass through a function that may change message and fields. (FA-47) */
  patch(change: (line: PatchedLine) => void): Logger
  /** A logger whose source is further out by so many calls, for functions that wrap log calls. (FA-05) */
  depth(frames: number): Logger
  /**
   * Runs a function, and all that it starts, so that each line written meanwhile, by any logger, carries these
   * fields. (FA-47)
   */
  withContext<Result>(fields: object, work: () => Result): Result
  /**
   * A function that logs what the given one throws, or its promise rejects with, and then gives `undefined`, or with
   * `rethrow` throws it on. (FA-49)
   */
  catching<Values extends unknown[], Result>(
    work: (...values: Values) => Result,
    options?: CatchingOptions,
  ): (...values: Values) => Result | undefined
}

const unbound: LoggerBinding = { name: undefined, fields: undefined, patches: [], depth: 0 }

/** Makes the log calls around a writer; `writer` is asked at each call, so that it may depend on the context. */
export function createLogger(writer: () => LogWriter, binding: LoggerBinding = unbound): Logger {
  let least = 0
  let known: LogWriter | undefined
  let version = -1

  /** The number from which on this logger writes, looked up again only where something changed. */
  const leastOf = (target: LogWriter): number => {
    const { thresholds } = target
    if (binding.name === undefined) return thresholds.general
    if (known !== target || version !== thresholds.version) {
      known = target
      version = thresholds.version
      least = thresholds.of(binding.name)
    }
    return least
  }
  const call = (level: LogLevel): LogCall => {
    const number = levelNumbers[level]
    return (...values) => {
      const target = writer()
      if (number >= leastOf(target)) target.log(level, number, binding, values as CallValues, 1)
    }
  }
  const warning = call('WARNING')
  const bound = (more: Partial<LoggerBinding>): Logger => createLogger(writer, { ...binding, ...more })
  const withFields = (fields: object): Logger =>
    bound({ fields: joined(binding.fields ?? {}, fields as LogFields) })

  const logger: Logger = {
    trace: call('TRACE'),
    debug: call('DEBUG'),
    info: call('INFO'),
    success: call('SUCCESS'),
    warning,
    warn: warning,
    error: call('ERROR'),
    critical: call('CRITICAL'),
    log: (level, ...values) => {
      const target = writer()
      const name = (typeof level === 'string' ? target.scale.read(level) : undefined) ?? 'INFO'
      const number = target.scale.numberOf(name) ?? levelNumbers.INFO
      if (number >= leastOf(target)) target.log(name, number, binding, values as CallValues, 1)
    },
    get level() {
      const { scale } = writer()
      const number = leastOf(writer())
      return scale.names.find(name => (scale.numberOf(name) ?? 0) >= number) ?? 'CRITICAL'
    },
    set level(level) {
      const { scale, thresholds } = writer()
      const number = scale.numberOf(scale.read(String(level)) ?? '')
      if (number === undefined) throw new TypeError(`"${level}" is no level. Use ${scale.names.join(', ')}.`)
      thresholds.set(binding.name, number)
    },
    isEnabled: level => {
      const target = writer()
      const name = typeof level === 'string' ? target.scale.read(level) : undefined
      return name !== undefined && (target.scale.numberOf(name) ?? 0) >= leastOf(target)
    },
    with: withFields,
    child: withFields,
    named: name => bound({ name: binding.name === undefined ? name : `${binding.name}.${name}` }),
    patch: change => bound({ patches: [...binding.patches, change] }),
    depth: frames => bound({ depth: binding.depth + frames }),
    withContext,
    catching: (work, options = {}) => catching(logger.depth(2).log, work, options),
  }
  return logger
}
