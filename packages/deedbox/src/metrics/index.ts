export type { BuildFacts } from './build-labels.ts'
export { type Metrics, metrics } from './metrics.ts'
export type { BuildVersion, MetricsOptions } from './metrics-options.ts'
export type { MetricsRegistry } from './prom-client.ts'
