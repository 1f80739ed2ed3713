import { type LogLevel, levelNumbers } from '../log/index.ts'

/** A level as a line has it: its name and its place among ours. */
export interface SeenLevel {
  readonly name: string
  readonly number: number
}

/** Names that other loggers use, and what they mean among ours. */
const otherNames: Readonly<Record<string, LogLevel>> = {
  WARN: 'WARNING',
  FATAL: 'CRITICAL',
  SILLY: 'TRACE',
  VERBOSE: 'DEBUG',
  NOTICE: 'SUCCESS',
  ERR: 'ERROR',
  CRIT: 'CRITICAL',
  ALERT: 'CRITICAL',
  EMERG: 'CRITICAL',
  EMERGENCY: 'CRITICAL',
  PANIC: 'CRITICAL',
}

/**
 * A level by its name. One that nobody knows, a service's own, has the number that its line says, else counts as INFO.
 */
export function levelOf(text: string, number: number = levelNumbers.INFO): SeenLevel {
  const name = text.trim().toUpperCase()
  if (Object.hasOwn(levelNumbers, name)) return { name, number: levelNumbers[name as LogLevel] }
  const other = Object.hasOwn(otherNames, name) ? otherNames[name] : undefined
  return other === undefined ? { name, number } : { name: other, number: levelNumbers[other] }
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
