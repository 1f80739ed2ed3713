import { errorMessage, errorTrace, type Redactor } from '../safety/index.ts'
import { framesOf } from './error-frames.ts'
import { errorLines } from './error-lines.ts'
import {
  type ErrorFormatOptions,
  type FormatSettings,
  formatSettings,
  redactorOf,
  traceLength,
} from './format-options.ts'
import { type FrameContext, frameContext, frameLines } from './frame-lines.ts'
import { plainText } from './plain-text.ts'
import { paint } from './text-style.ts'

/** A summary is worth its lines where the trace fills more than a screen. (FA-38) */
const linesWithoutSummary = 50

const hint = 'Values of local variables: start with DEEDBOX_LOCALS=1, in development only.'

/**
 * An error with the source around each of its frames, innermost frame last; then `Type: message`. What caused it comes
 * first. (FA-37, FA-42) TypeScript is shown as it was written, if there are source maps.
 *
 * Never throws and calls no code of the error's: if it fails, the text says so and holds the ordinary trace. (FA-43)
 * Secrets are blanked in all of it. (FA-40)
 */
export function formatError(thrown: unknown, options: ErrorFormatOptions = {}): string {
  return guarded(options, thrown, settings => {
    const context = frameContext(settings)
    return finished(errorLines(thrown, context), context)
  })
}

/** The calls that led here, shown as those of an error are; the caller's own frame is the innermost. (FA-44) */
export function formatCurrentStack(options: ErrorFormatOptions = {}): string {
  const here: { stack?: string } = {}
  Error.captureStackTrace(here, formatCurrentStack)
  return formatStack(here, options)
}

/** A stack alone, without an error that it is of. */
export function formatStack(holder: { readonly stack?: string }, options: ErrorFormatOptions): string {
  return guarded(options, holder, settings => {
    const context = frameContext(settings)
    const frames = framesOf(holder, settings.sources, settings.isSuppressedPath)
    return finished(frameLines(frames, new Map(), context), context)
  })
}

function guarded(
  options: ErrorFormatOptions,
  thrown: unknown,
  format: (settings: FormatSettings) => string,
): string {
  try {
    return format(formatSettings(options))
  } catch (problem) {
    return ordinary(thrown, problem, options)
  }
}

/** What stands in place of a trace that could not be made. */
function ordinary(thrown: unknown, problem: unknown, options: ErrorFormatOptions): string {
  try {
    const redactor = redactorOf(options)
    const reason = redactor.text(plainText(errorMessage(problem)).replaceAll('\n', ' ').slice(0, 200))
    const trace = redactor.text(plainText(errorTrace(thrown)))
    return `(This error could not be shown with its source: ${reason}. The ordinary trace:)\n${cutMiddle(trace, traceLength(options))}`
  } catch {
    // Not even that: the stack is used up, or the redactor fails, and nothing leaves without it.
    return '(This error could not be shown: neither with its source nor as an ordinary trace.)'
  }
}

function finished(lines: readonly string[], context: FrameContext): string {
  const { settings } = context
  let end = lines.length
  while (end > 0 && lines[end - 1] === '') end--
  const all = lines.slice(0, end)
  if (settings.summary === true || (settings.summary === 'auto' && all.length > linesWithoutSummary))
    all.push('', 'Summary:', ...context.summary.flatMap(text => text.split('\n')))
  if (settings.localsHint && settings.locals === undefined) all.push('', hint)
  return paint(redactWhole(cutMiddle(all.join('\n'), settings.maxLength), settings.redactor), settings.style)
}

/** Once more over all of it: a secret may go over several lines. Variables that were not read keep their stars. */
function redactWhole(text: string, redactor: Redactor): string {
  const redacted = redactor.text(text)
  if (!text.includes(' = *****')) return redacted
  const starred = new Set(text.match(/^ *[^\s=]+ = \*{5}$/gm))
  return redacted
    .split('\n')
    .map(line => {
      const name = line.endsWith(` = ${redactor.replacement}`)
        ? line.slice(0, -redactor.replacement.length)
        : undefined
      return name !== undefined && starred.has(`${name}*****`) ? `${name}*****` : line
    })
    .join('\n')
}

function cutMiddle(text: string, most: number): string {
  if (text.length <= most) return text
  const half = Math.floor(most / 2) - 40
  const start = text.slice(0, text.lastIndexOf('\n', half) + 1 || half)
  const rest = text.slice(-half)
  const end = rest.slice(rest.indexOf('\n') + 1)
  return `${start} (... ${text.length - start.length - end.length} characters left out)\n${end}`
}
