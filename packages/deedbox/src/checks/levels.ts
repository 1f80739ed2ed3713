/** The levels of Dockerflow and of Django before it, in rising order. (DF-14) */
export const checkLevels: { readonly [Name in CheckLevelName]: number } = {
  debug: 10,
  info: 20,
  warning: 30,
  error: 40,
  critical: 50,
}

/** The name of a level. (DF-14) */
export type CheckLevelName = 'debug' | 'info' | 'warning' | 'error' | 'critical'

/** How a level is written in a heartbeat. */
export type CheckStatus = 'ok' | CheckLevelName | 'unknown'

const texts = new Map<number, CheckStatus>([
  [0, 'ok'],
  ...Object.entries(checkLevels).map(([name, level]) => [level, name as CheckLevelName] as const),
])

/** The text of a level: `ok` for 0, `unknown` for what none of them is. (DF-14) */
export function levelText(level: number): CheckStatus {
  return texts.get(level) ?? 'unknown'
}

/** The number of a level that is given as one, or by its name; `undefined` for what is neither. */
export function levelNumber(level: unknown): number | undefined {
  if (typeof level === 'number') return Number.isFinite(level) && level >= 0 ? level : undefined
  return typeof level === 'string' && Object.hasOwn(checkLevels, level)
    ? checkLevels[level as CheckLevelName]
    : undefined
}
