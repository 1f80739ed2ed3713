/** The value below which the given share of the values lies, between neighbours by straight line; NaN of none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort()
  const at = (sorted.length - 1) * share
  const below = sorted[Math.floor(at)] ?? Number.NaN
  const above = sorted[Math.ceil(at)] ?? Number.NaN
  return below + (above - below) * (at - Math.floor(at))
}

/** Median, lowest and highest. */
export interface Spread {
  median: number
  lowest: number
  highest: number
}

/** What the rounds of one measurement came to. */
export function spread(values: readonly number[]): Spread {
  return { median: quantile(values, 0.5), lowest: quantile(values, 0), highest: quantile(values, 1) }
}

/** Ours by theirs, round by round: what disturbs the machine in one round disturbs both. */
export function pairedRatios(ours: readonly number[], theirs: readonly number[]): number[] {
  return ours.slice(0, theirs.length).map((value, round) => value / theirs[round]!)
}
