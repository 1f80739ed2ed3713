import { ConfigurationError } from '../safety/index.ts'
import { customLine, type LineFormatter } from './custom-line.ts'
import type { LineFilter } from './filters.ts'
import { type FormatDetails, namedFormat, namedFormats } from './formats.ts'
import type { LineFunction, SinkChoice, SinkTarget } from './instance-log.ts'
import type { Origin } from './members.ts'
import { choosePretty, isPretty, prettyLine, terminalOf } from './pretty/index.ts'
import type { LogSink, StandardStream } from './sink.ts'

/** A format by its name. */
type FormatName = (typeof namedFormats)[number] | 'pretty'

/** The formats that have a name. */
export const formatNames: readonly FormatName[] = [...namedFormats, 'pretty']

/** How lines look: a format of ours, or a function that renders a line. */
export type LogFormat = FormatName | LineFormatter

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
export interface FormatFacts extends Origin, FormatDetails {
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Told what a format of the service's own threw. */
  readonly onFailure: (error: unknown) => void
  /** Told what is wrong with the variables of the pretty view. */
  readonly onWarning: (problem: string) => void
}

/**
 * What a sink's options come to.
 * @param format the instance's `log.format`, where it was set
 * @throws ConfigurationError for a format that does not exist
 */
export function sinkChoice(setup: SinkSetup, format: LogFormat | undefined, facts: FormatFacts): SinkChoice {
  const { to, level, filter } = setup
  const chosen = setup.format ?? format
  if (typeof chosen === 'function')
    return { format: customLine(chosen, facts.onFailure), isSummary: false, level, filter }
  const stream = typeof to === 'string' ? to : noStream
  if (isPretty(facts.env, chosen, stream)) {
    const { options, warnings } = choosePretty(facts.environment, terminalOf(stream))
    for (const warning of warnings) facts.onWarning(warning)
    return { format: prettyLine(options), isSummary: false, level, filter }
  }
  // One object a line, always, where nobody looks. (Ruling 13)
  if (chosen === 'pretty')
    facts.onWarning(`log.format: lines are laid out for people in no ${facts.env}, so these are flat.`)
  const name = chosen === undefined || chosen === 'pretty' ? 'flat' : chosen
  if (!namedFormats.includes(name))
    throw new ConfigurationError(
      'log.format',
      `"${String(chosen)}" is unknown. Use ${formatNames.join(', ')}, or a function of a line.`,
    )
  return { format: namedFormat(name, facts), isSummary: name === 'mozlog', level, filter }
}

const noStream: LogSink = { write: () => undefined }

/** A target as a setup: what has `to` is one already. */
export function setupOf(sink: SinkTarget | SinkSetup): SinkSetup {
  return typeof sink === 'object' && 'to' in sink
    ? sink
    : { to: sink as StandardStream | LogSink | LineFunction }
}
