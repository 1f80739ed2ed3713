import { checkLevels } from '../checks/index.ts'

/** The level of the log on which a message of a check is written. (DF-22) */
export function levelLogName(level: number): string {
  if (level >= checkLevels.critical) return 'CRITICAL'
  if (level >= checkLevels.error) return 'ERROR'
  if (level >= checkLevels.warning) return 'WARNING'
  return level >= checkLevels.info ? 'INFO' : 'DEBUG'
}
