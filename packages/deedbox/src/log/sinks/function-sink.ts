import { AsyncLocalStorage } from 'node:async_hooks'
import { runOutside } from '../../request/index.ts'
import { ConfigurationError, errorMessage } from '../../safety/index.ts'
import { withoutContext } from '../context-fields.ts'
import type { LogSink } from '../sink.ts'
import { Losses } from './losses.ts'

/** How a function takes lines. */
export interface FunctionSinkOptions {
  /** How many lines an asynchronous function may have begun and not ended; further ones are lost. Default 10,000. */
  readonly limit?: number | undefined
}

/**
 * A sink that calls a function with each line, which has no line break at its end. (FA-46) The function may be
 * asynchronous: it is called for the next line without waiting, and `flush()` and `close()` of the instance wait for
 * all calls. (FA-53) A line is lost, and counted, when the function throws or rejects, when it logs itself while it
 * runs, and beyond the limit.
 * @throws ConfigurationError
 */
export function functionSink(
  take: (line: string) => unknown,
  { limit = 10_000 }: FunctionSinkOptions = {},
): LogSink & { drain(): Promise<void> } {
  if (typeof take !== 'function') throw new ConfigurationError('functionSink', 'takes a function of a line.')
  if (!Number.isInteger(limit) || limit < 1)
    throw new ConfigurationError('functionSink.limit', 'a whole number of lines from 1 on is needed.')
  const losses = new Losses('a function that takes lines')
  const begun = new Set<Promise<unknown>>()
  const inside = new AsyncLocalStorage<true>()

  const call = (line: string): unknown => {
    // Its own line would call it again, without end; also one that it writes later on.
    if (inside.getStore() === true) throw new Error('the function of a sink logged to its own log')
    const text = line.endsWith('\n') ? line.slice(0, -1) : line
    // What it starts, a timer or a connection, serves all lines and is no request's.
    return runOutside(() => withoutContext(() => inside.run(true, take, text)))
  }
  const drain = async (): Promise<void> => {
    await Promise.all(begun)
  }
  return {
    write(line) {
      if (begun.size >= limit) throw new Error(`the function of a sink is slow, ${limit} lines wait for it`)
      const result = call(line)
      if (!isThenable(result)) return
      const ended: Promise<unknown> = Promise.resolve(result)
        .catch((error: unknown) => losses.tell(1, errorMessage(error)))
        .then(() => begun.delete(ended))
      begun.add(ended)
    },
    drain,
    close: drain,
    onLoss: losses.listen,
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && 'then' in value && typeof value.then === 'function'
}
