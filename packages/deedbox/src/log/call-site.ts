import { getCallSites } from 'node:util'

/**
 * Where a log call stands, as `file:function:line`. (FA-05) With source maps on, Node answers for the original
 * file. Costs a few microseconds: only as many frames as needed are taken.
 * @param depth how many frames lie between this function and the one to name; 0 is the direct caller
 */
export function callSite(depth: number): string {
  const frame = getCallSites(depth + 2)[depth + 1]
  if (frame === undefined) return '<unknown>'
  const script = frame.scriptName
  const file = script.slice(Math.max(script.lastIndexOf('/'), script.lastIndexOf('\\')) + 1)
  return `${file || '<unknown>'}:${frame.functionName || '<anonymous>'}:${frame.lineNumber}`
}
