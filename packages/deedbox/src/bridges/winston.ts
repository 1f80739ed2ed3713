import { AsyncLocalStorage } from 'node:async_hooks'
import { Writable } from 'node:stream'
import type { LogFields, Logger, LogSink } from '../log/index.ts'
import { type BridgedLevel, bridgedLine, toldError } from './bridged-line.ts'
import { finishedLine } from './finished-line.ts'

/** One entry of winston: `level`, `message` and whatever else was logged. */
export interface WinstonInfo {
  level: string
  message: unknown
  [member: string | symbol]: unknown
}

/** How winston's entries are taken; winston reads the same members of any transport. */
export interface WinstonTransportOptions {
  /** The least severe level that is taken, one of the logger's own. Default the logger's level. */
  readonly level?: string | undefined
  /** Whether winston hands uncaught exceptions over. Default `false`: an instance sees them itself. */
  readonly handleExceptions?: boolean | undefined
  /** The same for unhandled rejections. */
  readonly handleRejections?: boolean | undefined
}

/** What winston takes in `transports`. */
export interface WinstonTransport extends Writable {
  level?: string
  silent?: boolean
  handleExceptions?: boolean
  handleRejections?: boolean
  log(info: WinstonInfo, next: () => void): void
}

// Names that winston gives its symbols, for everybody to find.
const levelKey: unique symbol = Symbol.for('level') as never
const splatKey: unique symbol = Symbol.for('splat') as never
/** Under this, an entry keeps the context that it was logged in. */
const contextKey: unique symbol = Symbol.for('deedbox.context') as never
/** Marks an entry that is a finished line of ours. */
const finishedKey: unique symbol = Symbol.for('deedbox.finished') as never

/** What we need of the logger that a transport is attached to. */
interface WinstonSource {
  readonly level?: string
  readonly levels?: Readonly<Record<string, number>>
  write(info: WinstonInfo, ...rest: unknown[]): boolean
}

/**
 * Makes the entries of a winston logger lines of ours: `createLogger({ transports: [winstonTransport(box.log)] })`.
 * (FA-55) Each carries the id of the request that it was logged in, also when a slow transport beside this one makes
 * winston hold entries back.
 *
 * Levels go by their names, of npm's, syslog's and the command line's sets; what is unknown is INFO. The first error
 * among the values is the line's exception; everything else is a field, and winston's own `timestamp` is dropped. Entries
 * that {@link winstonSink} put into the logger are not taken back.
 */
export function winstonTransport(log: Logger, options: WinstonTransportOptions = {}): WinstonTransport {
  let source: WinstonSource | undefined
  let stopKeeping = (): void => undefined
  let warned = false

  const isTaken = (info: WinstonInfo): boolean => {
    if (transport.silent === true) return false
    if (info.exception === true && transport.handleExceptions !== true) return false
    if (info.rejection === true && transport.handleRejections !== true) return false
    const level = transport.level ?? source?.level
    const levels = source?.levels
    const number = levels?.[String(info[levelKey])]
    const most = level === undefined ? undefined : levels?.[level]
    return number === undefined || most === undefined || number <= most
  }
  const bridgedInfo = (info: WinstonInfo): void => {
    if (!isTaken(info)) return
    if (info[finishedKey] === true) {
      if (!warned)
        process.stderr.write('deedbox: winstonTransport leaves out what winstonSink put into its logger\n')
      warned = true
      return
    }
    const context = info[contextKey] as Snapshot | undefined
    const bridgedInContext = (): void => bridgedEntry(log, info)
    if (context === undefined) bridgedInContext()
    else context(bridgedInContext)
  }

  const transport = new Writable({
    objectMode: true,
    write: function bridgedWritten(info: WinstonInfo, _encoding, done) {
      transport.log(info, done)
    },
  }) as WinstonTransport
  transport.log = function bridgedWinston(info, next) {
    try {
      bridgedInfo(info)
    } catch (error) {
      bridgedLine(log, 'warning', 'An entry of winston could not be read', error, undefined)
    }
    next()
  }
  const { level, handleExceptions, handleRejections } = options
  if (level !== undefined) transport.level = level
  if (handleExceptions !== undefined) transport.handleExceptions = handleExceptions
  if (handleRejections !== undefined) transport.handleRejections = handleRejections
  transport.on('pipe', piped => {
    stopKeeping()
    source = piped as unknown as WinstonSource
    stopKeeping = keepContexts(source)
  })
  transport.on('unpipe', () => {
    stopKeeping()
    stopKeeping = () => undefined
  })
  return transport
}

type Snapshot = ReturnType<typeof AsyncLocalStorage.snapshot>

/** winston is a stream, and what waits in a stream goes on in the context of whatever made room. */
function keepContexts(source: WinstonSource): () => void {
  const own = Object.getOwnPropertyDescriptor(source, 'write')
  const { write } = source
  const bridgedWrite = function (this: unknown, info: WinstonInfo, ...rest: unknown[]): boolean {
    try {
      info[contextKey] ??= AsyncLocalStorage.snapshot()
    } catch {
      // Frozen, or nothing that has members: its line has the context in which it comes.
    }
    return Reflect.apply(write, this, [info, ...rest])
  }
  source.write = bridgedWrite
  return () => {
    if (source.write !== bridgedWrite) return
    if (own === undefined) delete (source as Partial<WinstonSource>).write
    else Object.defineProperty(source, 'write', own)
  }
}

function bridgedEntry(log: Logger, info: WinstonInfo): void {
  const { level, message, stack, timestamp, ...others } = info
  const error = errorOf(info)
  // What winston adds about the process stands in the log anyway, or is nobody's business: its arguments.
  const { exception, rejection, error: thrown, date, process: about, os, trace, ...fields } = others
  const isUncaught = exception === true || rejection === true
  const kept: Record<string, unknown> = isUncaught ? fields : others
  if (error === undefined && stack !== undefined) kept.stack = stack
  if (error !== undefined && kept.cause === error.cause) delete kept.cause
  const words = typeof message === 'string' ? message : message === undefined ? '' : String(message)
  // Of an uncaught error it is message and stack in one, and the stack is the exception.
  const text = isUncaught ? (words.split('\n', 1)[0] ?? '') : words
  // A format may have coloured `level`; the symbol holds the name.
  const name = typeof info[levelKey] === 'string' ? info[levelKey] : level
  bridgedLine(log, ourLevels[name] ?? 'info', text, error, kept)
}

function errorOf(info: WinstonInfo): Error | undefined {
  if (info instanceof Error) return info
  const splat = info[splatKey]
  const values = Array.isArray(splat) ? splat : []
  const thrown = values.find(value => value instanceof Error)
  if (thrown !== undefined) return thrown
  if (info.message instanceof Error) return info.message
  if ((info.exception === true || info.rejection === true) && info.error instanceof Error) return info.error
  if (typeof info.stack !== 'string') return undefined
  // The error itself is gone: a child logger, or the format `errors`, has kept its words.
  return toldError('Error', String(info.message), info.stack)
}

const ourLevels: Readonly<Record<string, BridgedLevel>> = {
  emerg: 'critical',
  alert: 'critical',
  crit: 'critical',
  critical: 'critical',
  fatal: 'critical',
  error: 'error',
  warn: 'warning',
  warning: 'warning',
  verbose: 'debug',
  debug: 'debug',
  silly: 'trace',
  trace: 'trace',
}

/** What we need of a winston logger to hand lines to it. */
export interface WinstonShaped {
  readonly levels: Readonly<Record<string, number>>
  readonly writable: boolean
  log(info: { level: string; message: string; [member: string]: unknown }): unknown
}

/**
 * Hands the finished lines of an instance to a winston logger: `deedbox({ log: { sink: winstonSink(logger) } })`. Needs
 * the format `flat`. (FA-09, FA-55) The level becomes the nearest one that the logger has, the exception `stack`, as
 * winston calls it. A logger that was ended costs the lines and is reported as any failing sink.
 */
export function winstonSink(logger: WinstonShaped): LogSink {
  return {
    write(line) {
      // winston would raise it as an event that nobody listens to, which ends the process.
      if (!logger.writable) throw new Error('the winston logger behind winstonSink was ended')
      const { level = 'INFO', message, exception, fields } = finishedLine(line)
      const name = nearest(level, logger.levels)
      const own: LogFields = exception === undefined ? fields : { ...fields, stack: exception }
      const isSame = ourLevels[name]?.toUpperCase() === level || name.toUpperCase() === level
      const marked = { ...own, ...(isSame ? {} : { level_name: level }), [finishedKey]: true }
      logger.log({ ...marked, level: name, message })
    },
  }
}

/** Names to look for, from the best to the last resort. */
const theirLevels: Readonly<Record<string, readonly string[]>> = {
  TRACE: ['trace', 'silly', 'debug'],
  DEBUG: ['debug', 'verbose'],
  WARNING: ['warn', 'warning', 'error'],
  ERROR: ['error', 'err'],
  CRITICAL: ['crit', 'critical', 'fatal', 'error'],
}

function nearest(level: string, levels: WinstonShaped['levels']): string {
  const wanted = [level.toLowerCase(), ...(theirLevels[level] ?? []), 'info']
  return wanted.find(name => Object.hasOwn(levels, name)) ?? Object.keys(levels)[0] ?? 'info'
}
