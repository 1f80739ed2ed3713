import type { HeartbeatSignal } from '../checks/index.ts'
import type { Deedbox, DeedboxStats } from '../instance.ts'
import { cappedValues } from './capped-values.ts'
import type { MetricLabels, MetricsRegistry, PromClient } from './prom-client.ts'

/** One metric that is read when it is asked for. Names that end in `_total` are counters. */
interface Reading<Facts> {
  readonly name: string
  readonly help: string
  readonly of: (facts: Facts) => number
  /** How the values of several processes become one; the sum unless said. */
  readonly aggregator?: 'max'
}

/** The last round of checks, and when it ended. */
interface Heard {
  readonly signal: HeartbeatSignal
  readonly at: number
}

type ChestFacts = DeedboxStats['chests'][number]

/** More chests than a service writes to, and more checks than it runs. */
const mostNames = 100

const instanceReadings: readonly Reading<DeedboxStats>[] = [
  { name: 'deedbox_records_total', help: 'Request records made', of: ({ records }) => records },
  {
    name: 'deedbox_log_lines_written_total',
    help: 'Log lines handed to sinks',
    of: ({ lines }) => lines.written,
  },
  { name: 'deedbox_log_lines_lost_total', help: 'Log lines that sinks lost', of: ({ lines }) => lines.lost },
  {
    name: 'deedbox_outbox_queued',
    help: 'Audit events in memory or on their way',
    of: ({ audit }) => audit.queued,
  },
  {
    name: 'deedbox_outbox_spooled',
    help: 'Audit events that wait in the spool alone',
    of: ({ audit }) => audit.spooled,
  },
  {
    name: 'deedbox_outbox_paused',
    help: '1 while nothing is sent because the quota of the ledger is used up, else 0',
    of: ({ audit }) => (audit.pausedUntil !== null && audit.pausedUntil > Date.now() ? 1 : 0),
    aggregator: 'max',
  },
  {
    name: 'deedbox_outbox_delivered_total',
    help: 'Audit events that the ledger has acknowledged, duplicates included',
    of: ({ audit }) => audit.delivered,
  },
  {
    name: 'deedbox_outbox_duplicate_total',
    help: 'Audit events delivered that the ledger had already',
    of: ({ audit }) => audit.duplicate,
  },
  {
    name: 'deedbox_outbox_retried_total',
    help: 'Deliveries that had to be repeated, per event and attempt',
    of: ({ audit }) => audit.retried,
  },
  {
    name: 'deedbox_outbox_dropped_total',
    help: 'Audit events that were lost: no room, no time, or no process to send them',
    of: ({ audit }) => audit.dropped,
  },
  {
    name: 'deedbox_outbox_rejected_total',
    help: 'Audit events that the ledger has refused for good',
    of: ({ audit }) => audit.rejected,
  },
  {
    name: 'deedbox_outbox_dead_letters_total',
    help: 'Audit events of the rejected that are kept as dead letters',
    of: ({ audit }) => audit.deadLetters,
  },
  {
    name: 'deedbox_outbox_logged_total',
    help: 'Audit events written to the log in place of a ledger',
    of: ({ audit }) => audit.logged,
  },
  {
    name: 'deedbox_responses_held_total',
    help: 'Responses that waited for their audit events',
    of: ({ held }) => held.waited,
  },
  {
    name: 'deedbox_responses_withheld_total',
    help: 'Responses replaced by 503 because the ledger did not acknowledge their event',
    of: ({ held }) => held.refused,
  },
  {
    name: 'deedbox_responses_unkept_total',
    help: 'Responses sent although their audit event could not be kept',
    of: ({ held }) => held.unkept,
  },
]

const chestReadings: readonly Reading<ChestFacts>[] = [
  {
    name: 'deedbox_chest_queued',
    help: 'Requests whose variables wait for the chest in memory',
    of: chest => chest.queued,
  },
  {
    name: 'deedbox_chest_spooled',
    help: 'Requests whose variables wait for the chest in the spool alone',
    of: chest => chest.spooled,
  },
  {
    name: 'deedbox_chest_delivered_total',
    help: 'Requests whose variables the chest has taken',
    of: chest => chest.delivered,
  },
  {
    name: 'deedbox_chest_dropped_total',
    help: 'Requests whose variables were lost on their way to the chest',
    of: chest => chest.dropped,
  },
  {
    name: 'deedbox_chest_rejected_total',
    help: 'Requests whose variables the chest has refused for good',
    of: chest => chest.rejected,
  },
  {
    name: 'deedbox_chest_failed_total',
    help: 'Writes to the chest that a response waited for and that failed in time',
    of: chest => chest.failed,
  },
]

/** Makes the metrics of an instance itself; they are read when they are asked for. Returns how to stop listening to it. */
export function ownMetrics(
  box: Deedbox,
  client: PromClient,
  registry: MetricsRegistry,
  build: () => MetricLabels,
): () => void {
  const read = (
    name: string,
    help: string,
    labelNames: string[],
    values: () => Iterable<readonly [MetricLabels, number]>,
    aggregator: 'sum' | 'max' | 'first' = 'sum',
  ): void => {
    ;new (name.endsWith('_total') ? client.Counter : client.Gauge)({
      name,
      help,
      labelNames,
      registers: [registry],
      aggregator,
      collect() {
        this.reset()
        for (const [labels, value] of values()) this.inc(labels, value)
      },
    })
  }
  const stats = onceATurn(() => box.stats())
  for (const { name, help, of, aggregator } of instanceReadings)
    read(name, help, [], () => [[{}, of(stats())]], aggregator)
  const chestName = cappedValues(mostNames, () => undefined)
  for (const { name, help, of } of chestReadings) {
    read(name, help, ['chest'], () =>
      stats().chests.map(chest => [{ chest: chestName(chest.id) }, of(chest)]),
    )
  }
  let last: Heard | undefined
  const heard = (signal: HeartbeatSignal): void => {
    last = { signal, at: Date.now() }
  }
  const ofLast = (values: (last: Heard) => [MetricLabels, number][]) => () =>
    last === undefined ? [] : values(last)
  read(
    'deedbox_check_level',
    'What the last round of checks found, 0 for ok to 50 for critical',
    ['check'],
    ofLast(({ signal }) => levelsOf(signal)),
    'max',
  )
  read(
    'deedbox_heartbeat_level',
    'The gravest level of the last round of checks',
    [],
    ofLast(({ signal }) => [[{}, signal.level]]),
    'max',
  )
  read(
    'deedbox_heartbeat_timestamp_seconds',
    'When the last round of checks ended, since 1970',
    [],
    ofLast(({ at }) => [[{}, at / 1_000]]),
    'max',
  )
  read(
    'deedbox_build_info',
    'What this is; always 1',
    ['service', 'env', 'version', 'commit'],
    () => [[build(), 1]],
    'first',
  )
  const undo = [box.on('heartbeatPassed', heard), box.on('heartbeatFailed', heard)]
  return () => {
    for (const each of undo) each()
  }
}

function levelsOf({ report }: HeartbeatSignal): [MetricLabels, number][] {
  return Object.keys(report.checks)
    .slice(0, mostNames)
    .map(check => [{ check }, report.details[check]?.level ?? 0])
}

/** One exposition shows one moment: all its metrics are read in one turn. */
function onceATurn<Facts>(read: () => Facts): () => Facts {
  let facts: { readonly read: Facts } | undefined
  return () => {
    if (facts === undefined) {
      facts = { read: read() }
      queueMicrotask(() => {
        facts = undefined
      })
    }
    return facts.read
  }
}
