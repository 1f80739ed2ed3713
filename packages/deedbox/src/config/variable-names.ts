/** The variable of a setting that names none: `databaseUrl` is `DATABASE_URL`, `apiURL2` is `API_URL2`. */
export function variableName(setting: string, prefix: string): string {
  const words = setting
    .replaceAll(/([a-z\d])([A-Z])/g, '$1_$2')
    .replaceAll(/([A-Z])([A-Z][a-z])/g, '$1_$2')
    .replaceAll(/[^A-Za-z\d]+/g, '_')
  return prefix + words.toUpperCase()
}

/** Names with more slips than this are two names. */
const mostSlips = 2

/**
 * The name that was most likely meant: at most two letters wrong, missing, too many or swapped, and no more than a
 * third of the name.
 */
export function nearestName(written: string, names: Iterable<string>): string | undefined {
  let nearest: string | undefined
  let fewest = Math.min(mostSlips, Math.floor(written.length / 3)) + 1
  for (const name of names) {
    if (Math.abs(name.length - written.length) >= fewest) continue
    const slips = slipsBetween(written, name)
    if (slips < fewest) {
      nearest = name
      fewest = slips
    }
  }
  return nearest
}

/** Letters to change, drop, add or swap with their neighbour (optimal string alignment). */
function slipsBetween(a: string, b: string): number {
  let before: number[] = []
  let above = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const isSame = a[i - 1] === b[j - 1]
      let slips = Math.min((above[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (above[j - 1] ?? 0) + (isSame ? 0 : 1))
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1])
        slips = Math.min(slips, (before[j - 2] ?? 0) + 1)
      row.push(slips)
    }
    before = above
    above = row
  }
  return above[b.length] ?? 0
}
