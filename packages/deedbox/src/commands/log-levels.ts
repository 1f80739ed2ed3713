import { type LogLevel, readLevel } from '../log/index.ts'

/** Where the levels of all formats have their place: our levels and their numbers. (FA-04) */
export const levelNumbers: Readonly<Record<LogLevel, number>> = {
  TRACE: 5,
  DEBUG: 10,
  INFO: 20,
  SUCCESS: 25,
  WARNING: 30,
  ERROR: 40,
  CRITICAL: 50,
}

/** A level as a line has it: its name and its place among ours. */
export interface SeenLevel {
  readonly name: string
  readonly number: number
}

/** Names that other loggers use, by ours. */
const otherNames: Readonly<Record<string, number>> = {
  SILLY: levelNumbers.TRACE,
  VERBOSE: levelNumbers.DEBUG,
  NOTICE: levelNumbers.SUCCESS,
  ERR: levelNumbers.ERROR,
  CRIT: levelNumbers.CRITICAL,
  ALERT: levelNumbers.CRITICAL,
  EMERG: levelNumbers.CRITICAL,
  EMERGENCY: levelNumbers.CRITICAL,
  PANIC: levelNumbers.CRITICAL,
}

/** A level by its name. One that nobody knows, a service's own, counts as INFO. */
export function levelOf(text: string): SeenLevel {
  const known = readLevel(text)
  if (known !== undefined) return { name: known, number: levelNumbers[known] }
  const name = text.trim().toUpperCase()
  const number = Object.hasOwn(otherNames, name) ? otherNames[name] : undefined
  return { name, number: number ?? levelNumbers.INFO }
}

/** Names by pino's number divided by ten. */
const pinoNames = ['TRACE', 'TRACE', 'DEBUG', 'INFO', 'WARNING', 'ERROR', 'CRITICAL'] as const
const syslogNames = [
  'CRITICAL',
  'CRITICAL',
  'CRITICAL',
  'ERROR',
  'WARNING',
  'SUCCESS',
  'INFO',
  'DEBUG',
] as const

/** A level by a number: those of pino and bunyan (10 to 60), or a severity of syslog (0 to 7, RFC 5424). */
export function levelOfNumber(number: number): SeenLevel {
  const name = number < 8 ? syslogNames[number] : pinoNames[Math.min(6, Math.floor(number / 10))]
  return name === undefined
    ? { name: String(number), number: levelNumbers.INFO }
    : { name, number: levelNumbers[name] }
}
