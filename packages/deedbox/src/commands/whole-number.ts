import { UsageError } from './usage-error.ts'

/**
 * An option that takes a whole number.
 * @throws UsageError
 */
export function wholeNumber(option: string, given: string, least: number, most: number): number {
  const number = /^\d{1,15}$/.test(given) ? Number(given) : Number.NaN
  if (number >= least && number <= most) return number
  throw new UsageError(`${option} takes a whole number from ${least} to ${most}; not "${given}".`)
}
