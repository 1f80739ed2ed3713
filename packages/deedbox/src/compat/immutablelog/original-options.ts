import { type EventKind, eventKinds } from '../../audit/index.ts'
import type { DeedboxOptions } from '../../options.ts'
import { ConfigurationError } from '../../safety/index.ts'

/** Options that hold for a whole service, in the spelling of either original: camel case or snake case. (IF-02, IP-13) */
export interface ServiceOptions {
  /** Default `IMTBL_API_KEY`. An empty one is none: events become log lines, which is said once. */
  readonly apiKey?: string | undefined
  readonly api_key?: string | undefined
  /** Default `IMTBL_URL`, else that of the original service. */
  readonly apiUrl?: string | undefined
  readonly api_url?: string | undefined
  /** Default `IMTBL_SERVICE_NAME`, else `express-service`, `fastify-service`, `nestjs-service` or `node-service`. */
  readonly serviceName?: string | undefined
  readonly service_name?: string | undefined
  /** Another name of `serviceName`. */
  readonly service?: string | undefined
  /** Default `IMTBL_ENV`, else `production`. */
  readonly env?: string | undefined
  /** Paths without event, exact; in Nest's module also those below. Default `/health` and `/healthz`; `[]` skips none. (IF-07) */
  readonly skipPaths?: readonly string[] | undefined
  readonly skip_paths?: readonly string[] | undefined
  /** Anything else that `deedbox()` takes, over what this entry chooses for it. */
  readonly deedbox?: DeedboxOptions | undefined
}

/** What one event may say beside its name and payload. (IP-03) */
export interface EventOptions {
  /** Default `info`. */
  readonly kind?: EventKind | undefined
  /** Default: that of the whole service. */
  readonly service?: string | undefined
  /** Default: that of the whole service. */
  readonly env?: string | undefined
}

/**
 * The spellings of each option, ours first, and what its values have to be: a name of `typeof`'s, `list` (of texts),
 * `kind` (of an event), or `any`.
 */
export type Spellings<Name extends string> = Readonly<
  Record<Name, readonly [kind: string, ...spellings: string[]]>
>

/** {@link ServiceOptions}, each under one spelling. */
export type ServiceSettings = Pick<
  ServiceOptions,
  'apiKey' | 'apiUrl' | 'serviceName' | 'env' | 'skipPaths' | 'deedbox'
>

/** The options of {@link ServiceOptions}. */
export const serviceSpellings: Spellings<keyof ServiceSettings> = {
  apiKey: ['string', 'apiKey', 'api_key'],
  apiUrl: ['string', 'apiUrl', 'api_url'],
  serviceName: ['string', 'serviceName', 'service_name', 'service'],
  env: ['string', 'env'],
  skipPaths: ['list', 'skipPaths', 'skip_paths'],
  deedbox: ['object', 'deedbox'],
}

/**
 * Reads {@link ServiceOptions}.
 * @throws ConfigurationError naming the option at fault
 */
export function readService(options: ServiceOptions, taker: string): ServiceSettings {
  return readOptions(options, serviceSpellings, taker) as ServiceSettings
}

/**
 * Reads options in any of their spellings. `undefined` counts as absent, and so do `null`, which the original's `None`
 * becomes, and an empty text.
 * @param taker what takes them, for the text of an error
 * @returns the given ones, under our spelling
 * @throws ConfigurationError naming the option that is unknown, of the wrong kind, or given twice
 */
export function readOptions<Name extends string>(
  given: unknown,
  spellings: Spellings<Name>,
  taker: string,
): Partial<Record<Name, unknown>> {
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new ConfigurationError(taker, 'takes an object of options.')
  const names = Object.keys(spellings) as Name[]
  const read: Partial<Record<Name, unknown>> = {}
  for (const [spelling, value] of Object.entries(given)) {
    const name = names.find(each => spellings[each].slice(1).includes(spelling))
    if (name === undefined) {
      const known = names.flatMap(each => spellings[each].slice(1)).join(', ')
      throw new ConfigurationError(spelling, `${taker} has no such option. There are: ${known}.`)
    }
    const [kind] = spellings[name]
    if (value === undefined || value === null || (value === '' && kind === 'string')) continue
    if (Object.hasOwn(read, name))
      throw new ConfigurationError(spelling, `another spelling of ${name}, which is given as well. Use one.`)
    if (!isOfKind(value, kind))
      throw new ConfigurationError(spelling, `${called[kind] ?? `a ${kind}`} is needed; this is another.`)
    read[name] = value
  }
  return read
}

const called: Readonly<Record<string, string>> = {
  string: 'a text',
  list: 'a list of texts',
  object: 'an object',
  kind: 'success, info, warning or error',
}

function isOfKind(value: unknown, kind: string): boolean {
  if (kind === 'any') return true
  if (kind === 'kind') return eventKinds.has(value)
  if (kind === 'list') return Array.isArray(value) && value.every(each => typeof each === 'string')
  return typeof value === kind
}
