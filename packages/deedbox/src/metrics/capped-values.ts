/** Where all values go for which there is no room. */
export const otherValue = 'other'

/**
 * The values of one label, of which there are only so many: each of them is a time series for whoever stores them.
 * (Gap 8)
 * @param most how many there are at most, beside `other`
 * @param onFull told once, when the first value finds no room
 * @returns what stands for a value: itself, or `other`
 */
export function cappedValues(most: number, onFull: () => void): (value: string) => string {
  const known = new Set<string>()
  let isTold = false
  return value => {
    if (known.has(value)) return value
    if (known.size < most) {
      known.add(value)
      return value
    }
    if (!isTold) onFull()
    isTold = true
    return otherValue
  }
}
