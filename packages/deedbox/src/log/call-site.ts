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
  let frame = getCallSites(depth + 2)[depth + 1]
  if (frame?.functionName.startsWith('bridged') === true) {
    frame = getCallSites(furthest)
      .slice(depth + 2)
      .find(isOutside)
  }
  if (frame === undefined) return '<unknown>'
  const script = frame.scriptName
  const file = script.slice(Math.max(script.lastIndexOf('/'), script.lastIndexOf('\\')) + 1)
  return `${file || '<unknown>'}:${frame.functionName || '<anonymous>'}:${frame.lineNumber}`
}

function isOutside({ functionName, scriptName }: CallSiteObject): boolean {
  return (
    !functionName.startsWith('bridged') &&
    scriptName !== '' &&
    !scriptName.startsWith('node:') &&
    !loggers.test(scriptName)
  )
}
