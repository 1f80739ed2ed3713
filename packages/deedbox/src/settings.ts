import { type LedgerClient, longestQuotaPause, type SpoolChoice } from './audit/index.ts'
import { type AuditModeSettings, readAuditModes } from './audit-settings.ts'
import { type LogSettings, readLogSettings } from './log-settings.ts'
import { checkOptions } from './option-shapes.ts'
import type { AuditOptions, DeedboxOptions, LedgerOption } from './options.ts'
import {
  clientAddressResolver,
  createIdGenerator,
  defaultSkipPaths,
  type IdGenerator,
  propagationTest,
  type SkipPath,
  skipTest,
  type TrustProxy,
} from './request/index.ts'
import { ConfigurationError, createRedactor, findVariable } from './safety/index.ts'
import { readSpool } from './spool-settings.ts'
import { readTracking, type TrackingSettings } from './tracking-settings.ts'

/** A ledger over HTTP, checked. */
export interface RemoteLedger {
  readonly url: string
  readonly apiKey: string
  readonly batches?: boolean
}

/** Options with defaults and variables applied, and checked. */
export interface Settings {
  readonly service: string
  readonly env: string
  readonly ledger: LedgerClient | Promise<LedgerClient> | RemoteLedger | null
  /** Where events survive the death of the process; `undefined` for memory alone. */
  readonly spool: SpoolChoice | undefined
  readonly verifierKey: string | undefined
  readonly tracking: TrackingSettings
  readonly audit: AuditModeSettings
  readonly skipPaths: readonly SkipPath[]
  readonly trustProxy: TrustProxy
  readonly log: LogSettings
  readonly idGenerator: IdGenerator
  readonly idHeader: string
  readonly summaryQuery: boolean
}

type Environment = Readonly<Record<string, string | undefined>>

/** The service of which ImmutableLog keys are for, when no URL is given. (IF-03) */
const immutableLogUrl = 'https://api.immutablelog.com'

/**
 * Applies defaults and variables, and checks everything that can be wrong before the first request.
 * @throws ConfigurationError
 */
export function readSettings(options: DeedboxOptions, environment: Environment): Settings {
  checkOptions(options)
  const env = nonEmpty(options.env, 'env') ?? readEnv(environment)
  const trustProxy = options.trustProxy ?? readTrustProxy(environment)
  guard('trustProxy', () => clientAddressResolver(trustProxy))
  guard('propagate', () => propagationTest(options.propagate ?? false))
  guard('skipPaths', () => skipTest(options.skipPaths ?? []))
  guard('skipMethods', () => skipTest([], options.skipMethods))
  guard('redact', () => createRedactor(options.redact))
  const idGenerator = options.requestId?.generator ?? readIdGenerator(environment)
  guard('requestId.generator', () => createIdGenerator(idGenerator, () => {}))
  oneOf('requestId.inbound', options.requestId?.inbound, ['trust', 'replace', 'prefix'])
  oneOf('log.offset', options.log?.offset, ['utc', 'local'])
  oneOf('log.mozlog.personal', options.log?.mozlog?.personal, ['keep', 'omit'])
  oneOf('eventNames', options.eventNames, ['route', 'path'])
  oneOf('processErrors', options.processErrors, ['log', 'adopt', 'off'])
  checkAudit(options.audit ?? {})
  const ledger = readLedger(options.ledger, environment)
  const spool = readSpool(options.audit ?? {}, environment)
  return {
    service: nonEmpty(options.service, 'service') ?? readService(environment),
    env,
    ledger,
    audit: readAuditModes(options.audit ?? {}, environment, ledger !== null),
    spool: options.audit?.durability === 'memory' ? undefined : spool,
    tracking: readTracking(options, spool),
    verifierKey: readVerifierKey(options.audit?.verifierKey, environment),
    skipPaths: options.skipPaths ?? defaultSkipPaths,
    trustProxy,
    log: readLogSettings(options.log ?? {}, environment, env),
    idGenerator,
    idHeader: readIdHeader(options.requestId?.header, environment),
    summaryQuery: options.log?.summaryQuery ?? readFlag(environment, 'DOCKERFLOW_SUMMARY_LOG_QUERYSTRING'),
  }
}

/** How the three environments are called for short in `ENV` and `NODE_ENV`. */
const shortNames: Readonly<Record<string, string>> = {
  dev: 'development',
  test: 'testing',
  prod: 'production',
}

/** The name of the service by its variables. */
export function readService(environment: Environment): string {
  return findVariable(environment, ['DEEDBOX_SERVICE', 'IMTBL_SERVICE_NAME'])?.value ?? 'node-service'
}

/** The name of the environment by its variables. */
export function readEnv(environment: Environment): string {
  const own = findVariable(environment, ['DEEDBOX_ENV', 'IMTBL_ENV'])?.value
  const name = own ?? findVariable(environment, ['ENV', 'NODE_ENV'])?.value ?? 'production'
  const known =
    own === undefined ? (shortNames[name.toLowerCase()] ?? name.toLowerCase()) : name.toLowerCase()
  return known === 'production' || known === 'development' || known === 'testing' ? known : name
}

function readIdGenerator(environment: Environment): IdGenerator {
  const variable = findVariable(environment, ['REQUEST_ID_LENGTH'])
  if (variable === undefined) return 'uuid4'
  if (!/^\d{1,2}$/.test(variable.value) || Number(variable.value) < 4 || Number(variable.value) > 96) {
    throw new ConfigurationError(
      variable.name,
      `"${variable.value}" is no number of bytes. Use one from 4 to 96.`,
    )
  }
  return `base64url-${Number(variable.value)}`
}

function readFlag(environment: Environment, name: string): boolean {
  const value = findVariable(environment, [name])?.value.toLowerCase()
  if (value === undefined || ['0', 'false', 'no', 'off'].includes(value)) return false
  if (['1', 'true', 'yes', 'on'].includes(value)) return true
  throw new ConfigurationError(name, `"${value}" is neither yes nor no. Use true or false.`)
}

function readIdHeader(option: string | undefined, environment: Environment): string {
  const variable = findVariable(environment, [
    'DEEDBOX_REQUEST_ID_HEADER',
    'DOCKERFLOW_REQUEST_ID_HEADER_NAME',
  ])
  const own = nonEmpty(option, 'requestId.header')
  const header = own ?? variable?.value ?? 'X-Request-Id'
  if (/^[!#$%&'*+.^_`|~0-9a-z-]+$/i.test(header)) return header
  const setting = own === undefined ? (variable?.name ?? 'requestId.header') : 'requestId.header'
  throw new ConfigurationError(setting, `"${header}" is no name of a header. Write it like X-Request-Id.`)
}

function readTrustProxy(environment: Environment): TrustProxy {
  const variable = findVariable(environment, ['DEEDBOX_TRUST_PROXY'])
  if (variable === undefined) return false
  const { name, value } = variable
  if (value === 'true' || value === 'false') return value === 'true'
  const trust = /^\d+$/.test(value) ? Number(value) : value
  guard(name, () => clientAddressResolver(trust))
  return trust
}

/**
 * The ledger of an instance.
 * @throws ConfigurationError
 */
export function readLedger(option: DeedboxOptions['ledger'], environment: Environment): Settings['ledger'] {
  if (option === null) return null
  if (option !== undefined && typeof option !== 'object') {
    throw new ConfigurationError(
      'ledger',
      'this is no ledger. Use { url, apiKey }, a ledger opened in this process, or null.',
    )
  }
  if (option !== undefined && isClient(option)) return option
  const urlVariable = findVariable(environment, ['DEEDBOX_URL', 'IMTBL_URL'])
  const keyVariable = findVariable(environment, ['DEEDBOX_API_KEY', 'IMTBL_API_KEY'])
  const ownUrl = nonEmpty(option?.url, 'ledger.url')
  const ownKey = nonEmpty(option?.apiKey, 'ledger.apiKey')
  const url = ownUrl ?? urlVariable?.value
  const apiKey = ownKey ?? keyVariable?.value
  const urlName = ownUrl === undefined ? (urlVariable?.name ?? 'DEEDBOX_URL') : 'ledger.url'
  const keyName = ownKey === undefined ? (keyVariable?.name ?? 'DEEDBOX_API_KEY') : 'ledger.apiKey'
  if (apiKey === undefined) {
    if (url === undefined) return null
    throw new ConfigurationError(
      keyName,
      `missing, although ${urlName} is set. Set the key, or remove the URL.`,
    )
  }
  if (!/^[\x21-\x7e]+$/.test(apiKey)) {
    throw new ConfigurationError(
      keyName,
      'the key holds characters that no key has. Check for a copied blank or quote.',
    )
  }
  const isOurs = apiKey.startsWith('deed_')
  if (url === undefined && isOurs) {
    throw new ConfigurationError(
      'DEEDBOX_URL',
      `missing. ${keyName} is the key of a Deedbox ledger; set that ledger's URL.`,
    )
  }
  const target = readUrl(url ?? immutableLogUrl, urlName)
  if (isOurs && /(?:^|\.)immutablelog\.com\.?$/.test(target.hostname)) {
    throw new ConfigurationError(
      urlName,
      `${keyName} is the key of a Deedbox ledger and is not sent to ${target.hostname}.`,
    )
  }
  const { batches } = option ?? {}
  if (batches !== undefined && typeof batches !== 'boolean')
    throw new ConfigurationError('ledger.batches', 'true or false is needed.')
  return { url: target.href, apiKey, ...(batches === undefined ? {} : { batches }) }
}

/** Its form alone is looked at here: the rest is read when the first receipt is checked. */
function readVerifierKey(option: string | undefined, environment: Environment): string | undefined {
  const variable = findVariable(environment, ['DEEDBOX_VERIFIER_KEY'])
  const own = nonEmpty(option, 'audit.verifierKey')
  const key = (own ?? variable?.value)?.trim()
  if (key === undefined || /^[^\s+]+\+[0-9a-f]{8}\+[A-Za-z0-9+/=]+$/.test(key)) return key
  throw new ConfigurationError(
    own === undefined ? 'DEEDBOX_VERIFIER_KEY' : 'audit.verifierKey',
    'this is no verifier key. It looks like ledger.example/acme+f1d8e151+AQOh…; the ledger prints its own at start.',
  )
}

function readUrl(text: string, name: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || (url.protocol !== 'https:' && url.protocol !== 'http:')) {
    throw new ConfigurationError(
      name,
      'this is no http or https URL. Write it like https://ledger.example.com.',
    )
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new ConfigurationError(
      name,
      'a ledger URL has no user, password, query or fragment; the key is set apart.',
    )
  }
  return url
}

function isClient(option: LedgerOption): option is LedgerClient | Promise<LedgerClient> {
  return 'then' in option || 'appendBatch' in option
}

function oneOf(setting: string, value: string | undefined, allowed: readonly string[]): void {
  if (value === undefined || allowed.includes(value)) return
  throw new ConfigurationError(setting, `"${value}" is unknown. Use ${allowed.join(', ')}.`)
}

function guard(setting: string, check: () => unknown): void {
  try {
    check()
  } catch (error) {
    throw new ConfigurationError(setting, error instanceof Error ? error.message : String(error))
  }
}

function checkAudit({ capacity, linger, timeout, holdTimeout, quotaPause, backoff }: AuditOptions): void {
  if (capacity !== undefined) inRange('audit.capacity', capacity, 'events', 1, 10_000_000)
  if (linger !== undefined) inRange('audit.linger', linger, 'milliseconds', 0, 60_000)
  if (timeout !== undefined) inRange('audit.timeout', timeout, 'milliseconds', 1, 600_000)
  if (holdTimeout !== undefined) inRange('audit.holdTimeout', holdTimeout, 'milliseconds', 1, 600_000)
  if (quotaPause !== undefined) inRange('audit.quotaPause', quotaPause, 'milliseconds', 1, longestQuotaPause)
  if (backoff === undefined) return
  inRange('audit.backoff.base', backoff?.base, 'milliseconds', 1, 3_600_000)
  inRange('audit.backoff.cap', backoff?.cap, 'milliseconds', 1, 3_600_000)
}

function inRange(setting: string, value: unknown, unit: string, least: number, most: number): void {
  if (Number.isInteger(value) && Number(value) >= least && Number(value) <= most) return
  const given = typeof value === 'number' ? String(value) : typeof value
  throw new ConfigurationError(
    setting,
    `a whole number of ${unit} from ${least} to ${most} is needed; this is ${given}.`,
  )
}

function nonEmpty(text: string | undefined, setting: string): string | undefined {
  if (text === undefined) return undefined
  if (typeof text !== 'string') throw new ConfigurationError(setting, 'this is no text.')
  return text.trim() === '' ? undefined : text
}
