import type { ErrorFrame } from './error-frames.ts'
import type { CapturedFrame } from './locals.ts'
import type { SourceFiles } from './source-files.ts'
import { filePath } from './stack-frames.ts'

/** Names and values, as text, of one frame's variables. */
export type FrameVariables = readonly (readonly [name: string, value: string])[]

/**
 * Which variables belong to which frame of a stack. A stack tells where the error was made and the captured frames where
 * it was thrown, which may differ: frames are the same if file and function are, in the same order.
 */
export function matchVariables(
  frames: readonly ErrorFrame[],
  captured: readonly CapturedFrame[],
  sources: SourceFiles,
): Map<number, FrameVariables> {
  const matched = new Map<number, FrameVariables>()
  let next = 0
  for (const [i, frame] of frames.entries()) {
    for (let j = next; j < captured.length; j++) {
      const candidate = captured[j]!
      if (bareName(candidate.function) !== bareName(frame.function)) continue
      const file = filePath(candidate.url)
      const origin = sources.originOfRunning(file, candidate.url, candidate.line, candidate.column)
      if (frame.file !== file && frame.file !== origin?.file) continue
      matched.set(i, candidate.variables)
      next = j + 1
      break
    }
  }
  return matched
}

/** A stack says `async Orders.place [as run]`, where the debugger says `place`. */
function bareName(written: string): string {
  const name = written.replace(/^(?:async |new )+/, '').replace(/ \[as [^\]]*\]$/, '')
  const last = name.slice(name.lastIndexOf('.') + 1)
  return last === '<anonymous>' ? '' : last
}
