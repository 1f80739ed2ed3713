import { METHODS } from 'node:http'
import type { ScopeRule } from '../request/index.ts'
import { ConfigurationError } from '../safety/index.ts'
import type { Chest } from './chest.ts'

/**
 * Which variables: the names for all methods; or per method, in whatever case, with `*` for those that are not named; nothing
 * means all that were set. (FC-03, FC-04)
 */
export type TrackedVariables<Name extends string = string> =
  | readonly Name[]
  | Readonly<Record<string, readonly Name[]>>

/** How the variables of a route are tracked. The names of the original stand for ours. (FC-02) */
export interface TrackedOptions<Name extends string = string> {
  /** Default: the chests of the instance. (Ruling 24) */
  readonly chests?: readonly Chest[] | undefined
  readonly vars?: TrackedVariables<Name> | undefined
  readonly trackedVars?: TrackedVariables<Name> | undefined
  /** Makes the id that entries carry, cut at 255 characters. Default: the request's. (FC-08) */
  readonly requestId?: (() => unknown) | undefined
  readonly requestIdGenerator?: (() => unknown) | undefined
  /** Whether the response waits until all chests have answered; a failing one is a line. Default `false`. (FC-09) */
  readonly await?: boolean | undefined
  /**
   * The same, and a failing chest fails the request, though its handler has run. The others get their data all the same, and
   * the failing one later, if it can. Default `false`. (FC-11)
   */
  readonly raise?: boolean | undefined
  readonly raiseExceptions?: boolean | undefined
  /**
   * Milliseconds that a response waits for each chest at most; a chest that takes longer counts as failing. Default 5,000.
   */
  readonly timeout?: number | undefined
  /** Whether requests that failed are tracked. Default `true`. (FC-10) */
  readonly includeFailures?: boolean | undefined
}

/** What `tracked` takes. Without a word, and as `{}`, all that is set is tracked. */
export type TrackedInput<Name extends string = string> = TrackedVariables<Name> | TrackedOptions<Name>

/** One rule, checked. */
export interface TrackingRule extends ScopeRule {
  /** `undefined`: those of the instance. */
  readonly chests: readonly Chest[] | undefined
  /** The names for a method (`null`: a job); `undefined` means all, an empty list none. */
  readonly namesFor: (method: string | null) => readonly string[] | undefined
  readonly generateId: (() => unknown) | undefined
  readonly raises: boolean
  /** Milliseconds. */
  readonly timeout: number
  readonly includeFailures: boolean
}

/** Milliseconds. */
const usualTimeout = 5_000
/** Node's timers know no more. */
const longestTimeout = 2 ** 31 - 1

const optionNames: ReadonlySet<string> = new Set([
  'chests',
  'vars',
  'trackedVars',
  'requestId',
  'requestIdGenerator',
  'await',
  'raise',
  'raiseExceptions',
  'timeout',
  'includeFailures',
])

/**
 * Reads what `tracked` was given.
 * @param setting how messages call it
 * @throws ConfigurationError
 */
export function trackingRule(input: TrackedInput | undefined, setting = 'tracked()'): TrackingRule {
  const options = isOptions(input) ? input : { vars: input }
  const vars = either(options, 'vars', 'trackedVars', setting)
  const generateId = either(options, 'requestId', 'requestIdGenerator', setting)
  const raises = either(options, 'raise', 'raiseExceptions', setting) ?? false
  const { chests, timeout = usualTimeout, includeFailures = true } = options
  if (generateId !== undefined && typeof generateId !== 'function')
    throw new ConfigurationError(`${setting}: requestId`, 'a function that makes an id is needed.')
  for (const [name, flag] of Object.entries({
    await: options.await ?? false,
    raise: raises,
    includeFailures,
  }))
    if (typeof flag !== 'boolean')
      throw new ConfigurationError(`${setting}: ${name}`, 'true or false is needed.')
  if (!Number.isInteger(timeout) || timeout < 1 || timeout > longestTimeout)
    throw new ConfigurationError(`${setting}: timeout`, `1 to ${longestTimeout} milliseconds are needed.`)
  if (chests !== undefined) checkChests(chests, `${setting}: chests`)
  return {
    chests,
    namesFor: namesFor(vars, setting),
    generateId: generateId as (() => unknown) | undefined,
    isAwaited: raises || options.await === true,
    raises,
    timeout,
    includeFailures,
  }
}

/**
 * Checks that these are chests, each with an id of its own.
 * @throws ConfigurationError
 */
export function checkChests(chests: unknown, setting: string): void {
  if (!Array.isArray(chests)) throw new ConfigurationError(setting, 'a list of chests is needed.')
  const ids = new Set<string>()
  for (const chest of chests as unknown[]) {
    const { id, write, check, close } = Object(chest) as Record<string, unknown>
    if (typeof id !== 'string' || [write, check, close].some(part => typeof part !== 'function'))
      throw new ConfigurationError(setting, 'this is no chest. Use sqlite(), postgres() or another one.')
    if (ids.has(id))
      throw new ConfigurationError(setting, `there are two chests ${id}. Give one of them a name of its own.`)
    ids.add(id)
  }
}

function isOptions(input: TrackedInput | undefined): input is TrackedOptions {
  if (input === undefined || input === null || Array.isArray(input) || typeof input !== 'object') return false
  const keys = Object.keys(input)
  return keys.length === 0 || keys.some(key => optionNames.has(key))
}

/** One option under either of its names. */
function either<Name extends keyof TrackedOptions, Alias extends keyof TrackedOptions>(
  options: TrackedOptions,
  name: Name,
  alias: Alias,
  setting: string,
): TrackedOptions[Name] | TrackedOptions[Alias] {
  for (const key of Object.keys(options))
    if (!optionNames.has(key))
      throw new ConfigurationError(
        `${setting}: ${key}`,
        `there is no such option. There are: ${[...optionNames].join(', ')}.`,
      )
  if (options[name] !== undefined && options[alias] !== undefined)
    throw new ConfigurationError(setting, `${name} and ${alias} are the same option. Use one of them.`)
  return options[name] ?? options[alias]
}

function namesFor(vars: TrackedVariables | undefined, setting: string): TrackingRule['namesFor'] {
  if (vars === undefined) return () => undefined
  if (Array.isArray(vars)) {
    const names = checkedNames(vars, setting)
    return () => names
  }
  if (typeof vars !== 'object' || vars === null)
    throw new ConfigurationError(setting, 'takes a list of names, or lists by method: { GET: ["user_id"] }.')
  const byMethod = new Map<string, readonly string[]>()
  for (const [method, names] of Object.entries(vars)) {
    const name = method.toUpperCase()
    if (name !== '*' && !METHODS.includes(name))
      throw new ConfigurationError(
        `${setting}: ${method}`,
        'there is no such method of HTTP, and none of the options of tracked() belongs here.',
      )
    byMethod.set(name, checkedNames(names, `${setting}: ${method}`))
  }
  const others = byMethod.get('*') ?? []
  return method => (method === null ? others : (byMethod.get(method.toUpperCase()) ?? others))
}

function checkedNames(names: unknown, setting: string): readonly string[] {
  if (Array.isArray(names) && names.every(name => typeof name === 'string' && name !== ''))
    return [...new Set(names as string[])]
  throw new ConfigurationError(setting, 'a list of names of variables is needed.')
}
