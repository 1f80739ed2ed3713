import { setTimeout as wait } from 'node:timers/promises'

/**
 * What the service's own code gives, if it does in so many milliseconds.
 * @throws what it rejects with, and Error when it is late
 */
export async function inTime<Value>(given: Value | Promise<Value>, timeout: number): Promise<Value> {
  const isOver = new AbortController()
  const late = wait(timeout, undefined, { signal: isOver.signal }).then(() => {
    throw new Error(`it has not answered within ${timeout} ms`)
  })
  try {
    return await Promise.race([given, late])
  } finally {
    isOver.abort()
  }
}
