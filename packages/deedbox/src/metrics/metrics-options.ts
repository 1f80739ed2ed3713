import { ConfigurationError } from '../safety/index.ts'
import type { MetricsRegistry } from './prom-client.ts'

/** The members of a version object that stand in `deedbox_build_info`. */
export interface BuildVersion {
  readonly version?: string | undefined
  readonly commit?: string | undefined
}

/** How `metrics()` measures. Everything has a default. */
export interface MetricsOptions {
  /** A `Registry` of `prom-client` to put them into, such as its `register`. Default: one of its own. */
  readonly registry?: MetricsRegistry | undefined
  /** Who fetches `/metrics` has to send `Authorization: Bearer <token>`, at least 16 characters. Default: everybody may. */
  readonly token?: string | undefined
  /** Whether memory, processor and event loop of the process are among them. Default: unless a registry is given. */
  readonly processMetrics?: boolean | undefined
  /** Upper bounds of the durations, in seconds. Default 0.005 to 10. */
  readonly buckets?: readonly number[] | undefined
  /** How many routes get series of their own; requests to further ones are counted under `other`. Default 100. (Gap 8) */
  readonly maxRoutes?: number | undefined
  /**
   * What this build is, such as the object in `version.json`. Default: the `version.json` of
   * `health()`, and the version in `DOCKERFLOW_VERSION`.
   */
  readonly version?: BuildVersion | undefined
}

/** Seconds. */
const defaultBuckets: readonly number[] = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** Options with their defaults, checked. */
export interface MetricsSettings {
  readonly registry: MetricsRegistry | undefined
  readonly token: string | undefined
  readonly processMetrics: boolean
  readonly buckets: readonly number[]
  readonly maxRoutes: number
  readonly version: BuildVersion | undefined
}

const names: Readonly<Record<keyof MetricsOptions, true>> = {
  registry: true,
  token: true,
  processMetrics: true,
  buckets: true,
  maxRoutes: true,
  version: true,
}

/** @throws ConfigurationError naming the option at fault */
export function readMetrics(options: MetricsOptions): MetricsSettings {
  if (typeof options !== 'object' || options === null || Array.isArray(options)) {
    throw new ConfigurationError('metrics()', 'takes what deedbox() returned and an object of options.')
  }
  const unknown = Object.keys(options).find(name => !Object.hasOwn(names, name))
  if (unknown !== undefined) {
    throw new ConfigurationError(
      unknown,
      `there is no such option. There are: ${Object.keys(names).join(', ')}.`,
    )
  }
  const { registry, token, processMetrics, buckets = defaultBuckets, maxRoutes = 100, version } = options
  if (registry !== undefined && typeof Object(registry).registerMetric !== 'function') {
    throw new ConfigurationError('registry', 'a Registry of prom-client is needed.')
  }
  if (token !== undefined && !(typeof token === 'string' && /^[\x21-\x7e]{16,}$/.test(token))) {
    throw new ConfigurationError('metrics()', 'the token has to be at least 16 visible ASCII characters.')
  }
  if (processMetrics !== undefined && typeof processMetrics !== 'boolean') {
    throw new ConfigurationError('processMetrics', 'true or false is needed.')
  }
  if (!(Array.isArray(buckets) && buckets.length > 0 && buckets.every(isRising))) {
    throw new ConfigurationError('buckets', 'a list of seconds above 0 is needed, in rising order.')
  }
  if (!(Number.isInteger(maxRoutes) && maxRoutes >= 0 && maxRoutes <= 10_000)) {
    throw new ConfigurationError('maxRoutes', 'a whole number from 0 to 10000 is needed.')
  }
  if (version !== undefined && (typeof version !== 'object' || version === null)) {
    throw new ConfigurationError('version', 'a version object is needed, such as { version: "1.4.0" }.')
  }
  return {
    registry,
    token,
    processMetrics: processMetrics ?? registry === undefined,
    buckets,
    maxRoutes,
    version,
  }
}

function isRising(bound: unknown, at: number, all: readonly unknown[]): boolean {
  return Number.isFinite(bound) && (bound as number) > ((at === 0 ? 0 : all[at - 1]) as number)
}
