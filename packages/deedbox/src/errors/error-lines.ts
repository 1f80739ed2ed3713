import { collectedErrors, errorMessage, errorName, followed } from '../safety/index.ts'
import { framesOf } from './error-frames.ts'
import { causeOf, memberCount, stackOf } from './error-parts.ts'
import { type FrameContext, frameLines } from './frame-lines.ts'
import { matchVariables } from './matched-variables.ts'
import { plainText } from './plain-text.ts'

/** Longer messages are cut. */
const longestMessage = 8_192
/** A little more is searched, so that a secret across the edge is still recognised. */
const beyondEdge = 4_096

/** An error and what it came from as lines, oldest first unless reversed. (FA-42) */
export function errorLines(
  thrown: unknown,
  context: FrameContext,
  depth = 0,
  shown: ReadonlySet<unknown> = new Set(),
): string[] {
  const { reverse } = context.settings
  const above = new Set(shown).add(thrown)
  const parts: string[][] = []
  const cause = causeOf(thrown)
  const members = depth < followed ? collectedErrors(thrown) : []
  if (cause !== undefined) {
    if (above.has(cause)) parts.push(['(The cause is an error that this one is a cause of.)', ''])
    else if (depth < followed)
      parts.push([...errorLines(cause, context, depth + 1, above), '', causeHint(reverse), ''])
    else parts.push(['(Further causes are left out.)', ''])
  }
  if (members.length > 0) parts.push(memberLines(thrown, members, context, depth, above))
  parts.push(ownLines(thrown, context))
  if (!reverse) return parts.flat()
  return trimmed(parts.reverse().flatMap(part => [...hintFirst(part), '']))
}

function causeHint(reverse: boolean): string {
  return reverse
    ? 'The error above was caused by the one below:'
    : 'The error above is the cause of the one below:'
}

/** Reversed, the hint comes before the errors that it speaks of. */
function hintFirst(part: readonly string[]): string[] {
  const hint = part.at(-2)
  if (part.at(-1) !== '' || hint?.endsWith(':') !== true) return trimmed(part)
  return [hint, '', ...trimmed(part.slice(0, -2))]
}

function memberLines(
  thrown: unknown,
  members: readonly Error[],
  context: FrameContext,
  depth: number,
  above: ReadonlySet<unknown>,
): string[] {
  const count = memberCount(thrown)
  const lines: string[] = []
  for (const [i, member] of members.entries()) {
    const own = above.has(member)
      ? ['(An error that is shown already.)']
      : errorLines(member, context, depth + 1, above)
    lines.push(`Error ${i + 1} of ${count}:`, ...own.map(line => (line === '' ? '' : `    ${line}`)), '')
  }
  if (count > members.length) lines.push(`(... ${count - members.length} more)`, '')
  return [
    ...lines,
    context.settings.reverse
      ? 'The error above collects the ones below:'
      : 'The error below collects the ones above:',
    '',
  ]
}

/** The frames of one error, and what it says. */
function ownLines(thrown: unknown, context: FrameContext): string[] {
  const { settings } = context
  const name = errorName(thrown)
  const said = messageLine(thrown, context)
  if (settings.suppressedErrors.includes(name)) {
    const stack = stackOf(thrown).slice(0, longestMessage)
    return stack === '' ? said : settings.redactor.text(plainText(stack)).split('\n')
  }
  const frames = framesOf(thrown, settings.sources, settings.isSuppressedPath)
  const variables = matchVariables(frames, settings.locals?.frames(thrown) ?? [], settings.sources)
  const lines = frameLines(frames, variables, context)
  context.summary.push(said.join('\n'))
  return settings.reverse ? [...said, '', ...trimmed(lines)] : [...lines, ...said]
}

function messageLine(thrown: unknown, context: FrameContext): string[] {
  const message = errorMessage(thrown)
  const text = plainText(`${errorName(thrown)}: ${message.slice(0, longestMessage + beyondEdge)}`)
  const redacted = context.settings.redactor.text(text)
  const cut = message.length > longestMessage
  return (
    cut ? `${redacted.slice(0, longestMessage)}…[+${message.length - longestMessage} characters]` : redacted
  ).split('\n')
}

function trimmed(lines: readonly string[]): string[] {
  let end = lines.length
  while (end > 0 && lines[end - 1] === '') end--
  let start = 0
  while (start < end && lines[start] === '') start++
  return lines.slice(start, end)
}
