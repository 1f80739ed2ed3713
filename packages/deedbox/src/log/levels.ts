/** The names that stand on log lines, from the least to the most severe. (FA-04) */
export type LogLevel = 'TRACE' | 'DEBUG' | 'INFO' | 'SUCCESS' | 'WARNING' | 'ERROR' | 'CRITICAL'

/** The number of each level; a line is written when its number is at least the threshold's. (FA-04) */
export const levelNumbers: Readonly<Record<LogLevel, number>> = {
  TRACE: 5,
  DEBUG: 10,
  INFO: 20,
  SUCCESS: 25,
  WARNING: 30,
  ERROR: 40,
  CRITICAL: 50,
}

/** Reads a level name in any case; `WARN` and `FATAL` are understood too. */
export function readLevel(text: string): LogLevel | undefined {
  const name = text.trim().toUpperCase()
  if (name === 'WARN') return 'WARNING'
  if (name === 'FATAL') return 'CRITICAL'
  return Object.hasOwn(levelNumbers, name) ? (name as LogLevel) : undefined
}
