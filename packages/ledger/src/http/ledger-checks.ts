import { statfs } from 'node:fs/promises'
import type { monitorEventLoopDelay } from 'node:perf_hooks'
import { type Check, type CheckMessage, check, error, warning } from 'deedbox/health'
import type { Ledger } from '../ledger.ts'

/** How late the event loop was, in nanoseconds. */
type EventLoopDelays = ReturnType<typeof monitorEventLoopDelay>

/** Below this share of the file system, or this many bytes, there is a warning; below a tenth of it an error. */
const leastFree = { share: 0.1, bytes: 1024 ** 3 }

/** Milliseconds between two looks at the event loop. */
export const eventLoopResolution = 20

/** Milliseconds by which the event loop may be late, 99 of 100 times. */
const longestDelay = 250

/**
 * What has to be well for a ledger to do its work, and what an operator should know.
 * @param folder where the database is
 * @param delays of the event loop; each round begins them anew
 */
export function ledgerChecks(ledger: Ledger, folder: string, delays: EventLoopDelays): Check[] {
  return [
    check('database', () => database(ledger)),
    check('writer', () => writer(ledger)),
    check('guard', () => guard(ledger)),
    // Without the key all goes on until the next start; and a disk that is nearly full still takes events.
    check('signing_key', () => signingKey(ledger), { readiness: false }),
    check('disk', () => disk(folder), { readiness: false }),
    check('event_loop', () => eventLoop(delays), { readiness: false }),
  ]
}

function database(ledger: Ledger): CheckMessage[] {
  try {
    ledger.head()
    return []
  } catch (cause) {
    return [error(`The database cannot be read: ${String(cause)}`, { id: 'deedbox.ledger.E001' })]
  }
}

function writer(ledger: Ledger): CheckMessage[] {
  const { failure } = ledger
  return failure === undefined
    ? []
    : [error(`The last write failed: ${failure.message}`, { id: 'deedbox.ledger.E002' })]
}

function guard(ledger: Ledger): CheckMessage[] {
  return ledger.warnings.map(message => warning(message, { id: 'deedbox.ledger.W001' }))
}

function signingKey(ledger: Ledger): CheckMessage[] {
  return ledger.ledgersWithoutKey().map(name =>
    error(`The signing key of the ledger ${name} is gone. It signs on, but would not open again.`, {
      id: 'deedbox.ledger.E003',
      hint: 'Put the key back into the keys folder, or set DEEDBOX_SIGNING_KEY, before the next start.',
    }),
  )
}

async function disk(folder: string): Promise<CheckMessage[]> {
  const { bavail, blocks, bsize } = await statfs(folder)
  const free = bavail * bsize
  const least = Math.min(blocks * bsize * leastFree.share, leastFree.bytes)
  if (free >= least) return []
  const message = `${Math.floor(free / 1024 ** 2)} MiB are free where the ledger is kept.`
  return free < least / 10
    ? [error(message, { id: 'deedbox.ledger.E004' })]
    : [warning(message, { id: 'deedbox.ledger.W002' })]
}

/** Each round judges the time since the last one. */
function eventLoop(delays: EventLoopDelays): CheckMessage[] {
  const late = delays.percentile(99) / 1e6 - eventLoopResolution
  delays.reset()
  if (!(late > longestDelay)) return []
  return [
    warning(`The event loop is late by ${Math.round(late)} ms, 99 of 100 times.`, {
      id: 'deedbox.ledger.W003',
    }),
  ]
}
