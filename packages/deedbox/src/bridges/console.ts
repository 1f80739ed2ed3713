import { Console } from 'node:console'
import { Writable } from 'node:stream'
import { isInsideSink, type Logger, rememberHanded, wasHanded } from '../log/index.ts'
import { type BridgedLevel, bridgedLine } from './bridged-line.ts'
import { type ConsoleMessage, consoleMessage } from './console-message.ts'

/** The methods of `console` that print. */
export type ConsoleMethod = (typeof methods)[number]

const methods = [
  'log',
  'info',
  'debug',
  'warn',
  'error',
  'trace',
  'dir',
  'dirxml',
  'table',
  'assert',
  'count',
  'countReset',
  'time',
  'timeLog',
  'timeEnd',
  'group',
  'groupCollapsed',
  'groupEnd',
] as const

/** How `console` is captured. */
export interface CaptureConsoleOptions {
  /** Which methods; the others print as before. Default all. */
  readonly methods?: readonly ConsoleMethod[] | undefined
  /** Whether what is captured is printed as well, as before. Default `false`. */
  readonly print?: boolean | undefined
}

type Method = (this: unknown, ...values: unknown[]) => void

/**
 * Makes the calls of the global `console` lines of a log, with `logger` "console" and the id of the request that they
 * were made in. (FA-55) Returns how to undo it. Other instances of `console.Console` stay as they are.
 *
 * `debug` is a DEBUG line, `warn` and a failed `assert` WARNING, `error` ERROR, everything else INFO. What a sink prints
 * while it is being called, a text that is a finished line, and what a call prints while its line is made, go the way
 * they went before.
 */
export function captureConsole(log: Logger, options: CaptureConsoleOptions = {}): () => void {
  const target: Record<string, unknown> = globalThis.console as never
  const { print = false } = options
  const named = log.with({ logger: 'console' })
  const lineOf = consoleLines()
  const undo: (() => void)[] = [rememberHanded()]
  let active = true
  let busy = false

  for (const name of options.methods ?? methods) {
    const before = Object.getOwnPropertyDescriptor(target, name)
    const original = target[name]
    if (typeof original !== 'function') continue
    const bridgedConsole: Method = function (this: unknown, ...values) {
      if (!active || busy || isInsideSink() || isFinished(values))
        return Reflect.apply(original, this, values)
      busy = true
      let printed = print
      try {
        const line = lineOf(name, values)
        if (line !== undefined) bridgedLine(named, line.level, line.message, line.error, line.fields)
      } catch {
        // A value that cannot even be looked at: what then is printed, or thrown, is Node's affair as before.
        printed = true
      } finally {
        busy = false
      }
      if (printed) Reflect.apply(original, this, values)
    }
    Object.defineProperty(bridgedConsole, 'name', { value: `bridged ${name}` })
    try {
      Object.defineProperty(target, name, {
        value: bridgedConsole,
        writable: true,
        enumerable: before?.enumerable ?? true,
        configurable: true,
      })
    } catch {
      // A console that somebody has frozen stays as it is.
      continue
    }
    undo.push(() => {
      // Where somebody has wrapped ours meanwhile it stays, and from now on only passes on.
      if (target[name] !== bridgedConsole) return
      if (before === undefined) delete target[name]
      else Object.defineProperty(target, name, before)
    })
  }
  return () => {
    active = false
    for (const put of undo.splice(0)) put()
  }
}

/** A sink that prints later on, from a queue for instance, would otherwise get its own lines back without an end. */
function isFinished([text]: readonly unknown[]): boolean {
  return typeof text === 'string' && wasHanded(text)
}

interface ConsoleLine extends ConsoleMessage {
  readonly level: BridgedLevel
}

/** Makes lines of calls. Counters and timers are Node's own, kept by a console that prints into a text. */
function consoleLines(): (name: ConsoleMethod, values: unknown[]) => ConsoleLine | undefined {
  let text = ''
  const stream = new Writable({
    decodeStrings: false,
    write(chunk, _encoding, done) {
      text += chunk
      done()
    },
  })
  const keeper = new Console({ stdout: stream, stderr: stream, colorMode: false })
  const keeperSays = (call: () => void): string => {
    text = ''
    call()
    return text.trimEnd()
  }
  const line = (level: BridgedLevel, message: ConsoleMessage): ConsoleLine => ({ level, ...message })

  return (name, values) => {
    switch (name) {
      case 'debug':
        return line('debug', consoleMessage('console.debug', values))
      case 'warn':
        return line('warning', consoleMessage('console.warn', values))
      case 'error':
        return line('error', consoleMessage('console.error', values))
      case 'assert':
        return values[0] ? undefined : line('warning', failedAssertion(values.slice(1)))
      case 'trace':
        return line('info', withStack(consoleMessage('console.trace', values)))
      case 'dir':
        // What follows the value says how it is to be printed.
        return line('info', consoleMessage('console.dir', values.slice(0, 1)))
      case 'table':
        return line('info', {
          ...consoleMessage('console.table', []),
          fields: { table: values[0], ...(values[1] === undefined ? {} : { columns: values[1] }) },
        })
      case 'count':
      case 'countReset':
      case 'time':
      case 'timeEnd': {
        const message = keeperSays(() => keeper[name](values[0] as string | undefined))
        return message === '' ? undefined : line('info', consoleMessage('', [message]))
      }
      case 'timeLog': {
        const message = keeperSays(() => keeper.timeLog(values[0] as string | undefined))
        return message === '' ? undefined : line('info', withPrefix(message, values.slice(1)))
      }
      case 'group':
      case 'groupCollapsed':
        return values.length === 0 ? undefined : line('info', consoleMessage(`console.${name}`, values))
      case 'groupEnd':
        return undefined
      default:
        return line('info', consoleMessage(`console.${name}`, values))
    }
  }
}

function failedAssertion(values: readonly unknown[]): ConsoleMessage {
  if (values.length === 0) return consoleMessage('', ['Assertion failed'])
  const [first, ...rest] = values
  if (typeof first === 'string') return consoleMessage('', [`Assertion failed: ${first}`, ...rest])
  return withPrefix('Assertion failed', values)
}

function withPrefix(prefix: string, values: readonly unknown[]): ConsoleMessage {
  // As an argument and not as part of the text, so that a label is no format.
  return consoleMessage('', ['%s', prefix, ...values])
}

/** Which way the call came, as `console.trace` prints it. */
function withStack(message: ConsoleMessage): ConsoleMessage {
  const { stack = '' } = new Error()
  const frames = stack.split('\n').slice(1)
  const outside = frames.findLastIndex(frame => frame.includes('bridged trace')) + 1
  const trace = frames.slice(outside).map(frame => frame.trim())
  return { ...message, fields: { ...message.fields, trace } }
}
