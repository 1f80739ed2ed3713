import { ConfigurationError } from '../safety/index.ts'
import type { ChestLogger, ChestQueueOptions } from '../tracking/index.ts'

/** What all chests of this package take. */
export interface ChestOptions extends ChestQueueOptions {
  /** Stands in the chest's id. Each chest has a default of its own. (FC-15) */
  readonly name?: string | undefined
  /** Kept with each entry; in InfluxDB, tags of its points. The original's name stands for it too. (FC-25) */
  readonly tags?: Readonly<Record<string, string>> | undefined
  readonly customTags?: Readonly<Record<string, string>> | undefined
  /** Told of each write at DEBUG and of each failure at WARN. Default: nobody. (Ruling 25) */
  readonly logger?: ChestLogger | null | undefined
}

/** What a chest is made of, beside what its place needs. */
export interface ChestParts {
  readonly queue: ChestQueueOptions
  readonly logger: ChestLogger | undefined
  readonly tags: Readonly<Record<string, string>>
}

const sharedOptions = ['name', 'tags', 'customTags', 'logger', 'durable', 'capacity', 'batch', 'linger']

/**
 * Reads the options that all chests take.
 * @param taker how messages call the chest: `sqlite()`
 * @param ownOptions the names of the options that only this kind of chest takes
 * @throws ConfigurationError naming the option at fault
 */
export function chestParts(taker: string, options: ChestOptions, ownOptions: readonly string[]): ChestParts {
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw new ConfigurationError(taker, 'takes an object of options.')
  const known = [...sharedOptions, ...ownOptions]
  for (const option of Object.keys(options))
    if (!known.includes(option))
      throw new ConfigurationError(
        `${taker}: ${option}`,
        `there is no such option. There are: ${known.join(', ')}.`,
      )
  const { durable, capacity, batch, linger, logger } = options
  if (durable !== undefined && typeof durable !== 'boolean')
    throw new ConfigurationError(`${taker}: durable`, 'true or false is needed.')
  checkWhole(`${taker}: capacity`, capacity, 1, 10_000_000)
  checkWhole(`${taker}: batch`, batch, 1, 10_000)
  checkWhole(`${taker}: linger`, linger, 0, 60_000)
  return {
    queue: { durable, capacity, batch, linger },
    logger: checkedLogger(`${taker}: logger`, logger),
    tags: checkedTags(taker, options),
  }
}

/**
 * Checks an option that is a whole number; `undefined` is none.
 * @throws ConfigurationError
 */
export function checkWhole(setting: string, value: unknown, least: number, most: number): void {
  if (value === undefined) return
  if (!Number.isInteger(value) || Number(value) < least || Number(value) > most)
    throw new ConfigurationError(setting, `a whole number from ${least} to ${most} is needed.`)
}

/**
 * The name that stands in a chest's id.
 * @param setting how messages call it: `csv(): name`
 * @param usual stands for none
 * @throws ConfigurationError
 */
export function checkedName(setting: string, name: unknown, usual: string): string {
  if (name === undefined) return usual
  if (typeof name === 'string' && name !== '') return name
  throw new ConfigurationError(setting, 'a text is needed.')
}

/**
 * A logger that was given; `undefined` for none.
 * @throws ConfigurationError
 */
export function checkedLogger(setting: string, logger: unknown): ChestLogger | undefined {
  if (logger === undefined || logger === null) return undefined
  const { debug, warn } = Object(logger) as Record<string, unknown>
  if (typeof debug === 'function' && typeof warn === 'function') return logger as ChestLogger
  throw new ConfigurationError(setting, 'a logger with debug() and warn() is needed, or null.')
}

function checkedTags(taker: string, { tags, customTags }: ChestOptions): Readonly<Record<string, string>> {
  if (tags !== undefined && customTags !== undefined)
    throw new ConfigurationError(taker, 'tags and customTags are the same option. Use one of them.')
  const setting = `${taker}: ${customTags === undefined ? 'tags' : 'customTags'}`
  const given: unknown = tags ?? customTags ?? {}
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new ConfigurationError(setting, 'texts by name are needed: { app: "shop" }.')
  for (const [name, text] of Object.entries(given))
    if (name === '' || typeof text !== 'string')
      throw new ConfigurationError(setting, 'texts by name are needed: { app: "shop" }.')
  return { ...(given as Record<string, string>) }
}
