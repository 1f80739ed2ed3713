import { inspect } from 'node:util'
import { maskedValues } from './masked-values.ts'
import { type ConfigurationProblem, ConfigurationProblems } from './problems.ts'
import { type Reading, type ReadSetting, readSettingsOf } from './reading.ts'
import type { Config, ConfigShape, ConfigValues } from './setting.ts'

/** What each profile says about the settings where their variables are absent; it goes before the defaults. */
export interface ConfigProfiles<Shape> {
  readonly production?: ConfigValues<Shape>
  readonly development?: ConfigValues<Shape>
  readonly testing?: ConfigValues<Shape>
  /** A profile of the service's own, such as `staging`. */
  readonly [further: string]: ConfigValues<Shape> | undefined
}

/** From where settings are read. */
export interface ConfigOptions<Shape> {
  /** What all variables begin with that name themselves: `ACME_`. Default nothing. */
  readonly prefix?: string
  /** The profile. Default: the variables `ENV` with the prefix, `ENV`, `NODE_ENV`, else `production`. (FA-28) */
  readonly env?: string | undefined
  readonly profiles?: ConfigProfiles<Shape>
  /** Default `process.env`. */
  readonly environment?: Readonly<Record<string, string | undefined>>
  /**
   * A file of variables, read if it is there, and beside it the one of the profile: `.env.testing`. The environment
   * goes before both. Default `.env`, or none for an `environment` of your own; `false` reads none. (FA-31)
   */
  readonly file?: string | false
  /** Whether variables of the files that the process lacks are set in `process.env` too. Default `false`. */
  readonly fillEnvironment?: boolean
  /** Whether a variable with the prefix that nothing reads is an error and not a warning. Default `false`. */
  readonly strict?: boolean
}

/** What a configuration knows about itself. */
interface Facts {
  readonly profile: string
  readonly settings: readonly ReadSetting[]
  readonly warnings: readonly ConfigurationProblem[]
}

/** Under this name a configuration keeps its facts; another copy of this package finds them too. (Ruling 3) */
const factsKey: unique symbol = Symbol.for('deedbox.config.1') as never

/**
 * Reads the settings of a service from its environment. Where the configuration is inspected or written as JSON
 * whole, its secrets are masked.
 * @throws ConfigurationProblems with everything that is wrong
 * @throws TypeError for a shape, default or profile that cannot work in any environment
 */
export function readConfig<const Shape extends ConfigShape>(
  shape: Shape,
  options: ConfigOptions<NoInfer<Shape>> = {},
): Config<Shape> {
  const { prefix = '', environment = process.env, strict = false, fillEnvironment = false } = options
  if (!/^(?:[A-Za-z_]\w*)?$/.test(prefix))
    throw new TypeError(`"${prefix}" cannot begin the name of a variable. Write it like ACME_.`)
  for (const name of ['toJSON', '__proto__'])
    if (Object.hasOwn(shape, name)) throw new TypeError(`A setting cannot be called ${name}.`)
  const ownFile = options.environment === undefined ? '.env' : undefined
  const reading = readSettingsOf({
    shape,
    prefix,
    env: options.env,
    profiles: (options.profiles ?? {}) as Readonly<Record<string, Readonly<Record<string, unknown>>>>,
    environment,
    file: options.file === false ? undefined : (options.file ?? ownFile),
  })
  const problems = strict ? [...reading.problems, ...reading.unknown] : reading.problems
  const { profile } = reading
  if (problems.length > 0 || profile === undefined) throw new ConfigurationProblems(problems, profile)
  if (fillEnvironment) fill(reading)
  const warnings = strict ? [] : reading.unknown
  return configurationOf({ profile, settings: reading.settings, warnings }) as Config<Shape>
}

function configurationOf(facts: Facts): object {
  const config = Object.fromEntries(facts.settings.map(({ key, value }) => [key, value]))
  const masked = (): Record<string, unknown> => maskedValues(facts.settings, ({ key }) => key, {})
  Object.defineProperties(config, {
    [factsKey]: { value: facts },
    toJSON: { value: masked },
    [inspect.custom]: { value: masked },
  })
  return Object.freeze(config)
}

function fill({ fromFiles }: Reading): void {
  for (const [name, value] of Object.entries(fromFiles)) {
    if ((process.env[name] ?? '').trim() === '') process.env[name] = value
  }
}

/**
 * What a configuration knows about itself.
 * @throws TypeError for anything that `readConfig()` did not make
 */
export function factsOf(config: object): Facts {
  const facts: unknown = Reflect.get(config, factsKey)
  if (facts === undefined) throw new TypeError('This takes what readConfig() returned, not a copy of it.')
  return facts as Facts
}

/**
 * The profile that a configuration was read for: `production`, `development`, `testing`, or one of the service's own.
 * @throws TypeError for anything that `readConfig()` did not make
 */
export function profileOf(config: object): string {
  return factsOf(config).profile
}

/**
 * Variables that look as if they were meant for this service but that nothing reads, with the name that may be meant.
 * @throws TypeError for anything that `readConfig()` did not make
 */
export function configWarnings(config: object): readonly ConfigurationProblem[] {
  return factsOf(config).warnings
}
