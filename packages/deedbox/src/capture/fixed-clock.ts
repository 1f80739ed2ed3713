import { setClock, setIdSource } from '../request/index.ts'

/** A clock that stands still until it is told to move. Dispose of it, or call it, and the system's is back. */
export interface FixedClock {
  (): void
  [Symbol.dispose](): void
  /** Lets so many milliseconds pass. */
  advance(milliseconds: number): void
  /** The time that it shows, in milliseconds since 1970. */
  now(): number
}

/** Ids that are counted. Dispose of them, or call them, and ids are random again. */
export interface FixedIds {
  (): void
  [Symbol.dispose](): void
}

const inUse = new Set<string>()

/**
 * Has every instance of the process read its time off a clock that stands still: timestamps of lines, records and events, and
 * the durations of requests and jobs. Timeouts, pauses between attempts and the rotation of files go on in real time. What
 * began under another clock has no sensible duration, so fix it before the first request.
 * @param at ISO 8601, or milliseconds since 1970
 * @throws RangeError for what is no time; Error when a clock is fixed already
 */
export function useFixedClock(at: string | number | Date = '2026-01-01T00:00:00Z'): FixedClock {
  let now = new Date(at).getTime()
  if (Number.isNaN(now)) throw new RangeError(`"${String(at)}" is no time: use ISO 8601 or milliseconds.`)
  const stop = claim('clock', () => setClock(undefined))
  setClock(() => now)
  return Object.assign(stop, {
    advance: (milliseconds: number): void => {
      now += milliseconds
    },
    now: () => now,
    [Symbol.dispose]: stop,
  })
}

/**
 * Has every instance of the process count its ids: requests get `id-1`, `id-2`, …; events, idempotency keys and transaction
 * ids, which have to be UUIDs or are made of them, get `00000000-0000-4000-8000-000000000001` (version 7 for keys), …
 * An id that the client sent, or that a generator of your own made, stays what it is.
 * @throws Error when ids are fixed already
 */
export function useFixedIds(): FixedIds {
  let requests = 0
  const uuids = { 4: 0, 7: 0 }
  const stop = claim('ids', () => setIdSource(undefined))
  setIdSource({
    requestId: () => `id-${++requests}`,
    uuid: version => `00000000-0000-${version}000-8000-${String(++uuids[version]).padStart(12, '0')}`,
  })
  return Object.assign(stop, { [Symbol.dispose]: stop })
}

/** Two tests at once would see one another's clock without noticing. */
function claim(what: string, release: () => void): () => void {
  if (inUse.has(what)) throw new Error(`The ${what} of this process is fixed already: end that first.`)
  inUse.add(what)
  let isOver = false
  return () => {
    if (isOver) return
    isOver = true
    inUse.delete(what)
    release()
  }
}
