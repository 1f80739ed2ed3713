import { type CapturedLog, captureLog as capture, type ParsedLine, parseLine } from '../capture/index.ts'
import type { DeedboxOptions } from '../index.ts'
import { keepLine } from './kept-lines.ts'

export { type CapturedLog, type ParsedLine, parseLine }

/** A captured log whose lines are kept for the check of all lines, unless they are in another form on purpose. */
export function captureLog(options: DeedboxOptions = {}): CapturedLog {
  const captured = capture(options)
  const { format } = options.log ?? {}
  if (format === undefined || typeof format === 'string') {
    const { texts } = captured
    const push = texts.push.bind(texts)
    texts.push = (...more) => {
      if (captured.box.env !== 'development') more.forEach(keepLine)
      return push(...more)
    }
  }
  return captured
}
