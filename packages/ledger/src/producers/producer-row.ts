import type { Announcement } from './announcement.ts'
import { addSeen, highestSeen, missingOf, nothingSeen, type SeenNumbers } from './seen-numbers.ts'

/** A producer as stored: operational notes, which nothing vouches for. Times in milliseconds since the epoch. */
export interface ProducerRow {
  /** Who writes for it: a producer belongs to one writer, and nobody else can speak for it. */
  principal: string
  producerId: string
  service: string | null
  env: string | null
  host: string | null
  version: string | null
  pid: number | null
  /** As the producer says. */
  startedAt: number | null
  /** The ledger's clock, of the first and the newest sign of life: an event or an announcement. */
  firstAt: number
  lastAt: number
  /** The highest number that was announced. */
  highWater: number
  /** Events that waited, in memory and on disk, at the last announcement. */
  queued: number
  spooled: number
  ended: 'clean' | 'crashed' | null
  endedAt: number | null
  /** How many of 1 … the highest known number are not here; derived from what stands beside it. */
  missing: number
  seen: SeenNumbers
}

/** A producer of which nothing is known but that it is there. */
export function newProducer(principal: string, producerId: string, at: number): ProducerRow {
  return {
    principal,
    producerId,
    service: null,
    env: null,
    host: null,
    version: null,
    pid: null,
    startedAt: null,
    firstAt: at,
    lastAt: at,
    highWater: 0,
    queued: 0,
    spooled: 0,
    ended: null,
    endedAt: null,
    missing: 0,
    seen: nothingSeen,
  }
}

/** The row after events with these numbers were stored. That it had ended stays true: a spool may come later. */
export function withSeen(
  row: ProducerRow,
  numbers: readonly number[],
  from: { service: string | null; env: string | null },
  at: number,
): ProducerRow {
  return counted({
    ...row,
    service: row.service ?? from.service,
    env: row.env ?? from.env,
    lastAt: Math.max(row.lastAt, at),
    seen: addSeen(row.seen, numbers),
  })
}

/** The row after an announcement. The newest word holds: who was given up for dead and speaks again is alive. */
export function withAnnouncement(row: ProducerRow, said: Announcement, at: number): ProducerRow {
  return counted({
    ...row,
    service: said.service ?? row.service,
    env: said.env ?? row.env,
    host: said.host ?? row.host,
    version: said.version ?? row.version,
    pid: said.pid ?? row.pid,
    startedAt: said.startedAt ?? row.startedAt,
    lastAt: Math.max(row.lastAt, at),
    highWater: Math.max(row.highWater, said.highWater),
    queued: said.queued,
    spooled: said.spooled,
    ended: said.ended,
    endedAt: said.ended === null ? null : at,
  })
}

function counted(row: ProducerRow): ProducerRow {
  return { ...row, missing: missingOf(row.seen, Math.max(row.highWater, highestSeen(row.seen))) }
}
