import { fileURLToPath } from 'node:url'
import { type CallSiteObject, getCallSites } from 'node:util'
import { originOf } from '../errors/index.ts'

/** How far out the caller of another logger is looked for. */
const furthest = 40

/** How far out the file that called is looked for. */
const nearest = 10

/** Other loggers, through whose own frames their lines come. */
const loggers = /[/\\]node_modules[/\\](?:pino|winston|winston-transport|logform|readable-stream)[/\\]/

/** The texts of places, by script and position: a service has few places that log, and each of them logs often. */
const known = new Map<string, Map<number, string>>()
const mostScripts = 1_000
const mostPlaces = 1_000

/** Columns of one line that are told apart. */
const columns = 65_536

/**
 * Where a log call stands, as `file:function:line`. (FA-05) Compiled code is traced back to its source by the source map
 * that it names, whether or not Node was told to do so. Costs a few microseconds: only as many frames as needed are
 * taken. Where a bridge from another logger made the call, it is the place where that logger was called.
 * @param depth how many frames lie between this function and the one to name; 0 is the direct caller
 */
export function callSite(depth: number): string {
  const raw = process.sourceMapsEnabled ? undefined : rawFrame(depth)
  if (raw !== undefined) {
    const work = raw.getFunctionName() ?? ''
    if (!work.startsWith('bridged')) {
      return placeText(raw.getFileName() ?? '', work, raw.getLineNumber() ?? 0, raw.getColumnNumber() ?? 0)
    }
  }
  const frames = getCallSites(furthest).slice(depth + 1)
  const frame = frames[0]?.functionName.startsWith('bridged') === true ? frames.find(isOutside) : frames[0]
  if (frame === undefined) return '<unknown>'
  const { scriptName, functionName, lineNumber } = frame
  return process.sourceMapsEnabled
    ? named(scriptName, functionName, lineNumber)
    : placeText(scriptName, functionName, lineNumber, frame.columnNumber)
}

/**
 * The file whose code called a function that is running, by the source map if it was compiled; `undefined` if it cannot
 * be told.
 */
export function callingFile(entry: (...values: never[]) => unknown): string | undefined {
  const { stackTraceLimit, prepareStackTrace } = Error
  const holder: { stack?: unknown } = {}
  try {
    Error.stackTraceLimit = nearest
    Error.prepareStackTrace = unprepared
    Error.captureStackTrace(holder, entry)
    const frames = Array.isArray(holder.stack) ? (holder.stack as NodeJS.CallSite[]) : []
    // Between them may be a list's own `map`, which has no file.
    const frame = frames.find(each => each.getFileName() && !each.getFileName()?.startsWith('node:'))
    const script = frame?.getFileName()
    if (frame === undefined || !script) return undefined
    const origin = originOf(script, frame.getLineNumber() ?? 0, frame.getColumnNumber() ?? 0)
    return origin?.file ?? (script.startsWith('file:') ? fileURLToPath(script) : script)
  } catch {
    return undefined
  } finally {
    try {
      Error.stackTraceLimit = stackTraceLimit
      Error.prepareStackTrace = prepareStackTrace
    } catch {}
  }
}

function isOutside({ functionName, scriptName }: CallSiteObject): boolean {
  return (
    !functionName.startsWith('bridged') &&
    scriptName !== '' &&
    !scriptName.startsWith('node:') &&
    !loggers.test(scriptName)
  )
}

function placeText(script: string, work: string, line: number, column: number): string {
  const key = line * columns + Math.min(column, columns - 1)
  const places = known.get(script)
  const before = places?.get(key)
  if (before !== undefined) return before
  const origin = originOf(script, line, column)
  const text = origin === undefined ? named(script, work, line) : named(origin.file, work, origin.line)
  if (places === undefined) {
    // Code that is made at run time has names without end.
    if (known.size < mostScripts) known.set(script, new Map([[key, text]]))
  } else if (places.size < mostPlaces) {
    places.set(key, text)
  }
  return text
}

function named(script: string, work: string, line: number): string {
  const file = script.slice(Math.max(script.lastIndexOf('/'), script.lastIndexOf('\\')) + 1)
  return `${file || '<unknown>'}:${work || '<anonymous>'}:${line}`
}

const unprepared = (_error: Error, frames: NodeJS.CallSite[]): NodeJS.CallSite[] => frames

/**
 * A frame as V8 has it, which takes half the time of Node's `getCallSites` and knows no source maps. Counted from
 * {@link callSite}'s caller, and not from here: bundlers put a function that is called once into its caller. Nobody else
 * sees the two settings meanwhile; where they cannot be changed, or somebody answers in our place, there is none.
 */
function rawFrame(depth: number): NodeJS.CallSite | undefined {
  const { stackTraceLimit, prepareStackTrace } = Error
  const holder: { stack?: unknown } = {}
  try {
    Error.stackTraceLimit = depth + 1
    Error.prepareStackTrace = unprepared
    Error.captureStackTrace(holder, callSite)
    const frames = holder.stack
    return Array.isArray(frames) ? (frames[depth] as NodeJS.CallSite | undefined) : undefined
  } catch {
    return undefined
  } finally {
    try {
      Error.stackTraceLimit = stackTraceLimit
      Error.prepareStackTrace = prepareStackTrace
    } catch {}
  }
}
