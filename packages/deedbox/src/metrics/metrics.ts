import type { Deedbox } from '../instance.ts'
import { internalsOf } from '../internals.ts'
import { bearerTest, ConfigurationError, errorMessage } from '../safety/index.ts'
import { type BuildFacts, buildLabels } from './build-labels.ts'
import { type MetricsOptions, readMetrics } from './metrics-options.ts'
import { ownMetrics } from './own-metrics.ts'
import { loadPromClient, type MetricsRegistry } from './prom-client.ts'
import { requestMetrics } from './request-metrics.ts'

/** The metrics of an instance, as Prometheus fetches them. */
export interface Metrics {
  /** The `Registry` of `prom-client` that they are in; metrics of your own may be put there too. */
  readonly registry: MetricsRegistry
  readonly contentType: string
  /** The text that Prometheus reads. */
  render(): Promise<string>
  /** Whether who sends this `Authorization` header may see them. */
  allows(authorization: string | undefined): boolean
  /** `health()` tells how to read `version.json`, for `deedbox_build_info` where the option `version` is not given. */
  versionFrom(read: () => BuildFacts | undefined): void
}

/**
 * Measures an instance and its requests for Prometheus: `health(box, { metrics: metrics(box) })` serves them under
 * `/metrics`. It needs the package `prom-client`. Requests on skipped paths are not counted. (Gap 8)
 * @throws ConfigurationError naming the option at fault, without `prom-client`, and where the registry has such metrics
 */
export function metrics(box: Deedbox, options: MetricsOptions = {}): Metrics {
  const { lifecycle, notices, closing } = internalsOf(box)
  const { token, processMetrics, version, ...settings } = readMetrics(options)
  const client = loadPromClient()
  let read: () => BuildFacts | undefined = () => undefined
  const registry = settings.registry ?? new client.Registry()
  const before = new Set(registry.getMetricsAsArray())
  let stops: readonly (() => void)[] = []
  try {
    const count = requestMetrics({
      ...settings,
      client,
      registry,
      inFlight: () => lifecycle.inFlight,
      onTooManyRoutes: () =>
        notices.warn(
          'metric_routes',
          `There are more than ${settings.maxRoutes} routes; requests to further ones are counted as "other". ` +
            'If these are templates and not paths, raise maxRoutes of metrics().',
        ),
    })
    stops = [
      box.onRecord(count),
      ownMetrics(box, client, registry, () => buildLabels(box, version ?? read(), process.env)),
    ]
    // Last: what it watches of the process it watches for good.
    if (processMetrics) client.collectDefaultMetrics({ register: registry })
  } catch (error) {
    for (const stop of stops) stop()
    for (const metric of registry.getMetricsAsArray())
      if (!before.has(metric)) registry.removeSingleMetric(metric.name)
    throw new ConfigurationError(
      'metrics()',
      `the metrics cannot be made: ${errorMessage(error)} Give each instance a registry of its own.`,
    )
  }
  closing.add(async () => {
    for (const stop of stops) stop()
  })
  return {
    registry,
    contentType: registry.contentType,
    render: () => registry.metrics(),
    versionFrom(reader) {
      read = reader
    },
    allows: token === undefined ? () => true : bearerTest(token),
  }
}
