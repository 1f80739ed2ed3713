import { createRedactor, type Redactor } from '../safety/index.ts'
import { boringPaths, pathTest, processSources, type TextTest } from './error-frames.ts'
import type { Locals } from './locals.ts'
import { SourceFiles, type SourceReader } from './source-files.ts'

/** How an error is shown. (FA-38) */
export interface ErrorFormatOptions {
  /**
   * How much source is listed for each frame: so many lines up to the failing one, and one more behind it; `0` for
   * none, `all` for the whole function. Default 5.
   */
  readonly sourceLines?: number | 'all'
  /** Whether the first line of the function is listed too, if it stands further up. Default true. */
  readonly showSignature?: boolean
  /**
   * Which variables are shown: those that the listed source names, those of the failing line, `all`, or `none`. Default
   * `source`.
   */
  readonly showValues?: 'source' | 'line' | 'all' | 'none'
  /** Values of variables are cut at so many characters. Default 500. */
  readonly truncateValues?: number
  /** Longer values go on in the next line, never in mid-word; `0` for one line each. Default 60. */
  readonly lineWrap?: number
  /**
   * Frames of these paths get no source: the first of several is one line, deeper ones share another. A text is found
   * anywhere in the path. Default: `node_modules` and Node itself. (FA-39)
   */
  readonly suppressedPaths?: readonly TextTest[]
  /** Variables that are left out, by their whole name or a pattern. Default none. */
  readonly suppressedVariables?: readonly TextTest[]
  /** Errors that get the ordinary trace, by their name. Default `AbortError`. */
  readonly suppressedErrors?: readonly string[]
  /** The innermost frame, and the newest error of a chain, come first. Default false. */
  readonly reverse?: boolean
  /** A short trace at the end, one line for each frame; `auto`: if there are more than 50 lines. Default `auto`. */
  readonly summary?: boolean | 'auto'
  /**
   * Longer traces lose their middle: the beginning tells the root cause, the end what went wrong at last. In characters,
   * from 1,000 to 65,536. Default 65,536.
   */
  readonly maxLength?: number
  /** Colours for a terminal with dark or light background, or none. Default `plain`. */
  readonly style?: 'plain' | 'dark' | 'light'
  /** What blanks secrets in all of it, source included. Default: the default list. (FA-40) */
  readonly redactor?: Redactor
  /** How sources are read. Default: from the disk, and remembered. */
  readonly readSource?: SourceReader
  /** Where the values of local variables come from: what `openLocals` gave. Default none. (FA-45) */
  readonly locals?: Locals | undefined
  /** Whether a last line tells how local variables are switched on, where there are none. Default false. */
  readonly localsHint?: boolean
}

/** The options with their defaults in place. */
export interface FormatSettings {
  readonly sourceLines: number | 'all'
  readonly showSignature: boolean
  readonly showValues: 'source' | 'line' | 'all' | 'none'
  readonly truncateValues: number
  readonly lineWrap: number
  readonly isSuppressedPath: (path: string) => boolean
  readonly isSuppressedVariable: (name: string) => boolean
  readonly suppressedErrors: readonly string[]
  readonly reverse: boolean
  readonly summary: boolean | 'auto'
  readonly maxLength: number
  readonly style: 'plain' | 'dark' | 'light'
  readonly redactor: Redactor
  readonly sources: SourceFiles
  readonly locals: Locals | undefined
  readonly localsHint: boolean
}

const longestTrace = 65_536
const shortestTrace = 1_000

/** Made once: a policy compiles its patterns. */
let defaultRedactor: Redactor | undefined

/** The redactor of a call. */
export function redactorOf(options: ErrorFormatOptions): Redactor {
  if (options.redactor !== undefined) return options.redactor
  defaultRedactor ??= createRedactor()
  return defaultRedactor
}

/** How long a trace may be at most. */
export function traceLength(options: ErrorFormatOptions): number {
  return Math.min(longestTrace, Math.max(shortestTrace, Math.floor(options.maxLength ?? longestTrace)))
}

/** Puts the defaults in place. */
export function formatSettings(options: ErrorFormatOptions): FormatSettings {
  const { sourceLines = 5, truncateValues = 500, lineWrap = 60 } = options
  const variables = options.suppressedVariables ?? []
  const isMatchedVariable = pathTest(variables.filter(test => typeof test !== 'string'))
  return {
    sourceLines: sourceLines === 'all' ? 'all' : Math.max(0, Math.floor(sourceLines)),
    showSignature: options.showSignature ?? true,
    showValues: options.showValues ?? 'source',
    truncateValues: Math.max(1, Math.floor(truncateValues)),
    lineWrap: Math.max(0, Math.floor(lineWrap)),
    isSuppressedPath: pathTest(options.suppressedPaths ?? boringPaths),
    isSuppressedVariable: name => variables.includes(name) || isMatchedVariable(name),
    suppressedErrors: options.suppressedErrors ?? ['AbortError'],
    reverse: options.reverse ?? false,
    summary: options.summary ?? 'auto',
    maxLength: traceLength(options),
    style: options.style ?? 'plain',
    redactor: redactorOf(options),
    sources: options.readSource === undefined ? processSources : new SourceFiles(options.readSource),
    locals: options.locals,
    localsHint: options.localsHint ?? false,
  }
}
