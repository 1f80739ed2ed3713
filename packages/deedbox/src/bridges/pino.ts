import { hostname } from 'node:os'
import type { LogFields, Logger, LogSink } from '../log/index.ts'
import { type BridgedLevel, bridgedLine, toldError } from './bridged-line.ts'
import { finishedLine, jsonObject, namedException } from './finished-line.ts'

/** What `pino()` takes as its destination, and Fastify as `logger.stream`. */
export interface PinoDestination {
  write(line: string): void
}

/** How pino's lines are read. */
export interface PinoDestinationOptions {
  /** Under which name pino writes the message, as its own option says. Default `msg`. */
  readonly messageKey?: string | undefined
  /** Under which name pino writes the error, as its own option says. Default `err`. */
  readonly errorKey?: string | undefined
}

/**
 * Makes the lines of a pino logger lines of ours: `pino({}, pinoDestination(box.log))`. (FA-55) pino writes to such a
 * destination before its log call returns, so each line carries the id of the request that it was written in.
 *
 * Levels go by their numbers. pino's time, and its process id and host name where they are this process's own, are
 * dropped; its error becomes the line's exception; everything else is a field.
 */
export function pinoDestination(log: Logger, options: PinoDestinationOptions = {}): PinoDestination {
  const { messageKey = 'msg', errorKey = 'err' } = options
  const host = hostname()

  const bridgedText = (text: string): void => {
    const parsed = jsonObject(text)
    if (parsed === undefined) {
      bridgedLine(log, 'info', text, undefined, undefined)
      return
    }
    const { level, time, [messageKey]: message, [errorKey]: told, ...fields } = parsed
    if (fields.pid === process.pid) delete fields.pid
    if (fields.hostname === host) delete fields.hostname
    const { error, rest } = readError(told)
    if (rest !== undefined) fields[errorKey] = rest
    const words = typeof message === 'string' ? message : message === undefined ? '' : JSON.stringify(message)
    bridgedLine(log, levelOf(level), words || (error?.message ?? ''), error, fields)
  }

  return {
    write: function bridgedPino(line) {
      for (const text of line.split('\n')) if (text.trim() !== '') bridgedText(text)
    },
  }
}

const byName: Readonly<Record<string, BridgedLevel>> = {
  trace: 'trace',
  debug: 'debug',
  info: 'info',
  warn: 'warning',
  warning: 'warning',
  error: 'error',
  fatal: 'critical',
}

function levelOf(level: unknown): BridgedLevel {
  // pino's `formatters.level` may write names.
  if (typeof level === 'string') return byName[level.toLowerCase()] ?? 'info'
  if (typeof level !== 'number') return 'info'
  if (level < 20) return 'trace'
  if (level < 30) return 'debug'
  if (level < 40) return 'info'
  if (level < 50) return 'warning'
  return level < 60 ? 'error' : 'critical'
}

/** An error as pino's serialiser writes it; whatever else it has of its own is left for a field. */
function readError(told: unknown): { error?: Error; rest?: unknown } {
  if (typeof told !== 'object' || told === null) return { rest: told }
  const { type, message, stack, ...rest } = told as Record<string, unknown>
  if (typeof message !== 'string' || typeof stack !== 'string') return { rest: told }
  const error = toldError(typeof type === 'string' ? type : 'Error', message, stack)
  return Object.keys(rest).length === 0 ? { error } : { error, rest }
}

/** A logger of pino's shape: pino itself, the `log` of a Fastify app, and many others. */
export interface PinoShaped {
  info(fields: object, message?: string): void
  warn(fields: object, message?: string): void
  error(fields: object, message?: string): void
  trace?(fields: object, message?: string): void
  debug?(fields: object, message?: string): void
  fatal?(fields: object, message?: string): void
  flush?(done?: (error?: Error) => void): void
}

/**
 * Hands the finished lines of an instance to a logger of pino's shape: `deedbox({ log: { sink: pinoSink(logger) } })`.
 * Needs the format `flat`. (FA-09, FA-55) The message, the fields and the level go over, the exception as `err`; the
 * time is the other logger's. `drain` is that logger's `flush`; pino waits in it where its destination buffers
 * (`minLength`), while lines that it is writing it finishes by itself, at the latest at exit.
 *
 * What that logger throws costs the line and is reported as any sink's failure is, and so is a logger that writes back
 * into the same log.
 */
export function pinoSink(logger: PinoShaped): LogSink & { drain(): Promise<void> } {
  let busy = false
  return {
    write(line) {
      if (busy) throw new Error('the logger behind pinoSink writes into the log that it takes its lines from')
      busy = true
      try {
        const { level, message, exception, fields } = finishedLine(line)
        if (exception !== undefined) fields.err = writtenError(fields.err, exception)
        if (level !== undefined && !sameInPino.has(level)) fields.level_name = level
        handOver(logger, level, fields, message)
      } finally {
        busy = false
      }
    },
    drain: () =>
      new Promise(resolve => {
        if (logger.flush === undefined) resolve()
        // Some tell nobody when they are done.
        else if (logger.flush.length === 0) {
          logger.flush()
          resolve()
        } else logger.flush(() => resolve())
      }),
  }
}

/** Levels that are one of pino's under another name at most. */
const sameInPino: ReadonlySet<string> = new Set(['TRACE', 'DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'])

function handOver(logger: PinoShaped, level: string | undefined, fields: LogFields, message: string): void {
  if (level === 'CRITICAL' && logger.fatal !== undefined) logger.fatal(fields, message)
  else if (level === 'CRITICAL' || level === 'ERROR') logger.error(fields, message)
  else if (level === 'WARNING') logger.warn(fields, message)
  else if (level === 'TRACE' && logger.trace !== undefined) logger.trace(fields, message)
  else if ((level === 'TRACE' || level === 'DEBUG') && logger.debug !== undefined)
    logger.debug(fields, message)
  else logger.info(fields, message)
}

/** An exception as pino's serialiser for errors takes it, and as plain JSON for loggers that have none. */
function writtenError(beside: unknown, exception: string): object {
  const rest = typeof beside === 'object' && beside !== null ? beside : {}
  const { type, message } = namedException(exception)
  // The serialiser asks for the constructor's name first, and then for this one.
  const names = { name: { value: type }, constructor: { value: undefined } }
  return Object.defineProperties({ ...rest, type, message, stack: exception }, names)
}
