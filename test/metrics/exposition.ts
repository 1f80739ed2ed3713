import assert from 'node:assert/strict'

/** One time series of an exposition. */
export interface Sample {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
  readonly value: number
}

/** What Prometheus reads, taken apart. */
export interface Exposition {
  readonly families: ReadonlyMap<string, { readonly type: string; readonly help: string }>
  readonly samples: readonly Sample[]
  /** The value of the one series of this name whose labels include these. */
  value(name: string, labels?: Readonly<Record<string, string>>): number
  /** All values that a label has in the series of a name, sorted. */
  labelValues(name: string, label: string): string[]
}

const name = '[a-zA-Z_:][a-zA-Z0-9_:]*'
const line = new RegExp(`^(${name})(?:\\{(.*)\\})? (\\S+)$`)
const label = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\n"])*)"(?:,|$)/y
const suffixes = { histogram: ['_bucket', '_sum', '_count'], summary: ['', '_sum', '_count'] } as const

/**
 * Reads the text format, version 0.0.4, and holds it to what the format and the conventions of Prometheus ask for: each
 * family once, with HELP and TYPE ahead of its samples; no series twice; counters end in `_total` and never go below 0;
 * histograms are cumulative and have a bucket for all.
 */
export function readExposition(text: string): Exposition {
  assert(text.endsWith('\n'), 'an exposition ends with a line break')
  const families = new Map<string, { type: string; help: string }>()
  const samples: Sample[] = []
  const seen = new Set<string>()
  let family: { name: string; type: string } | undefined
  let help: { name: string; help: string } | undefined
  for (const each of text.split('\n')) {
    if (each === '') continue
    const helped = new RegExp(`^# HELP (${name}) (\\S.*)$`).exec(each)
    const typed = new RegExp(`^# TYPE (${name}) (counter|gauge|histogram|summary|untyped)$`).exec(each)
    if (helped !== null) {
      help = { name: helped[1]!, help: helped[2]! }
    } else if (typed !== null) {
      const [, of = '', type = ''] = typed
      assert.equal(help?.name, of, `no HELP stands before the TYPE of ${of}`)
      assert(!families.has(of), `${of} stands twice`)
      // prom-client names some gauges of its own so.
      if (!of.startsWith('nodejs_'))
        assert.equal(type === 'counter', of.endsWith('_total'), `${of} is a ${type}`)
      families.set(of, { type, help: help.help })
      family = { name: of, type }
    } else {
      const sample = readSample(each)
      assert(family !== undefined && belongs(sample.name, family), `${each} stands below ${family?.name}`)
      const id = JSON.stringify([sample.name, Object.entries(sample.labels).sort()])
      assert(!seen.has(id), `a series stands twice: ${each}`)
      seen.add(id)
      if (family.type === 'counter') assert(sample.value >= 0, each)
      samples.push(sample)
    }
  }
  for (const [of, { type }] of families) if (type === 'histogram') checkHistogram(of, samples)
  const labelled = (of: string, labels: Readonly<Record<string, string>>): Sample[] =>
    samples.filter(
      sample =>
        sample.name === of && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
    )
  return {
    families,
    samples,
    value(of, labels = {}) {
      const found = labelled(of, labels)
      assert.equal(found.length, 1, `${found.length} series of ${of} with ${JSON.stringify(labels)}`)
      return found[0]!.value
    },
    labelValues: (of, key) => [...new Set(labelled(of, {}).map(({ labels }) => labels[key] ?? ''))].sort(),
  }
}

function readSample(text: string): Sample {
  const [, of, inner = '', number = ''] = line.exec(text) ?? []
  assert(of !== undefined, `this is no sample: ${text}`)
  const labels: Record<string, string> = {}
  label.lastIndex = 0
  while (label.lastIndex < inner.length) {
    const at = label.lastIndex
    const [, key = '', value = ''] = label.exec(inner) ?? []
    assert(key !== '', `no label begins at ${at} of ${inner}`)
    assert(!Object.hasOwn(labels, key), `the label ${key} stands twice: ${text}`)
    labels[key] = value.replace(/\\(.)/g, (_, escaped) => (escaped === 'n' ? '\n' : escaped))
  }
  const value = number === '+Inf' ? Infinity : number === '-Inf' ? -Infinity : Number(number)
  // In any case of letters, as Go reads it.
  assert(/^nan$/i.test(number) || !Number.isNaN(value), `this is no number: ${text}`)
  return { name: of, labels, value }
}

function belongs(of: string, family: { name: string; type: string }): boolean {
  const ends: readonly string[] = Object.hasOwn(suffixes, family.type)
    ? suffixes[family.type as keyof typeof suffixes]
    : ['']
  return ends.some(end => of === family.name + end)
}

function checkHistogram(of: string, samples: readonly Sample[]): void {
  const series = Map.groupBy(
    samples.filter(({ name }) => name === `${of}_bucket`),
    ({ labels: { le, ...others } }) => JSON.stringify(Object.entries(others).sort()),
  )
  for (const [labels, buckets] of series) {
    const bounds = buckets.map(bucket => (bucket.labels.le === '+Inf' ? Infinity : Number(bucket.labels.le)))
    assert.deepEqual(
      bounds,
      bounds.toSorted((a, b) => a - b),
      `the buckets of ${of} rise: ${labels}`,
    )
    assert.equal(bounds.at(-1), Infinity, `${of} has a bucket for all: ${labels}`)
    const values = buckets.map(({ value }) => value)
    assert.deepEqual(
      values,
      values.toSorted((a, b) => a - b),
      `the buckets of ${of} add up: ${labels}`,
    )
    const count = samples.find(
      sample =>
        sample.name === `${of}_count` && JSON.stringify(Object.entries(sample.labels).sort()) === labels,
    )
    assert.equal(count?.value, values.at(-1), `${of} counts what its buckets do: ${labels}`)
  }
}
