import type { Redactor } from '../safety/index.ts'
import { plainText } from './plain-text.ts'
import type { SourceFiles } from './source-files.ts'
import { redactSource } from './source-secrets.ts'

/** How much of a source is listed around the line of a frame. */
export interface ExcerptSettings {
  /** The failing line and those before it; one more line follows. `all`: the function. (FA-38) */
  readonly sourceLines: number | 'all'
  /** Also list the first line of the function around it. */
  readonly showSignature: boolean
  readonly redactor: Redactor
}

/** What is listed of a source. */
export interface Excerpt {
  /** With margin and numbers. */
  readonly lines: readonly string[]
  /** The failing line alone, without margin. */
  readonly failing: string
  /** The listed source as one text, to see which names it holds. */
  readonly code: string
}

/** Where a function stands: line numbers from 0, both its own. */
interface Extent {
  readonly start: number
  readonly end: number
}

/** Functions longer than this are not listed whole, and not searched for their beginning. */
const longestFunction = 400
/** So many lines before those listed are read too: what a literal belongs to may stand before it. */
const readBefore = 200
const mostReadBefore = 65_536
/** Longer lines are cut: nobody wrote them by hand. */
export const longestSourceLine = 240
const longestRead = 4_096

/** Lists the source around a line, secrets blanked; `undefined` if it cannot be read or has no such line. */
export function sourceExcerpt(
  sources: SourceFiles,
  file: string,
  line: number,
  settings: ExcerptSettings,
): Excerpt | undefined {
  if (settings.sourceLines === 0) return undefined
  const lines = sources.lines(file)
  const at = line - 1
  if (lines?.[at] === undefined) return undefined
  const extent =
    settings.showSignature || settings.sourceLines === 'all' ? functionAround(lines, at) : undefined
  const [from, to] = listedLines(lines, at, extent, settings.sourceLines)
  const signature =
    settings.showSignature && extent !== undefined && extent.start < from ? extent.start : from
  const first = firstRead(lines, Math.min(signature, from))
  const readable = redactSource(
    lines.slice(first, to + 1).map(text => plainText(text.slice(0, longestRead))),
    settings.redactor,
  ).map(cutLine)
  const width = String(to + 1).length
  const rows: string[] = []
  const row = (i: number): void => {
    const margin = i === at ? '--> ' : '    '
    rows.push(`${margin}${String(i + 1).padEnd(width)}  ${readable[i - first] ?? ''}`.trimEnd())
  }
  if (signature < from) row(signature)
  if (signature < from - 1) rows.push(' (...)')
  for (let i = from; i <= to; i++) row(i)
  const code = [signature, ...Array.from({ length: to - from + 1 }, (_, i) => from + i)]
    .map(i => readable[i - first] ?? '')
    .join('\n')
  return { lines: rows, failing: (readable[at - first] ?? '').trim(), code }
}

/** The line from which on the source is read, so that what is listed from `from` on is understood. */
function firstRead(lines: readonly string[], from: number): number {
  let first = from
  let room = mostReadBefore
  while (first > 0 && from - first < readBefore && room > 0) {
    first--
    room -= Math.min(longestRead, lines[first]?.length ?? 0)
  }
  return first
}

function listedLines(
  lines: readonly string[],
  at: number,
  extent: Extent | undefined,
  sourceLines: number | 'all',
): [number, number] {
  const last = lines.length - 1
  if (sourceLines === 'all') {
    if (extent !== undefined) return [extent.start, extent.end]
    return [Math.max(0, at - longestFunction / 2), Math.min(last, at + longestFunction / 2)]
  }
  let from = Math.max(0, at - Math.max(0, Math.floor(sourceLines) - 1))
  // What stands before the function does not belong to it.
  if (extent !== undefined && extent.start > from) from = extent.start
  while (from < at && lines[from]?.trim() === '') from++
  const to = Math.min(last, at + 1)
  return [from, lines[to]?.trim() === '' ? at : to]
}

function cutLine(text: string): string {
  return text.length <= longestSourceLine ? text : `${text.slice(0, longestSourceLine)}…`
}

/**
 * The function that a line stands in, by how the source is indented: as formatters leave it, a body is indented
 * deeper than its first and last line.
 */
function functionAround(lines: readonly string[], at: number): Extent | undefined {
  let limit = indentOf(lines[at] ?? '')
  // An arrow or method that begins here is called by this frame, or handed on.
  if (functionWord.test((lines[at] ?? '').slice(0, longestSourceLine)))
    return { start: at, end: endOf(lines, at) }
  for (let i = at - 1; i >= Math.max(0, at - longestFunction); i--) {
    const line = lines[i] ?? ''
    if (line.trim() === '') continue
    const indent = indentOf(line)
    if (indent >= limit) continue
    limit = indent
    const text = line.trim()
    if (text.startsWith(')') && text.endsWith('{')) limit = indent + 1
    else if (beginsFunction(line) || opensParameters(lines, i)) return { start: i, end: endOf(lines, i) }
  }
  return undefined
}

const control = /^\s*(?:\}\s*)?(?:if|for|while|switch|catch|else|do|try|finally|with|return|throw|await)\b/
const functionWord = /\bfunction\b/
const arrow = /=>\s*[({[]?\s*$/
const method = /^\s*(?:[\w$]+\s+)*[*#]?[\w$[\].'"]+\??\s*(?:<[^>]*>)?\([^;]*\{\s*$/

function beginsFunction(line: string): boolean {
  const text = line.slice(0, longestSourceLine)
  if (functionWord.test(text) || arrow.test(text)) return true
  return !control.test(text) && method.test(text)
}

/** Whether a list of parameters begins at this line, and the body behind it: `function total(` … `): number {`. */
function opensParameters(lines: readonly string[], at: number): boolean {
  const line = lines[at] ?? ''
  if (!line.trimEnd().endsWith('(') || control.test(line)) return false
  const indent = indentOf(line)
  for (let i = at + 1; i < Math.min(lines.length, at + 40); i++) {
    const text = lines[i]?.trim() ?? ''
    if (text === '' || indentOf(lines[i] ?? '') > indent) continue
    return text.startsWith(')') && text.endsWith('{')
  }
  return false
}

/** The line that closes what begins at `start`. */
function endOf(lines: readonly string[], start: number): number {
  const indent = indentOf(lines[start] ?? '')
  for (let i = start + 1; i < Math.min(lines.length, start + longestFunction); i++) {
    const text = lines[i]?.trim() ?? ''
    if (text === '' || indentOf(lines[i] ?? '') > indent) continue
    if (/^[)\]}]/.test(text)) {
      if (text.startsWith(')') && text.endsWith('{')) continue
      return i
    }
    return i - 1
  }
  return Math.min(lines.length - 1, start + longestFunction)
}

function indentOf(line: string): number {
  let indent = 0
  for (const sign of line) {
    if (sign === ' ') indent++
    else if (sign === '\t') indent += 4
    else break
  }
  return indent
}
