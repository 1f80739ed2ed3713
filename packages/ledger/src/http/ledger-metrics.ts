import { createRequire } from 'node:module'
import { type Metrics, metrics } from 'deedbox/metrics'
import type * as PromClient from 'prom-client'
import type { LedgerErrorCode } from '../errors.ts'
import type { Ledger } from '../ledger.ts'
import type { OperationalParts } from './dockerflow-routes.ts'
import type { OpenStreams } from './open-streams.ts'

/** Ledgers of a file that have series of their own; those beyond are one. (Gap 8) */
const mostLedgers = 100

/** What the server tells of itself to Prometheus. */
export interface LedgerMetrics {
  readonly contentType: string
  render(): Promise<string>
  /** Counts what was refused. */
  refused(reason: LedgerErrorCode): void
  /** Counts nothing more; what was counted can still be read. */
  close(): void
}

/** Metrics of the ledger, beside those of the SDK on the server's requests; `undefined` without `prom-client`. */
export function ledgerMetrics(
  ledger: Ledger,
  { box, version }: Pick<OperationalParts, 'box' | 'version'>,
  streams: OpenStreams,
): LedgerMetrics | undefined {
  const client = loadPromClient()
  if (client === undefined) return undefined
  const registry = new client.Registry()
  const made: Metrics = metrics(box, { registry, processMetrics: true, version })
  const registers = [registry]
  const labelNames = ['ledger'] as const
  const nameOf = cappedNames()

  const appended = new client.Counter({
    name: 'deedbox_ledger_entries_appended_total',
    help: 'Entries that this process has stored',
    labelNames,
    registers,
  })
  const repeated = new client.Counter({
    name: 'deedbox_ledger_repeats_total',
    help: 'Events that were stored before under the same idempotency key',
    labelNames,
    registers,
  })
  const batches = new client.Histogram({
    name: 'deedbox_ledger_batch_entries',
    help: 'What was submitted in one transaction',
    labelNames,
    buckets: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1_024],
    registers,
  })
  const durations = new client.Histogram({
    name: 'deedbox_ledger_commit_duration_seconds',
    help: 'Seconds until a transaction was durable, the waiting for the disk included',
    labelNames,
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
    registers,
  })
  const failures = new client.Counter({
    name: 'deedbox_ledger_commit_failures_total',
    help: 'Transactions of which nothing was stored, or nobody knows',
    labelNames: ['ledger', 'reason'],
    registers,
  })
  const stop = ledger.onCommit(commit => {
    const labels = { ledger: nameOf(commit.ledger) }
    durations.observe(labels, commit.seconds)
    if (commit.failure !== undefined) return failures.inc({ ...labels, reason: commit.failure })
    appended.inc(labels, commit.appended)
    repeated.inc(labels, commit.repeated)
    batches.observe(labels, commit.submitted)
  })
  new client.Gauge({
    name: 'deedbox_ledger_tree_size',
    help: 'Entries in the tree, whoever stored them',
    labelNames,
    registers,
    collect() {
      this.reset()
      for (const { name, size } of sizesOf(ledger)) this.inc({ ledger: nameOf(name) }, size)
    },
  })
  new client.Gauge({
    name: 'deedbox_ledger_queued',
    help: 'Entries that wait to be stored by this process, or are on their way',
    labelNames,
    registers,
    collect() {
      this.reset()
      for (const [name, count] of ledger.queued()) this.inc({ ledger: nameOf(name) }, count)
    },
  })
  new client.Gauge({
    name: 'deedbox_ledger_streams_open',
    help: 'Live tails and exports under way',
    labelNames: ['kind'],
    registers,
    collect() {
      for (const [kind, count] of Object.entries(streams.open)) this.set({ kind }, count)
    },
  })
  const refusals = new client.Counter({
    name: 'deedbox_ledger_refused_total',
    help: 'Calls and items of batches that were refused',
    labelNames: ['reason'],
    registers,
  })
  return {
    contentType: made.contentType,
    render: () => made.render(),
    refused: reason => refusals.inc({ reason }),
    close: stop,
  }
}

/** Nothing is known of them once the ledger is closed. */
function sizesOf(ledger: Ledger): { name: string; size: number }[] {
  try {
    return ledger.ledgers()
  } catch {
    return []
  }
}

function cappedNames(): (name: string) => string {
  const known = new Set<string>()
  return name => {
    if (known.size < mostLedgers) known.add(name)
    return known.has(name) ? name : 'other'
  }
}

function loadPromClient(): typeof PromClient | undefined {
  try {
    return createRequire(import.meta.url)('prom-client') as typeof PromClient
  } catch {
    return undefined
  }
}
