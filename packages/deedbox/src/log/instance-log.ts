import { setTimeout as delay } from 'node:timers/promises'
import type { RequestScope } from '../request/index.ts'
import { createSerializer, errorTrace, logLimits, type Redactor } from '../safety/index.ts'
import { compileFilter, type LineFilter } from './filters.ts'
import type { LevelScale } from './levels.ts'
import type { LineFormat } from './line.ts'
import { Notices } from './notices.ts'
import { Output } from './output.ts'
import type { LogSink, StandardStream } from './sink.ts'
import { functionSink } from './sinks/function-sink.ts'
import { standardSink } from './sinks/stream-sink.ts'
import type { Thresholds } from './thresholds.ts'
import { LogWriter, type SourceMode } from './writer.ts'

/** A function that takes lines, without their line breaks; a promise that it gives is waited for at the end. */
export type LineFunction = (line: string) => unknown

/** What lines can go to. */
export type SinkTarget = StandardStream | LogSink | LineFunction

/** How a sink's lines look, and which it takes; everything checked and compiled. */
export interface SinkChoice {
  readonly format: LineFormat
  readonly isSummary: boolean
  readonly level?: string | undefined
  readonly filter?: LineFilter | undefined
}

/** What the log of one instance is made from. */
export interface InstanceLogSettings {
  readonly scale: LevelScale
  readonly thresholds: Thresholds
  readonly sinks: readonly { readonly to: SinkTarget; readonly choice: SinkChoice }[]
  readonly source: SourceMode
  readonly redactor: Redactor
  readonly scope: () => RequestScope | undefined
  /** The text of the `exception` field. Default: the stack and its causes. */
  readonly trace?: (thrown: unknown) => string
  /** The frames of an error, where lines are to have them. */
  readonly frames?: ((thrown: unknown) => unknown) | undefined
}

/** The log of one instance, with its sinks. */
export interface InstanceLog {
  readonly writer: LogWriter
  readonly notices: Notices
  readonly lines: () => { readonly written: number; readonly lost: number }
  /** Adds a sink. Returns how to take it away again, which resolves once all its lines are written. */
  readonly addSink: (to: SinkTarget, choice: SinkChoice) => () => Promise<void>
  /** Takes all sinks away. */
  readonly removeSinks: () => Promise<void>
  /** Writes out what waits here and in the sinks, before it returns. Never throws. */
  readonly flush: () => void
  /** The same, and waits so many milliseconds, at most, for sinks that write later. Never rejects. */
  readonly drain: (timeout: number) => Promise<void>
}

/** Milliseconds between two complaints about sinks. */
const quietTime = 10_000

/** Builds the log of one instance; a failing sink costs lines and a note on stderr, nothing else. (FA-10) */
export function createInstanceLog(settings: InstanceLogSettings): InstanceLog {
  let written = 0
  let lost = 0
  let complainedAt = Number.NEGATIVE_INFINITY
  const lose = (count: number, problem: string): void => {
    lost += count
    const now = performance.now()
    if (now - complainedAt < quietTime) return
    complainedAt = now
    try {
      process.stderr.write(
        `deedbox: the log sink failed, ${lost} lines are lost so far: ${settings.redactor.text(problem)}\n`,
      )
    } catch {
      // Nowhere left to say it; the count is in stats().
    }
  }
  const watcher = { wrote: () => void written++, lost: lose }
  // Never changed in place: a sink may take itself away while it is handed a line.
  let outputs: readonly Output[] = []
  const addSink: InstanceLog['addSink'] = (to, { format, isSummary, level, filter }) => {
    const { scale } = settings
    const least = level === undefined ? 0 : scale.numberOf(scale.read(level) ?? '')
    if (least === undefined) throw new TypeError(`"${level}" is no level. Use ${scale.names.join(', ')}.`)
    const accepts = filter === undefined ? undefined : compileFilter(filter, scale)
    const sink = sinkOf(to, lose)
    sink.onLoss?.(lose)
    const output = new Output(sink, { format, isSummary, least, accepts }, watcher)
    outputs = [...outputs, output]
    return async () => {
      outputs = outputs.filter(each => each !== output)
      await output.close()
    }
  }
  for (const { to, choice } of settings.sinks) addSink(to, choice)

  const writer: LogWriter = new LogWriter({
    outputs: () => outputs,
    serializer: createSerializer(settings.redactor, logLimits),
    scale: settings.scale,
    thresholds: settings.thresholds,
    source: settings.source,
    scope: settings.scope,
    trace: settings.trace ?? errorTrace,
    frames: settings.frames,
    onCollision: key =>
      notices.warn(
        'reserved_key',
        `The log field "${key}" is a key of the line itself and was moved under "fields"`,
        { key },
      ),
  })
  const notices = new Notices(writer)
  return {
    writer,
    notices,
    lines: () => ({ written, lost }),
    addSink,
    removeSinks: async () => {
      const removed = outputs
      outputs = []
      await Promise.all(removed.map(output => output.close()))
    },
    flush: () => {
      for (const output of outputs) output.flush()
    },
    drain: async timeout => {
      for (const output of outputs) output.flush()
      if (outputs.every(({ isDrained }) => isDrained)) return
      const ended = new AbortController()
      const late = delay(timeout, undefined, { signal: ended.signal }).catch(() => undefined)
      await Promise.race([Promise.all(outputs.map(output => output.drain())), late])
      ended.abort()
    },
  }
}

function sinkOf(to: SinkTarget, lose: (count: number, problem: string) => void): LogSink {
  if (typeof to === 'string') return standardSink(to, lose)
  return typeof to === 'function' ? functionSink(to) : to
}
