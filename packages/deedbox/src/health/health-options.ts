import { existsSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import {
  type Check,
  type CheckFunction,
  type CheckLevelName,
  checkLevels,
  levelNumber,
  toCheck,
} from '../checks/index.ts'
import { ConfigurationError, findVariable } from '../safety/index.ts'
import type { HealthRequest } from './answers.ts'
import type { MetricsSource } from './metrics-endpoint.ts'
import type { VersionFunction } from './version-endpoint.ts'

/** Who sees what checks found: everybody, who has the token, or nobody. (DF-10) */
export type Audience = 'always' | 'authorised' | 'never'

/** How `health()` answers. Everything has a default; options win over variables. */
export interface HealthOptions {
  /** Checks, or functions with a name; they are registered with `box.checks`. Several `health()` may be given the same. */
  readonly checks?: readonly (Check | CheckFunction)[] | undefined
  /**
   * Modules whose exports are checks, imported by the first call of the heartbeat: `./checks/db.js`, relative to the working
   * directory; `./checks.js#database` for one export; a package. Default `DEEDBOX_CHECKS`, else `DOCKERFLOW_CHECKS`, a list
   * with commas. (DF-29)
   */
  readonly checkModules?: readonly string[] | undefined
  /**
   * Who sees the messages of checks. Default `always` in development, else `authorised`: who sends
   * `Authorization: Bearer <token>`. (DF-10)
   */
  readonly details?: Audience | undefined
  /** At least 16 visible ASCII characters. Default `DEEDBOX_HEALTH_TOKEN`. Without one nobody is authorised. */
  readonly token?: string | undefined
  /**
   * Says who is authorised beside those who have the token, for services that have keys of their own. It may be async; who
   * it does not say `true` to is not, and nobody is where it throws, rejects or takes longer than `timeout`.
   */
  readonly authorise?: ((request: HealthRequest) => boolean | Promise<boolean>) | undefined
  /** Serves them under `/metrics`: `metrics(box)` of `deedbox/metrics`. Without it there is no such path. */
  readonly metrics?: MetricsSource | undefined
  /** From which level on the heartbeat fails. Default `error`; `warning` is how Dockerflow was once. (DF-08, ruling 27) */
  readonly failLevel?: CheckLevelName | undefined
  /** The status of a heartbeat that fails, 500 to 599. Default `DOCKERFLOW_HEARTBEAT_FAILED_STATUS_CODE`, else 500. (DF-09) */
  readonly failedStatus?: number | string | undefined
  /** Ids of messages that do not count; they are logged all the same. Default `DEEDBOX_SILENCED_CHECKS`, a list with commas. (DF-21) */
  readonly silenced?: readonly string[] | undefined
  /**
   * Milliseconds that a check may take. Default 3,000. This and the next three are those of the instance's first `health()`;
   * a later one leaves them out, or says the same. (DF-13)
   */
  readonly timeout?: number | undefined
  /** Milliseconds that all checks may take. Default 5,000. (DF-13) */
  readonly deadline?: number | undefined
  /** Milliseconds for which results answer later calls as well. Default 1,000; 0 for none. (DF-13) */
  readonly cache?: number | undefined
  /** Whether the heartbeat shows the state of this package's own parts. Default `true`. (Gap 12) */
  readonly ownChecks?: boolean | undefined
  /**
   * The folder of `version.json`. Default `APP_DIR`, `/app`, the folder of the nearest `package.json`. (DF-03)
   *
   * `DOCKERFLOW_VERSION` stands in the place of the file's `version`, and alone where there is no file.
   */
  readonly versionPath?: string | undefined
  /** Gives the version object in place of the file, given the folder; nothing where there is none. (DF-04) */
  readonly version?: VersionFunction | undefined
  /**
   * Who may call `/__error__`, which fails on purpose so that monitoring can be tried: with `authorised` who has the
   * token. At most once in ten seconds. Default `never`: there is no such path. (DF-11, gap 13)
   */
  readonly error?: Audience | undefined
}

/** Options with defaults and variables applied, and checked. */
export interface HealthSettings {
  readonly checks: readonly Check[]
  readonly checkModules: readonly string[]
  readonly details: Audience
  readonly token: string | undefined
  readonly authorise: HealthOptions['authorise']
  readonly metrics: MetricsSource | undefined
  readonly failLevel: number
  readonly failedStatus: number
  readonly silenced: ReadonlySet<string>
  readonly timeout: number
  readonly deadline: number
  readonly cache: number
  readonly ownChecks: boolean
  readonly versionFolder: string
  /** In the place of the version that the file names. */
  readonly versionName: string | undefined
  readonly version: VersionFunction | undefined
  readonly error: Audience
}

type Environment = Readonly<Record<string, string | undefined>>

const shapes: Readonly<Record<keyof HealthOptions, keyof typeof called>> = {
  checks: 'list',
  checkModules: 'texts',
  details: 'audience',
  token: 'text',
  authorise: 'function',
  metrics: 'object',
  failLevel: 'text',
  failedStatus: 'status',
  silenced: 'texts',
  timeout: 'number',
  deadline: 'number',
  cache: 'number',
  ownChecks: 'flag',
  versionPath: 'text',
  version: 'function',
  error: 'audience',
}

const called = {
  list: 'a list',
  texts: 'a list of texts',
  text: 'a text',
  number: 'a number',
  status: 'a status from 500 to 599',
  flag: 'true or false',
  function: 'a function',
  object: 'an object',
  audience: 'a text (always, authorised or never)',
} as const

const fits: Readonly<Record<keyof typeof called, (value: unknown) => boolean>> = {
  list: Array.isArray,
  texts: value => Array.isArray(value) && value.every(each => typeof each === 'string'),
  text: value => typeof value === 'string',
  number: value => typeof value === 'number',
  status: value => typeof value === 'number' || typeof value === 'string',
  flag: value => typeof value === 'boolean',
  function: value => typeof value === 'function',
  object: value => typeof value === 'object',
  audience: value => typeof value === 'string',
}

/**
 * Applies defaults and variables, and checks everything that can be wrong before the first request.
 * @throws ConfigurationError naming the option or variable at fault
 */
export function readHealth(options: HealthOptions, environment: Environment, env: string): HealthSettings {
  checkShapes(options)
  return {
    checks: (options.checks ?? []).map(toCheck),
    checkModules:
      readModules(options.checkModules) ?? listOf(environment, ['DEEDBOX_CHECKS', 'DOCKERFLOW_CHECKS']),
    details: audience('details', options.details) ?? (env === 'development' ? 'always' : 'authorised'),
    token: readToken(options.token, environment),
    authorise: options.authorise,
    metrics: readMetricsSource(options.metrics),
    failLevel: readFailLevel(options.failLevel),
    failedStatus: readFailedStatus(options.failedStatus, environment),
    silenced: new Set(options.silenced ?? listOf(environment, ['DEEDBOX_SILENCED_CHECKS'])),
    timeout: milliseconds('timeout', options.timeout, 1) ?? 3_000,
    deadline: milliseconds('deadline', options.deadline, 1) ?? 5_000,
    cache: milliseconds('cache', options.cache, 0) ?? 1_000,
    ownChecks: options.ownChecks ?? true,
    versionFolder: versionFolder(options.versionPath, environment),
    versionName: findVariable(environment, ['DOCKERFLOW_VERSION'])?.value,
    version: options.version,
    error: audience('error', options.error) ?? 'never',
  }
}

function checkShapes(options: HealthOptions): void {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new ConfigurationError('health()', 'takes what deedbox() returned and an object of options.')
  }
  for (const [name, value] of Object.entries(options)) {
    const shape = Object.hasOwn(shapes, name) ? shapes[name as keyof HealthOptions] : undefined
    if (shape === undefined) {
      throw new ConfigurationError(
        name,
        `there is no such option. There are: ${Object.keys(shapes).join(', ')}.`,
      )
    }
    if (value === undefined) continue
    if (!fits[shape](value)) throw new ConfigurationError(name, `${called[shape]} is needed.`)
  }
}

function audience(name: string, given: Audience | undefined): Audience | undefined {
  if (given === undefined || given === 'always' || given === 'authorised' || given === 'never') return given
  throw new ConfigurationError(name, `"${String(given)}" is unknown. Use always, authorised or never.`)
}

function readToken(own: string | undefined, environment: Environment): string | undefined {
  const variable = findVariable(environment, ['DEEDBOX_HEALTH_TOKEN'])
  const token = own ?? variable?.value
  if (token === undefined || /^[\x21-\x7e]{16,}$/.test(token)) return token
  const name = own === undefined ? 'DEEDBOX_HEALTH_TOKEN' : 'the token'
  // Behind its name and a colon the log would take the next word for the token, and blank it.
  throw new ConfigurationError('health()', `${name} has to be at least 16 visible ASCII characters.`)
}

function readModules(given: readonly string[] | undefined): readonly string[] | undefined {
  if (given === undefined || given.every(each => each.trim() !== '')) return given
  throw new ConfigurationError('checkModules', 'a module has a name that is not blank.')
}

function readMetricsSource(given: MetricsSource | undefined): MetricsSource | undefined {
  if (given === undefined || (typeof given?.render === 'function' && isHeader(given.contentType)))
    return given
  throw new ConfigurationError('metrics', 'what metrics(box) of deedbox/metrics returns is needed.')
}

function isHeader(value: unknown): boolean {
  return typeof value === 'string' && /^[\x20-\x7e]+$/.test(value)
}

function readFailLevel(given: CheckLevelName | undefined): number {
  const level = given === undefined ? checkLevels.error : levelNumber(given)
  if (level !== undefined) return level
  throw new ConfigurationError(
    'failLevel',
    `"${String(given)}" is no level. Use ${Object.keys(checkLevels).join(', ')}.`,
  )
}

function readFailedStatus(own: number | string | undefined, environment: Environment): number {
  const variable = findVariable(environment, ['DOCKERFLOW_HEARTBEAT_FAILED_STATUS_CODE'])
  const status = Number(own ?? variable?.value ?? 500)
  if (Number.isInteger(status) && status >= 500 && status <= 599) return status
  throw new ConfigurationError(
    own === undefined ? 'DOCKERFLOW_HEARTBEAT_FAILED_STATUS_CODE' : 'failedStatus',
    'a status from 500 to 599 is needed.',
  )
}

function listOf(environment: Environment, names: readonly string[]): string[] {
  const value = findVariable(environment, names)?.value ?? ''
  return value
    .split(',')
    .map(each => each.trim())
    .filter(each => each !== '')
}

function milliseconds(name: string, given: number | undefined, least: number): number | undefined {
  if (given === undefined || (Number.isFinite(given) && given >= least && given <= 3_600_000)) return given
  throw new ConfigurationError(name, `a number of milliseconds from ${least} to 3600000 is needed.`)
}

/** Where `version.json` is looked for. (DF-03) */
function versionFolder(own: string | undefined, environment: Environment): string {
  const chosen = own ?? findVariable(environment, ['APP_DIR'])?.value
  if (chosen !== undefined) return resolve(chosen)
  if (existsSync('/app/version.json')) return '/app'
  return packageRoot(process.cwd()) ?? '/app'
}

function packageRoot(folder: string): string | undefined {
  if (existsSync(join(folder, 'package.json'))) return folder
  const above = dirname(folder)
  return above === folder ? undefined : packageRoot(above)
}
