import type { ProducerRow } from './producer-row.ts'
import { type Gap, gapsOf, highestSeen, missingOf } from './seen-numbers.ts'

/** Milliseconds without a sign of life after which a producer that announced no end is `silent`. Announcements come each minute. */
export const silentAfter = 180_000

/** `live`: heard lately; `silent`: not heard for three minutes; `ended` and `crashed`: it was announced. */
export type ProducerState = 'live' | 'silent' | 'ended' | 'crashed'

/** The states, as filters and schemas name them. */
export const producerStates: readonly ProducerState[] = ['live', 'silent', 'ended', 'crashed']

/** A producer as it is shown, over HTTP and in-process. Times are RFC 3339. */
export interface ProducerView {
  id: string
  principal: string
  service: string | null
  env: string | null
  host: string | null
  pid: number | null
  version: string | null
  state: ProducerState
  started_at: string | null
  first_at: string
  last_at: string
  ended_at: string | null
  /** The highest number that was announced or seen. */
  high_water: number
  /** The highest number that an event of the ledger carries. */
  seen_to: number
  /** Numbers after `seen_to` that a live producer announced as waiting on its side: no gap yet. */
  waiting: number
  /** How many numbers have no event, those in `gaps` and those below `counted_only_to`. */
  missing: number
  /** Which, in order. */
  gaps: Gap[]
  /** Up to this number only the count of what is missing is known, since there were too many gaps; 0: all are listed. */
  counted_only_to: number
}

/** How a producer is at a time, in milliseconds since the epoch. */
export function producerView(row: ProducerRow, now: number): ProducerView {
  const seenTo = highestSeen(row.seen)
  const state = stateOf(row, now)
  const tail = Math.max(0, row.highWater - seenTo)
  const waiting = state === 'live' ? Math.min(tail, row.queued + row.spooled) : 0
  const due = Math.max(seenTo, row.highWater) - waiting
  return {
    id: row.producerId,
    principal: row.principal,
    service: row.service,
    env: row.env,
    host: row.host,
    pid: row.pid,
    version: row.version,
    state,
    started_at: time(row.startedAt),
    first_at: new Date(row.firstAt).toISOString(),
    last_at: new Date(row.lastAt).toISOString(),
    ended_at: time(row.endedAt),
    high_water: Math.max(seenTo, row.highWater),
    seen_to: seenTo,
    waiting,
    missing: missingOf(row.seen, due),
    gaps: gapsOf(row.seen, due),
    counted_only_to: row.seen.coarseTo,
  }
}

function stateOf(row: ProducerRow, now: number): ProducerState {
  if (row.ended !== null) return row.ended === 'clean' ? 'ended' : 'crashed'
  return now - row.lastAt > silentAfter ? 'silent' : 'live'
}

function time(at: number | null): string | null {
  return at === null ? null : new Date(at).toISOString()
}
