import {
  compileFilter,
  formatNames,
  LevelScale,
  type LogFormat,
  type SinkSetup,
  type SourceMode,
  setupOf,
  Thresholds,
} from './log/index.ts'
import type { LogOptions } from './options.ts'
import { ConfigurationError, findVariable } from './safety/index.ts'

/** How an instance logs, with defaults and variables applied, and checked. */
export interface LogSettings {
  readonly scale: LevelScale
  readonly thresholds: Thresholds
  /** `undefined` where it was not set: flat, and in development pretty. */
  readonly format: LogFormat | undefined
  readonly sinks: readonly SinkSetup[]
  readonly source: SourceMode
}

type Environment = Readonly<Record<string, string | undefined>>

const sourceModes: readonly SourceMode[] = ['always', 'warn', 'never']

/**
 * Reads how an instance logs. Options win over variables.
 * @param env the name of the environment
 * @throws ConfigurationError
 */
export function readLogSettings(options: LogOptions, environment: Environment, env: string): LogSettings {
  const scale = attempt('log.ownLevels', () => new LevelScale(options.ownLevels))
  const format = readFormat(options.format, environment)
  const sinks = readSinks(options, environment, format)
  for (const { level, filter } of sinks) {
    if (level !== undefined) numberOf(scale, 'log.sinks', level)
    if (filter !== undefined) attempt('log.sinks', () => compileFilter(filter, scale))
  }
  return {
    scale,
    thresholds: new Thresholds(
      readLevel(options.level, environment, env, scale),
      readLevels(options.levels, environment, scale),
    ),
    format,
    sinks,
    source: readSource(options.source, environment),
  }
}

function readLevel(
  option: string | undefined,
  environment: Environment,
  env: string,
  scale: LevelScale,
): number {
  if (option !== undefined) return numberOf(scale, 'log.level', option)
  const variable = findVariable(environment, ['DEEDBOX_LOG_LEVEL', 'LOG_LEVEL'])
  if (variable !== undefined) return numberOf(scale, variable.name, variable.value)
  return numberOf(scale, 'log.level', env === 'development' || env === 'testing' ? 'DEBUG' : 'INFO')
}

/** Levels by the names of loggers, from `DEEDBOX_LOG_LEVELS` (`db=DEBUG,db.pool=ERROR`) and over them the option's. */
function readLevels(
  option: LogOptions['levels'],
  environment: Environment,
  scale: LevelScale,
): ReadonlyMap<string, number> {
  const levels = new Map<string, number>()
  const variable = findVariable(environment, ['DEEDBOX_LOG_LEVELS'])
  for (const pair of variable?.value.split(',') ?? []) {
    const [name = '', level, ...rest] = pair.split('=').map(part => part.trim())
    if (name === '' || level === undefined || rest.length > 0)
      throw new ConfigurationError(
        'DEEDBOX_LOG_LEVELS',
        'write pairs of logger and level: db=DEBUG,http=ERROR.',
      )
    levels.set(name, numberOf(scale, 'DEEDBOX_LOG_LEVELS', level))
  }
  for (const [name, level] of Object.entries(option ?? {}))
    levels.set(name, numberOf(scale, `log.levels.${name}`, level))
  return levels
}

function numberOf(scale: LevelScale, setting: string, text: string): number {
  const number = scale.numberOf(scale.read(String(text)) ?? '')
  if (number !== undefined) return number
  const [last, ...others] = [...scale.names].reverse()
  throw new ConfigurationError(
    setting,
    `"${text}" is no level. Use ${others.reverse().join(', ')} or ${last}.`,
  )
}

function readFormat(option: LogFormat | undefined, environment: Environment): LogFormat | undefined {
  const variable = findVariable(environment, ['DEEDBOX_LOG_FORMAT'])
  const format = option ?? variable?.value.toLowerCase()
  if (format === undefined) return undefined
  if (typeof format === 'function' || formatNames.some(name => name === format)) return format as LogFormat
  throw new ConfigurationError(
    option === undefined ? 'DEEDBOX_LOG_FORMAT' : 'log.format',
    `"${String(format)}" is unknown. Use ${formatNames.join(', ')}.`,
  )
}

function readSinks(
  options: LogOptions,
  environment: Environment,
  format: LogFormat | undefined,
): readonly SinkSetup[] {
  const { sink, sinks } = options
  if (sink !== undefined && sinks !== undefined)
    throw new ConfigurationError(
      'log.sinks',
      'log.sink is set as well. Put it into the list, or leave it out.',
    )
  const variable = findVariable(environment, ['DEEDBOX_LOG_SINK'])
  // Mozilla's tools read standard output. (DF-51)
  const usual = variable?.value ?? (format === 'mozlog' ? 'stdout' : 'stderr')
  const setups = (sinks ?? [sink ?? (usual as 'stderr')]).map(setupOf)
  for (const { to, format: own } of setups) {
    if (own !== undefined) readFormat(own, {})
    checkTarget(sinks === undefined && sink === undefined ? 'DEEDBOX_LOG_SINK' : 'log.sink', to)
  }
  return setups
}

function checkTarget(setting: string, to: unknown): void {
  if (to === 'stderr' || to === 'stdout' || typeof to === 'function') return
  if (typeof to === 'string') throw new ConfigurationError(setting, `"${to}" is unknown. Use stderr, stdout.`)
  if (typeof to === 'object' && to !== null && typeof Reflect.get(to, 'write') === 'function') return
  throw new ConfigurationError(
    setting,
    'this takes stderr, stdout, a function of a line, or { write(line) }.',
  )
}

function readSource(option: SourceMode | undefined, environment: Environment): SourceMode {
  const variable = findVariable(environment, ['DEEDBOX_LOG_SOURCE'])
  const mode = option ?? variable?.value.toLowerCase() ?? 'always'
  const known = sourceModes.find(each => each === mode)
  if (known !== undefined) return known
  throw new ConfigurationError(
    option === undefined ? 'DEEDBOX_LOG_SOURCE' : 'log.source',
    `"${mode}" is unknown. Use ${sourceModes.join(', ')}.`,
  )
}

function attempt<Value>(setting: string, work: () => Value): Value {
  try {
    return work()
  } catch (error) {
    throw new ConfigurationError(setting, error instanceof Error ? error.message : String(error))
  }
}
