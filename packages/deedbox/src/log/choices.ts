import { ConfigurationError } from '../safety/index.ts'
import { customLine, type LineFormatter } from './custom-line.ts'
import type { LineFilter } from './filters.ts'
import type { LineFunction, SinkChoice, SinkTarget } from './instance-log.ts'
import { flatLine } from './line.ts'
import { mozlogLine } from './mozlog.ts'
import type { LogSink, StandardStream } from './sink.ts'

/** The formats that have a name. */
export const formatNames = ['flat', 'mozlog'] as const

/** How lines look: a format of ours, or a function that renders a line. */
export type LogFormat = (typeof formatNames)[number] | LineFormatter

/** Which lines a sink takes, and how they look there. */
export interface SinkOptions {
  /** Default: the instance's `log.format`. */
  readonly format?: LogFormat | undefined
  /** The least severe level that is taken, beside what the log itself lets pass. Default: all. */
  readonly level?: string | undefined
  /** Default: all lines. */
  readonly filter?: LineFilter | undefined
}

/** A sink with options of its own. */
export interface SinkSetup extends SinkOptions {
  readonly to: SinkTarget
}

/** What formats need to know of the instance. */
export interface FormatFacts {
  readonly service: string
  readonly env: string
  /** Told what a format of the service's own threw. */
  readonly onFailure: (error: unknown) => void
}

/**
 * What a sink's options come to.
 * @throws ConfigurationError for a format that does not exist
 */
export function sinkChoice(options: SinkOptions, format: LogFormat, facts: FormatFacts): SinkChoice {
  const chosen = options.format ?? format
  const { level, filter } = options
  if (typeof chosen === 'function')
    return { format: customLine(chosen, facts.onFailure), isSummary: false, level, filter }
  switch (chosen) {
    case 'flat':
      return { format: flatLine, isSummary: false, level, filter }
    case 'mozlog':
      return { format: mozlogLine(facts.service), isSummary: true, level, filter }
    default:
      throw new ConfigurationError(
        'log.format',
        `"${String(chosen)}" is unknown. Use ${formatNames.join(', ')}, or a function of a line.`,
      )
  }
}

/** A target as a setup: what has `to` is one already. */
export function setupOf(sink: SinkTarget | SinkSetup): SinkSetup {
  return typeof sink === 'object' && 'to' in sink
    ? sink
    : { to: sink as StandardStream | LogSink | LineFunction }
}
