// Imported: each global is looked up anew, which is a sixth of the cost of a reading.
import { performance } from 'node:perf_hooks'

// One instant is read once and rendered per output. Durations come from the monotonic clock only (IF-11).

/** Milliseconds by which the sub-millisecond part may run ahead of the system clock before it is set again. */
const tolerance = 5

/** What a test has put in place of the clocks, in milliseconds. */
let fixedNow: (() => number) | undefined

/** Puts a clock of a test in place of the system's, or takes it away; process-wide. */
export function setClock(now: (() => number) | undefined): void {
  fixedNow = now
}

/** Milliseconds of the clock by which durations of requests, jobs and functions are measured: `performance.now()`. */
export function monotonicNow(): number {
  return fixedNow === undefined ? performance.now() : fixedNow()
}

let offset = Date.now() - performance.now()

/**
 * The wall clock in microseconds since 1970-01-01 UTC. The whole milliseconds are the system clock's, so its
 * corrections are followed; the fraction comes from the monotonic clock. (FA-03)
 * @param monotonic the current `monotonicNow()`, when the caller has it already
 */
export function wallMicroseconds(monotonic: number = monotonicNow()): number {
  if (fixedNow !== undefined) return Math.floor(fixedNow() * 1000)
  const system = Date.now()
  let wall = monotonic + offset
  if (wall < system || wall > system + tolerance) {
    offset = system - monotonic
    wall = system
  } else if (wall >= system + 1) {
    wall = system + 0.999
  }
  return Math.floor(wall * 1000)
}

/** `000` to `999`. A table costs a third of what V8 needs for the text of a number that it has not just made. */
const threeDigits: readonly string[] = Array.from({ length: 1_000 }, (_, n) => String(n).padStart(3, '0'))

/** Microseconds below a second as six digits. */
function sixDigits(microseconds: number): string {
  const thousands = Math.floor(microseconds / 1_000)
  return threeDigits[thousands]! + threeDigits[microseconds - thousands * 1_000]!
}

let renderedSecond = Number.NaN
let renderedPrefix = ''

/**
 * An instant as ISO 8601 in UTC with microseconds and without a zone: `2026-11-20T18:49:02.000123`. Callers add
 * `Z` (audit, IF-21) or `+00:00` (log lines, FA-03). Consecutive calls in one second share the costly part.
 */
export function isoMicroseconds(instant: number): string {
  const second = Math.floor(instant / 1_000_000)
  if (second !== renderedSecond) {
    renderedPrefix = new Date(second * 1000).toISOString().slice(0, 20)
    renderedSecond = second
  }
  return renderedPrefix + sixDigits(Math.floor(instant - second * 1_000_000))
}

/** Seconds to the microsecond from a span of milliseconds, never negative. */
export function toSeconds(milliseconds: number): number {
  return Math.max(0, Math.round(milliseconds * 1000)) / 1_000_000
}

/** Seconds as decimal text with six places, from whole microseconds: `0.001234`. */
export function secondsText(seconds: number): string {
  const microseconds = Math.round(seconds * 1_000_000)
  if (microseconds < 1_000_000) return `0.${sixDigits(microseconds)}`
  const whole = Math.floor(microseconds / 1_000_000)
  return `${whole}.${sixDigits(microseconds - whole * 1_000_000)}`
}
