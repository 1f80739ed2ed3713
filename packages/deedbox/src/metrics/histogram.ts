import type { MetricLabels } from './prom-client.ts'

/** One line of an exposition, as `prom-client` takes it from a metric. */
interface ExposedValue {
  readonly metricName: string
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
}

/** The values that were observed under one set of labels. */
export class HistogramSeries {
  readonly #bounds: readonly number[]
  /** By bucket, the one beyond all bounds last. */
  readonly #counts: number[]
  #sum = 0

  constructor(bounds: readonly number[]) {
    this.#bounds = bounds
    this.#counts = new Array<number>(bounds.length + 1).fill(0)
  }

  observe(value: number): void {
    const bounds = this.#bounds
    let bucket = 0
    while (bucket < bounds.length && value > bounds[bucket]!) bucket++
    this.#counts[bucket]!++
    this.#sum += value
  }

  exposed(name: string, labels: MetricLabels): ExposedValue[] {
    let count = 0
    const buckets = this.#counts.map((more, at) => {
      count += more
      return {
        metricName: `${name}_bucket`,
        labels: { ...labels, le: this.#bounds[at] ?? '+Inf' },
        value: count,
      }
    })
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels, value: this.#sum },
      { metricName: `${name}_count`, labels, value: count },
    ]
  }

  reset(): void {
    this.#counts.fill(0)
    this.#sum = 0
  }
}

/**
 * A histogram that a registry of `prom-client` takes like its own. Its own looks its series up by a text that it makes
 * of all labels for each value, which costs ten times as much as all else that is done for a request here.
 */
export class Histogram {
  readonly name: string
  readonly help: string
  readonly type = 'histogram'
  readonly aggregator = 'sum'
  readonly #bounds: readonly number[]
  readonly #series: { readonly labels: MetricLabels; readonly series: HistogramSeries }[] = []

  /** @param bounds in rising order */
  constructor(name: string, help: string, bounds: readonly number[]) {
    this.name = name
    this.help = help
    this.#bounds = [...bounds]
  }

  /** A new series; to be asked for once for each set of labels. */
  series(labels: MetricLabels): HistogramSeries {
    const series = new HistogramSeries(this.#bounds)
    this.#series.push({ labels, series })
    return series
  }

  /** What `prom-client` asks of a metric. */
  async get(): Promise<object> {
    const { name, help, type, aggregator } = this
    const values = this.#series.flatMap(({ labels, series }) => series.exposed(name, labels))
    return { name, help, type, aggregator, values }
  }

  /** What the registry's `resetMetrics()` asks of a metric. */
  reset(): void {
    for (const { series } of this.#series) series.reset()
  }
}
