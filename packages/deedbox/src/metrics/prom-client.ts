import { createRequire } from 'node:module'
import { ConfigurationError, errorMessage } from '../safety/index.ts'

/** A `Registry` of `prom-client`, as far as it is used here. */
export interface MetricsRegistry {
  readonly contentType: string
  /** The exposition of all its metrics. */
  metrics(): Promise<string>
  registerMetric(metric: never): void
  getMetricsAsArray(): readonly { readonly name: string }[]
  removeSingleMetric(name: string): void
}

/** What a metric of `prom-client` is made with. */
export interface MetricConfiguration {
  readonly name: string
  readonly help: string
  readonly registers: MetricsRegistry[]
  readonly labelNames?: string[]
  /** How the values of several processes become one; the sum unless said. */
  readonly aggregator?: 'sum' | 'max' | 'first'
  /** Called before each exposition, on the metric. */
  readonly collect?: (this: ValueMetric) => void
}

/** The labels of one series. */
export type MetricLabels = Readonly<Record<string, string>>

/** A counter or gauge of `prom-client`. */
export interface ValueMetric {
  inc(labels: MetricLabels, value: number): void
  /** Forgets all values; where there are no labels it begins at 0. */
  reset(): void
  labels(...values: string[]): { inc(): void }
}

/** What is used of `prom-client`. */
export interface PromClient {
  readonly Registry: new () => MetricsRegistry
  readonly Counter: new (configuration: MetricConfiguration) => ValueMetric
  readonly Gauge: new (configuration: MetricConfiguration) => ValueMetric
  collectDefaultMetrics(options: { readonly register: MetricsRegistry }): void
}

/**
 * Loads `prom-client`, which is installed only where metrics are asked for.
 * @throws ConfigurationError when it is not there
 */
export function loadPromClient(): PromClient {
  try {
    return createRequire(import.meta.url)('prom-client') as PromClient
  } catch (error) {
    throw new ConfigurationError(
      'metrics()',
      `the package prom-client could not be loaded; run: npm i prom-client (${errorMessage(error).split('\n')[0]})`,
    )
  }
}
