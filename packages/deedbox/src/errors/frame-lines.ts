import { type ErrorFrame, mostFrames } from './error-frames.ts'
import type { FormatSettings } from './format-options.ts'
import type { FrameVariables } from './matched-variables.ts'
import { plainText } from './plain-text.ts'
import { type Excerpt, sourceExcerpt } from './source-excerpt.ts'

/** A rule above and below the variables of a frame. */
const rule = `    ${'.'.repeat(50)}`
/** Source is looked up for so long in one call; frames after it have their header only. In milliseconds. */
const longestSearch = 250

/** What several frames of one call share. */
export interface FrameContext {
  readonly settings: FormatSettings
  /** One line for each frame that was shown, for the summary. */
  readonly summary: string[]
  /** When the search for sources ends, by the steady clock. */
  readonly until: number
}

/** Begins a call. */
export function frameContext(settings: FormatSettings): FrameContext {
  return { settings, summary: [], until: performance.now() + longestSearch }
}

/**
 * The frames of one error as lines, outermost first unless reversed; a blank line ends each. (FA-37, FA-39)
 * @param variables of each frame, by its number in the list
 */
export function frameLines(
  frames: readonly ErrorFrame[],
  variables: ReadonlyMap<number, FrameVariables>,
  context: FrameContext,
): string[] {
  const blocks: string[][] = []
  const outermost = [...frames.keys()].reverse()
  let folded = 0
  const fold = (): void => {
    if (folded > 0)
      blocks.push([` (... ${folded} more ${folded === 1 ? 'frame' : 'frames'} in suppressed paths)`, ''])
    folded = 0
  }
  if (frames.length >= mostFrames)
    blocks.push([` (... frames outside of these ${mostFrames} are left out)`, ''])
  for (const i of outermost) {
    const frame = frames[i]!
    if (frame.isSuppressed && frames[i + 1]?.isSuppressed === true) {
      folded++
      continue
    }
    fold()
    const excerpt = frame.isSuppressed ? undefined : excerptOf(frame, context)
    blocks.push(shown(frame, excerpt, frame.isSuppressed ? [] : (variables.get(i) ?? []), context))
    context.summary.push(summaryLine(frame, excerpt))
  }
  fold()
  return (context.settings.reverse ? blocks.reverse() : blocks).flat()
}

function header(frame: ErrorFrame): string {
  const line = frame.line === undefined ? '' : ` line ${frame.line},`
  return plainText(`File "${frame.file}",${line} in ${frame.function}`).replaceAll('\n', ' ')
}

function shown(
  frame: ErrorFrame,
  excerpt: Excerpt | undefined,
  variables: FrameVariables,
  context: FrameContext,
): string[] {
  const lines = [header(frame), ...(excerpt?.lines ?? [])]
  const values = valueLines(variables, excerpt, context.settings)
  if (values.length > 0) lines.push(rule, ...values, rule)
  return [...lines, '']
}

function excerptOf(frame: ErrorFrame, context: FrameContext): Excerpt | undefined {
  if (frame.line === undefined || performance.now() > context.until) return undefined
  return sourceExcerpt(context.settings.sources, frame.file, frame.line, context.settings)
}

function summaryLine(frame: ErrorFrame, excerpt: Excerpt | undefined): string {
  const failing = excerpt?.failing ?? ''
  return failing === '' ? header(frame) : `${header(frame)}\n    --> ${failing}`
}

/** The variables that are asked for; where no source is listed, whether it names them cannot be told. */
function valueLines(
  variables: FrameVariables,
  excerpt: Excerpt | undefined,
  settings: FormatSettings,
): string[] {
  const lines: string[] = []
  const { showValues } = settings
  if (showValues === 'none') return lines
  const code = showValues === 'all' ? undefined : showValues === 'line' ? excerpt?.failing : excerpt?.code
  const named = code === undefined ? undefined : new Set(code.match(/[\p{L}_$][\p{L}\p{N}_$]*/gu))
  for (const [name, value] of variables) {
    if (settings.isSuppressedVariable(name) || named?.has(name) === false) continue
    const most = settings.truncateValues
    const cut = value.length > most ? `${value.slice(0, most)}...` : value
    lines.push(...wrapped(`${name} = `, plainText(cut).replaceAll('\n', '\\n'), settings.lineWrap))
  }
  return lines
}

function wrapped(start: string, value: string, width: number): string[] {
  const margin = '     '
  if (width === 0 || start.length + value.length <= width) return [margin + start + value]
  const lines: string[] = []
  let line = start
  const indent = ' '.repeat(Math.min(start.length, 20))
  for (const word of value.split(/(?<= )/)) {
    if (line.length + word.trimEnd().length > width && line.trim() !== '' && line !== start) {
      lines.push(margin + line.trimEnd())
      line = indent
    }
    line += word
  }
  return [...lines, margin + line.trimEnd()]
}
