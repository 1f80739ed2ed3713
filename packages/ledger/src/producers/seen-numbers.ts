/**
 * Which numbers of a producer's sequence a ledger holds. A sequence begins at 1. Up to `coarseTo` only their count is
 * known; above it `ranges` has the first and the last number of each run: ascending, apart by at least one number.
 */
export interface SeenNumbers {
  /** 0: every number is known. */
  readonly coarseTo: number
  /** How many numbers of 1 … `coarseTo` were seen, at most that many. */
  readonly coarseSeen: number
  /** First, last, first, last, …, all above `coarseTo`. */
  readonly ranges: readonly number[]
}

/** Numbers that are not there, both ends included. */
export interface Gap {
  from: number
  to: number
}

/** Nothing seen yet. */
export const nothingSeen: SeenNumbers = { coarseTo: 0, coarseSeen: 0, ranges: [] }

/** Runs that are kept apart; what comes before the newest so many is counted only. */
export const mostRuns = 200

/**
 * The same with these numbers seen too, in any order; a number that was seen before changes nothing. Below `coarseTo`
 * nobody knows which were, so there each one counts.
 *
 * @param numbers whole numbers from 1
 * @param most runs to be kept apart
 */
export function addSeen(seen: SeenNumbers, numbers: readonly number[], most: number = mostRuns): SeenNumbers {
  const { coarseTo } = seen
  const added = [...new Set(numbers)].sort((a, b) => a - b)
  const fine = added.filter(number => number > coarseTo)
  const coarse = added.length - fine.length
  const merged: number[] = []
  let next = 0
  const { ranges } = seen
  for (let i = 0; i < ranges.length; i += 2) {
    while (next < fine.length && fine[next]! < ranges[i]!) append(merged, fine[next]!, fine[next++]!)
    append(merged, ranges[i]!, ranges[i + 1]!)
  }
  for (; next < fine.length; next++) append(merged, fine[next]!, fine[next]!)
  return folded({ coarseTo, coarseSeen: Math.min(coarseTo, seen.coarseSeen + coarse), ranges: merged }, most)
}

/** Appends a run that begins no earlier than the last one. */
function append(merged: number[], first: number, last: number): void {
  const end = merged.at(-1)
  if (end === undefined || first > end + 1) merged.push(first, last)
  else if (last > end) merged[merged.length - 1] = last
}

/** Too many runs: of the lowest only the count stays. */
function folded(seen: SeenNumbers, most: number): SeenNumbers {
  const surplus = seen.ranges.length / 2 - most
  if (surplus <= 0) return seen
  let { coarseTo, coarseSeen } = seen
  for (let i = 0; i < surplus * 2; i += 2) {
    coarseSeen += seen.ranges[i + 1]! - seen.ranges[i]! + 1
    coarseTo = seen.ranges[i + 1]!
  }
  return { coarseTo, coarseSeen, ranges: seen.ranges.slice(surplus * 2) }
}

/** The highest number seen; 0 before the first. */
export function highestSeen(seen: SeenNumbers): number {
  return seen.ranges.at(-1) ?? seen.coarseTo
}

/** How many of 1 … `highest` are missing; `highest` is not below the highest seen. */
export function missingOf(seen: SeenNumbers, highest: number): number {
  let held = seen.coarseSeen
  for (let i = 0; i < seen.ranges.length; i += 2) held += seen.ranges[i + 1]! - seen.ranges[i]! + 1
  return Math.max(0, Math.max(highest, highestSeen(seen)) - held)
}

/** The gaps above `coarseTo` and up to `highest`, in order. */
export function gapsOf(seen: SeenNumbers, highest: number): Gap[] {
  const gaps: Gap[] = []
  let end = seen.coarseTo
  for (let i = 0; i < seen.ranges.length; i += 2) {
    if (seen.ranges[i]! > end + 1) gaps.push({ from: end + 1, to: seen.ranges[i]! - 1 })
    end = seen.ranges[i + 1]!
  }
  if (highest > end) gaps.push({ from: end + 1, to: highest })
  return gaps
}
