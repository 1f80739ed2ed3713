import { type RequestScope, wallMicroseconds } from '../request/index.ts'
import { errorMessage, errorTrace, Lazy, type Serializer } from '../safety/index.ts'
import { callSite } from './call-site.ts'
import { contextFields } from './context-fields.ts'
import { joined, type LogFields } from './fields.ts'
import type { LineFacts } from './filters.ts'
import { type LevelScale, type LogLevel, levelNumbers } from './levels.ts'
import type { LineHead } from './line.ts'
import type { LazyLine, Output } from './output.ts'
import type { Thresholds } from './thresholds.ts'

/** On which explicit calls `source` is found out, at a few microseconds each. (Ruling 11) */
export type SourceMode = 'always' | 'warn' | 'never'

/** A line as a patch may change it, before it is written. (FA-47) */
export interface PatchedLine {
  message: string
  /** May be changed in place. */
  fields: Record<string, unknown>
  readonly level: string
  readonly logger: string | undefined
}

/** What a logger adds to each of its calls. */
export interface LoggerBinding {
  readonly name: string | undefined
  readonly fields: LogFields | undefined
  readonly patches: readonly ((line: PatchedLine) => void)[]
  /** Frames between the logger's own functions and the place that is to be the line's source. (FA-05) */
  readonly depth: number
}

/** What a log call is given; see {@link LogCall}. */
export type CallValues = readonly [message: unknown, fields?: unknown, more?: unknown]

/** A line that is rendered by us and not by a log call: a request's, an audit event's, our own notices. */
export interface OwnLine {
  readonly level: LogLevel
  readonly message: string
  /** What kind of line it is. Default `deedbox`: what this package says itself. */
  readonly type?: string
  /** Members already rendered and redacted, each with its leading comma; the request id comes first. */
  readonly members?: string
  readonly fields?: LogFields | undefined
  readonly thrown?: { readonly thrown: unknown } | undefined
}

/** What the log of one instance is made of. */
export interface LogWriterSettings {
  /** Where lines go; may change at any time. */
  readonly outputs: () => readonly Output[]
  readonly serializer: Serializer
  readonly scale: LevelScale
  readonly thresholds: Thresholds
  readonly source: SourceMode
  readonly scope: () => RequestScope | undefined
  /** The text of the `exception` field. (FA-27) */
  readonly trace: (thrown: unknown) => string
  /** The frames of an error, where lines are to have them. (FA-27) */
  readonly frames: ((thrown: unknown) => unknown) | undefined
  /** Told once per field name that collided with a key of the line. */
  readonly onCollision: (key: string) => void
}

const noFields: LogFields = {}

/** Renders the lines of one instance and hands them to its outputs. */
export class LogWriter {
  readonly thresholds: Thresholds
  readonly scale: LevelScale
  readonly #settings: LogWriterSettings
  readonly #collided = new Set<string>()

  constructor(settings: LogWriterSettings) {
    this.#settings = settings
    this.thresholds = settings.thresholds
    this.scale = settings.scale
  }

  /** Whether a line of this level and type is written at all, by the threshold of the type or the general one. (FA-30) */
  isWritten(level: LogLevel, type: string): boolean {
    const { thresholds } = this
    return levelNumbers[level] >= (thresholds.hasNames ? thresholds.of(type) : thresholds.general)
  }

  /**
   * Writes the line of a log call, which is known to be severe enough. Never throws.
   * @param depth frames between this function and the call whose place is the line's source
   */
  log(level: string, number: number, binding: LoggerBinding, call: CallValues, depth: number): void {
    try {
      const { source, outputs } = this.#settings
      const scope = this.#settings.scope()
      const { message, error, fields } = readCall(call)
      const wanted = source === 'always' || (source === 'warn' && number >= levelNumbers.WARNING)
      const head = {
        instant: wallMicroseconds(),
        level,
        number,
        type: 'app.log',
        logger: binding.name,
        message,
        source: wanted ? callSite(depth + 1 + binding.depth) : undefined,
        failure: error,
        members: scope?.idMember ?? '',
      }
      const around = contextFields()
      let all = binding.fields === undefined ? fields : joined(binding.fields, fields ?? noFields)
      if (around !== undefined) all = joined(around, all ?? noFields)
      if (binding.patches.length > 0) all = patched(binding.patches, head, all)
      all = this.framed(all, error)
      // Sources are read for an annotated text: not for a line that nobody takes.
      let exception: string | undefined
      for (const output of outputs()) {
        if (!output.takes(head, all)) continue
        if (error !== undefined) exception ??= this.trace(error.thrown)
        output.write(this.#line(output, head, all, exception))
      }
    } catch (error) {
      // Where the stack is used up this throws as well: then the line is lost, and the caller none the wiser.
      try {
        this.own({ level: 'ERROR', message: 'A log call could not be written', thrown: { thrown: error } })
      } catch {}
    }
  }

  /**
   * Writes one of our own lines, whatever the general level: what is asked of us is not filtered by what is asked of
   * log calls. A level that was set for its type is heeded.
   */
  own(line: OwnLine, instant: number = wallMicroseconds()): void {
    const { level, type = 'deedbox', message, thrown } = line
    const fields = this.framed(line.fields, thrown)
    const head = {
      instant,
      level,
      number: levelNumbers[level],
      type,
      logger: undefined,
      message,
      source: undefined,
      failure: thrown,
      members: line.members ?? '',
    }
    let exception: string | undefined
    const render = (output: Output): string => {
      if (thrown !== undefined) exception ??= this.trace(thrown.thrown)
      return this.#line(output, head, fields, exception)
    }
    this.each(head, fields, { render }, 'now')
  }

  /** Hands a line to each output that takes one with these facts; it is rendered now, or when the turn ends. */
  each(
    facts: Omit<LineFacts, 'fields'>,
    fields: LogFields | undefined,
    line: LazyLine,
    rendered: 'now' | 'later',
  ): void {
    const { thresholds, outputs } = this.#settings
    if (thresholds.hasNames && facts.number < (thresholds.own(facts.type) ?? 0)) return
    for (const output of outputs()) {
      if (output.takes(facts, fields)) output.write(rendered === 'later' ? line : line.render(output))
    }
  }

  /** A line with its line break, as it looks at an output. */
  render(
    output: Output,
    head: LineHead,
    fields: LogFields | undefined,
    exception: string | undefined,
  ): string {
    return `${output.format(head, this.#settings.serializer, fields, exception, this.#collision)}\n`
  }

  /** Fields with the frames of an error, where lines are to have them. */
  framed(
    fields: LogFields | undefined,
    error: { readonly thrown: unknown } | null | undefined,
  ): LogFields | undefined {
    const { frames } = this.#settings
    if (frames === undefined || error === undefined || error === null) return fields
    return joined(fields ?? noFields, { exception_frames: frames(error.thrown) })
  }

  /** The text of the `exception` field. */
  trace(thrown: unknown): string {
    try {
      return this.#settings.trace(thrown)
    } catch {
      return errorTrace(thrown)
    }
  }

  /** The same for fields of the caller's, which may be unreadable. */
  #line(
    output: Output,
    head: LineHead,
    fields: LogFields | undefined,
    exception: string | undefined,
  ): string {
    try {
      return this.render(output, head, fields, exception)
    } catch (unreadable) {
      return this.render(output, head, { fields_unreadable: errorMessage(unreadable) }, exception)
    }
  }

  readonly #collision = (key: string): void => {
    if (this.#collided.has(key)) return
    this.#collided.add(key)
    this.#settings.onCollision(key)
  }
}

/** What a call says, in whichever order its values came. */
function readCall([first, second, third]: CallValues): {
  readonly message: string
  readonly error: { readonly thrown: unknown } | undefined
  readonly fields: LogFields | undefined
} {
  if (typeof first === 'string' || isError(first) || first instanceof Lazy) {
    const isSecondError = isError(second)
    const error = isError(first) ? first : isSecondError ? second : undefined
    const fields = isSecondError ? fieldsOf(third) : together(fieldsOf(second), fieldsOf(third))
    const message = error === first ? errorMessage(first) : textOf(first)
    return error === undefined ? withoutError(message, fields) : { message, error: { thrown: error }, fields }
  }
  // Fields first, as pino has it.
  if (typeof first === 'object' && first !== null && (typeof second === 'string' || second === undefined))
    return withoutError(typeof second === 'string' ? second : '', fieldsOf(first))
  return withoutError(textOf(first), fieldsOf(second))
}

/** An error under the name `err` is the line's exception, as other loggers have it. (FA-48) */
function withoutError(message: string, fields: LogFields | undefined): ReturnType<typeof readCall> {
  try {
    if (fields !== undefined && fields.err instanceof Error) {
      const { err, ...rest } = fields
      return { message, error: { thrown: err }, fields: rest }
    }
  } catch {
    // Unreadable fields are told where they are rendered.
  }
  return { message, error: undefined, fields }
}

/** Two sets of fields as one. */
function together(first: LogFields | undefined, more: LogFields | undefined): LogFields | undefined {
  return more === undefined ? first : joined(first ?? noFields, more)
}

function fieldsOf(value: unknown): LogFields | undefined {
  if (value === undefined || value === null) return undefined
  return typeof value === 'object' ? (value as LogFields) : { value }
}

function textOf(value: unknown): string {
  const text: unknown = value instanceof Lazy ? value.value : value
  return typeof text === 'string' ? text : String(text)
}

/** What the patches make of a line; one that throws leaves a field that says so. */
function patched(
  patches: LoggerBinding['patches'],
  head: { message: string; readonly level: string; readonly logger: string | undefined },
  fields: LogFields | undefined,
): LogFields {
  const { level, logger } = head
  const line: PatchedLine = { message: head.message, fields: { ...fields }, level, logger }
  for (const patch of patches) {
    try {
      patch(line)
    } catch (error) {
      line.fields = { ...line.fields, patch_failed: errorMessage(error) }
    }
  }
  head.message = String(line.message)
  return line.fields
}

/** A revoked proxy throws when it is asked. */
function isError(value: unknown): value is Error {
  try {
    return value instanceof Error
  } catch {
    return false
  }
}
