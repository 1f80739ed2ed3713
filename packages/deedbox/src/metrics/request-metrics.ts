import type { RequestRecord } from '../request/index.ts'
import { cappedValues, otherValue } from './capped-values.ts'
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
  readonly durations: Map<number, (seconds: number) => void>
  readonly durationOf: (status: number) => (seconds: number) => void
  readonly requestSize: (bytes: number) => void
  readonly responseSize: (bytes: number) => void
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
  const durations = new client.Histogram({
    name: 'http_request_duration_seconds',
    help: 'Seconds from the arrival of a request to its end',
    labelNames: ['method', 'route', 'status'],
    buckets: [...settings.buckets],
    registers,
  })
  const sized = (name: string, help: string) =>
    new client.Histogram({
      name,
      help,
      labelNames: ['method', 'route'],
      buckets: [...sizeBuckets],
      registers,
    })
  const requestSizes = sized('http_request_size_bytes', 'Bytes that arrived of request bodies')
  const responseSizes = sized('http_response_size_bytes', 'Bytes of response bodies')
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
    const byStatus = new Map<number, (seconds: number) => void>()
    const series: Series = {
      durations: byStatus,
      durationOf: status => {
        const value = statusValue(String(status))
        const observe = durations.labels(method, route, value).observe
        if (value !== otherValue) byStatus.set(status, observe)
        return observe
      },
      requestSize: requestSizes.labels(method, route).observe,
      responseSize: responseSizes.labels(method, route).observe,
      aborted: aborted.labels(method, route).inc,
    }
    methods.set(method, series)
    return series
  }

  return record => {
    // The second record of a request, or one of a path that is not to be counted.
    if (record.late || record.skipped) return
    const series = seriesOf(record)
    const observe = series.durations.get(record.status) ?? series.durationOf(record.status)
    observe(record.elapsed)
    if (record.body !== null) series.requestSize(record.body.length)
    series.responseSize(record.responseLength)
    if (record.outcome === 'aborted') series.aborted()
  }
}
