import { errorMessage } from '../safety/index.ts'
import { stackOf } from './error-parts.ts'
import { SourceFiles } from './source-files.ts'
import { type StackFrame, stackFrames } from './stack-frames.ts'

/** One frame of an error, at its place in the source as it was written. (FA-37) */
export interface ErrorFrame {
  /** The path of the file, traced back through source maps; `<anonymous>`, `node:…` and the like where none is. */
  readonly file: string
  /** From 1; `undefined` where there is no source. */
  readonly line: number | undefined
  /** From 1. */
  readonly column: number | undefined
  /** As V8 names it: `total`, `async Orders.place`, `new Cart`; `<anonymous>` for what has no name. */
  readonly function: string
  /** The file is in one of the suppressed paths. (FA-39) */
  readonly isSuppressed: boolean
}

/** What is recognised in a path or name: a text that it holds, or a pattern. */
export type TextTest = string | RegExp

/** Paths that nobody looks for an error in: installed packages and Node itself. */
export const boringPaths: readonly TextTest[] = [/[\\/]node_modules[\\/]/, /^node:/]

/** More frames than this, innermost first, are not looked at. */
export const mostFrames = 50

/** The sources that all errors of the process are shown with, unless a call brings its own. */
export const processSources: SourceFiles = new SourceFiles()

/**
 * The frames of what was thrown as values, innermost first, at most fifty; none for what has no stack. Reads source
 * maps, and never throws.
 */
export function errorFrames(
  thrown: unknown,
  options: { readonly suppressedPaths?: readonly TextTest[] } = {},
): readonly ErrorFrame[] {
  try {
    return framesOf(thrown, processSources, pathTest(options.suppressedPaths ?? boringPaths))
  } catch {
    return []
  }
}

/** The same with sources and a test of paths at hand. */
export function framesOf(
  thrown: unknown,
  sources: SourceFiles,
  isSuppressed: (path: string) => boolean,
): ErrorFrame[] {
  return stackFrames(stackOf(thrown), errorMessage(thrown), mostFrames).map(frame => {
    const traced = traceBack(frame, sources)
    return { ...traced, isSuppressed: isSuppressed(traced.file) || isSuppressed(frame.file) }
  })
}

/** Builds the test whether a path or a name is one of those given. */
export function pathTest(tests: readonly TextTest[]): (text: string) => boolean {
  // A pattern with the flag `g` or `y` would remember where it stopped.
  const patterns = tests.map(test =>
    typeof test === 'string' ? test : new RegExp(test.source, test.flags.replace(/[gy]/g, '')),
  )
  return text =>
    patterns.some(test => (typeof test === 'string' ? test !== '' && text.includes(test) : test.test(text)))
}

function traceBack(frame: StackFrame, sources: SourceFiles): StackFrame {
  const { file, line, column } = frame
  if (line === undefined || file.startsWith('node:')) return frame
  const origin = sources.origin(file, line, column ?? 1)
  if (origin === undefined) return frame
  return { file: origin.file, line: origin.line, column: origin.column, function: frame.function }
}
