import type { RequestRecord } from '../request/index.ts'
import { cappedValues, otherValue } from './capped-values.ts'
import { Histogram, type HistogramSeries } from './histogram.ts'
import type { MetricsSettings } from './metrics-options.ts'
import type { MetricsRegistry, PromClient } from './prom-client.ts'

/** What requests are counted under that no route took. */
const unmatched = 'unmatched'

/** All others, which clients may invent, are one. */
const knownMethods: ReadonlySet<string> = new Set(
  'GET HEAD POST PUT PATCH DELETE OPTIONS CONNECT TRACE QUERY'.split(' '),
)

/** More than a service answers with. */
const mostStatuses = 50

const sizeBuckets: readonly number[] = [100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000]

/** The series of one method on one route. */
interface Series {
  readonly durations: Map<number, HistogramSeries>
  readonly durationsOf: (status: number) => HistogramSeries
  /** Of those with a body, which on most routes there are none of. */
  readonly requestSizes: () => HistogramSeries
  readonly responseSizes: HistogramSeries
  readonly aborted: () => void
}

/** What `metrics()` measures of requests with. */
export interface RequestMetricsSettings extends Pick<MetricsSettings, 'buckets' | 'maxRoutes'> {
  readonly client: PromClient
  readonly registry: MetricsRegistry
  /** Requests that have come and are not over. */
  readonly inFlight: () => number
  /** Told once that there are more routes than `maxRoutes`. */
  readonly onTooManyRoutes: () => void
}

/**
 * Makes the metrics of requests, and returns what counts a record into them. No label is made of what a client sent:
 * a route is its template. The series of what was seen before are found without making anything. (Gap 8)
 */
export function requestMetrics(settings: RequestMetricsSettings): (record: RequestRecord) => void {
  const { client, registry } = settings
  const registers = [registry]
  const histogram = (name: string, help: string, bounds: readonly number[]): Histogram => {
    const made = new Histogram(name, help, bounds)
    registry.registerMetric(made as never)
    return made
  }
  const durations = histogram(
    'http_request_duration_seconds',
    'Seconds from the arrival of a request to its end',
    settings.buckets,
  )
  const requestSizes = histogram(
    'http_request_size_bytes',
    'Bytes that arrived of request bodies',
    sizeBuckets,
  )
  const responseSizes = histogram('http_response_size_bytes', 'Bytes of response bodies', sizeBuckets)
  const aborted = new client.Counter({
    name: 'http_requests_aborted_total',
    help: 'Requests whose client left before the response was complete',
    labelNames: ['method', 'route'],
    registers,
  })
  new client.Gauge({
    name: 'http_requests_in_flight',
    help: 'Requests that have come and are not over',
    registers,
    collect() {
      this.reset()
      this.inc({}, settings.inFlight())
    },
  })

  const routeValue = cappedValues(settings.maxRoutes, settings.onTooManyRoutes)
  const statusValue = cappedValues(mostStatuses, () => undefined)
  const routes = new Map<string, Map<string, Series>>()

  const seriesOf = (record: RequestRecord): Series => {
    const known = routes.get(record.route ?? unmatched)?.get(record.method)
    if (known !== undefined) return known
    const route = record.route === null ? unmatched : routeValue(record.route)
    const method = knownMethods.has(record.method) ? record.method : otherValue
    const methods = routes.get(route) ?? new Map<string, Series>()
    routes.set(route, methods)
    const found = methods.get(method)
    if (found !== undefined) return found
    const byStatus = new Map<number, HistogramSeries>()
    const labels = { method, route }
    let others: HistogramSeries | undefined
    let sizes: HistogramSeries | undefined
    const series: Series = {
      durations: byStatus,
      durationsOf: status => {
        const value = statusValue(String(status))
        if (value === otherValue && others !== undefined) return others
        const made = durations.series({ ...labels, status: value })
        if (value === otherValue) others = made
        else byStatus.set(status, made)
        return made
      },
      requestSizes: () => {
        sizes ??= requestSizes.series(labels)
        return sizes
      },
      responseSizes: responseSizes.series(labels),
      aborted: aborted.labels(method, route).inc,
    }
    methods.set(method, series)
    return series
  }

  return record => {
    // The second record of a request, or one of a path that is not to be counted.
    if (record.late || record.skipped) return
    const series = seriesOf(record)
    const durations = series.durations.get(record.status) ?? series.durationsOf(record.status)
    durations.observe(record.elapsed)
    if (record.body !== null) series.requestSizes().observe(record.body.length)
    series.responseSizes.observe(record.responseLength)
    if (record.outcome === 'aborted') series.aborted()
  }
}
