import { type RequestScope, TurnQueue } from '../request/index.ts'
import { createSerializer, errorMessage, logLimits, type Redactor } from '../safety/index.ts'
import type { LogLevel } from './levels.ts'
import type { LineFormat } from './line.ts'
import { type LazyLine, LogWriter, type SourceMode } from './logger.ts'
import { Notices } from './notices.ts'
import type { LogSink, StandardStream } from './sink.ts'
import { standardSink } from './sinks/stream-sink.ts'

/** What the log of one instance is made from. */
export interface InstanceLogSettings {
  readonly level: LogLevel
  readonly sink: StandardStream | LogSink
  readonly source: SourceMode
  readonly format: LineFormat
  readonly redactor: Redactor
  readonly scope: () => RequestScope | undefined
}

/** The log of one instance, with its sink. */
export interface InstanceLog {
  readonly writer: LogWriter
  readonly notices: Notices
  readonly lines: () => { readonly written: number; readonly lost: number }
  /** Writes out what waits here and in the sink, before it returns. Never throws. */
  readonly flush: () => void
}

/** Milliseconds between two complaints about a sink. */
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
  const sink =
    typeof settings.sink === 'string'
      ? standardSink(settings.sink, (count, problem) => lose(count, problem))
      : settings.sink

  const hand = (line: string | LazyLine): void => {
    try {
      sink.write(typeof line === 'string' ? line : line())
      written++
    } catch (error) {
      lose(1, errorMessage(error))
    }
  }
  const flushSink = (): void => {
    try {
      sink.flush?.()
    } catch (error) {
      lose(0, errorMessage(error))
    }
  }
  let unrendered = false
  const queue = new TurnQueue<string | LazyLine>(lines => {
    unrendered = false
    for (const line of lines) if (line !== '') hand(line)
    flushSink()
  })
  /** A finished line goes to the sink at once, unless one that stands before it is still to be rendered. */
  const write = (line: string | LazyLine): void => {
    if (typeof line === 'string' && !unrendered) {
      hand(line)
      // Only so that the sink is flushed when the turn ends.
      queue.add('')
      return
    }
    unrendered = true
    queue.add(line)
  }
  const writer: LogWriter = new LogWriter(settings.level, {
    write,
    serializer: createSerializer(settings.redactor, logLimits),
    source: settings.source,
    format: settings.format,
    scope: settings.scope,
    onCollision: key =>
      notices.warn(
        'reserved_key',
        `The log field "${key}" is a key of the line itself and was moved under "fields"`,
        {
          key,
        },
      ),
  })
  const notices = new Notices(writer)
  return {
    writer,
    notices,
    lines: () => ({ written, lost }),
    flush: () => {
      queue.drain()
      flushSink()
    },
  }
}
