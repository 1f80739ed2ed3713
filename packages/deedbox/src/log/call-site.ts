import { getCallSites } from 'node:util'

/**
 * Where a log call stands, as `file:function:line`. (FA-05) With source maps on, Node answers for the original
 * file. Costs a few microseconds: only as many frames as needed are taken.
 * @param depth how many frames lie between this function and the one to name; 0 is the direct caller
 */
export function callSite(depth: number): string {
  const frame = process.sourceMapsEnabled ? undefined : rawFrame(depth + 1)
  if (frame === undefined) {
    const mapped = getCallSites(depth + 2)[depth + 1]
    if (mapped === undefined) return '<unknown>'
    return named(mapped.scriptName, mapped.functionName, mapped.lineNumber)
  }
  return named(frame.getFileName() ?? '', frame.getFunctionName() ?? '', frame.getLineNumber() ?? 0)
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
