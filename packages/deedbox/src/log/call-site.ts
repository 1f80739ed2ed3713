import { type CallSiteObject, getCallSites } from 'node:util'

/** How far out the caller of another logger is looked for. */
const furthest = 40

/** Other loggers, through whose own frames their lines come. */
const loggers = /[/\\]node_modules[/\\](?:pino|winston|winston-transport|logform|readable-stream)[/\\]/

/**
 * Where a log call stands, as `file:function:line`. (FA-05) With source maps on, Node answers for the original
 * file. Costs a few microseconds: only as many frames as needed are taken. Where a bridge from another logger made the
 * call, it is the place where that logger was called.
 * @param depth how many frames lie between this function and the one to name; 0 is the direct caller
 */
export function callSite(depth: number): string {
  const raw = process.sourceMapsEnabled ? undefined : rawFrame(depth + 1)
  if (raw !== undefined) {
    const work = raw.getFunctionName() ?? ''
    if (!work.startsWith('bridged')) return named(raw.getFileName() ?? '', work, raw.getLineNumber() ?? 0)
  }
  const frames = getCallSites(furthest).slice(depth + 1)
  const frame = frames[0]?.functionName.startsWith('bridged') === true ? frames.find(isOutside) : frames[0]
  return frame === undefined ? '<unknown>' : named(frame.scriptName, frame.functionName, frame.lineNumber)
}

function isOutside({ functionName, scriptName }: CallSiteObject): boolean {
  return (
    !functionName.startsWith('bridged') &&
    scriptName !== '' &&
    !scriptName.startsWith('node:') &&
    !loggers.test(scriptName)
  )
}

function named(script: string, work: string, line: number): string {
  const file = script.slice(Math.max(script.lastIndexOf('/'), script.lastIndexOf('\\')) + 1)
  return `${file || '<unknown>'}:${work || '<anonymous>'}:${line}`
}

const unprepared = (_error: Error, frames: NodeJS.CallSite[]): NodeJS.CallSite[] => frames

/**
 * A frame as V8 has it, which takes half the time of Node's `getCallSites` and knows no source maps. Nobody else sees
 * the two settings meanwhile; where they cannot be changed, or somebody answers in our place, there is none.
 */
function rawFrame(depth: number): NodeJS.CallSite | undefined {
  const { stackTraceLimit, prepareStackTrace } = Error
  const holder: { stack?: unknown } = {}
  try {
    Error.stackTraceLimit = depth + 2
    Error.prepareStackTrace = unprepared
    Error.captureStackTrace(holder)
    const frames = holder.stack
    return Array.isArray(frames) ? (frames[depth + 1] as NodeJS.CallSite | undefined) : undefined
  } catch {
    return undefined
  } finally {
    try {
      Error.stackTraceLimit = stackTraceLimit
      Error.prepareStackTrace = prepareStackTrace
    } catch {}
  }
}
