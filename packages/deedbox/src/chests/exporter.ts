import { type Check, check as makeCheck } from '../checks/index.ts'
import { runOutside } from '../request/index.ts'
import { ConfigurationError, createRedactor, errorMessage } from '../safety/index.ts'
import { type Chest, type ChestLogger, checkChests, type ReadableChest } from '../tracking/index.ts'
import { checkedLogger, checkWhole } from './chest-options.ts'
import { ExportLease, isReadable } from './export-lease.ts'
import { type ExportResult, ExportRun, type RunOptions } from './export-run.ts'
import { longestTimer, nextDelay, Schedule, type ScheduleOptions } from './export-schedule.ts'
import { type ExporterStats, exportMessages } from './export-stats.ts'
import { RefusedEntries } from './refused-entries.ts'

/** What is brought where, and when. */
export interface ExporterOptions extends ScheduleOptions {
  /** What is emptied. */
  readonly from: ReadableChest
  /** Where its entries go, unchanged. A place that does not know them by their id may get some twice. */
  readonly to: Chest
  /** Entries of one write; those of one request stay together, so it may be a few more. Default 500. */
  readonly batchSize?: number | undefined
  /**
   * Milliseconds after which another process takes over from one that died in a run; a run under way renews its right. A
   * started exporter that finds another at work tries again after as long, if not before. Default 60,000. (FC-29)
   */
  readonly leaseMs?: number | undefined
  /** Stands in its messages. Default: the ids of both chests. */
  readonly name?: string | undefined
  /** Told of each run that moved something at DEBUG, and of what went wrong at WARN. Default: nobody. */
  readonly logger?: ChestLogger | null | undefined
}

/** Brings entries from one chest to another, at least once. Needs no instance and no framework. (FC-26, FC-28, FC-30) */
export interface Exporter {
  /** Runs from now on, in the background. Never throws: what goes wrong is logged, counted and tried again. */
  start(): void
  /** Ends what {@link start} began; resolves once the batch under way is done. The chests stay open. */
  stop(): Promise<void>
  /**
   * Brings over what is there now; waits for a run under way first.
   * @throws what either of the chests says: nothing is lost, and the next run goes on
   */
  runOnce(options?: RunOptions): Promise<ExportResult>
  stats(): ExporterStats
  /**
   * How the last run went, as a check for `health()`; the service is ready all the same. It reads what is known and
   * touches neither chest. (Gap 12)
   * @param name `check_export` unless given: the second exporter needs another. Everybody sees it
   */
  check(name?: string): Check
}

/** Drivers say in their messages what they were told. */
const redactor = createRedactor()

const optionNames: readonly string[] = Object.keys({
  from: true,
  to: true,
  intervalMs: true,
  cron: true,
  timeZone: true,
  keepAlive: true,
  batchSize: true,
  leaseMs: true,
  name: true,
  logger: true,
} satisfies Record<keyof ExporterOptions, true>)

/**
 * Makes an exporter, which does nothing before it is started or run.
 * @throws ConfigurationError
 */
export function createExporter(options: ExporterOptions): Exporter {
  return new ChestExporter(options)
}

class ChestExporter implements Exporter {
  readonly #options: ExporterOptions
  readonly #name: string
  readonly #refused = new RefusedEntries()
  readonly #lease: ExportLease
  readonly #schedule: Schedule
  /** Ends the run under way, which is the schedule's. */
  #stopping = new AbortController()
  #last: Promise<unknown> = Promise.resolve()
  #lastRun: number | null = null
  #lastSuccess: number | null = null
  #lastError: string | null = null
  #backlog: number | null = null
  #failed = 0
  #moved = 0

  constructor(options: ExporterOptions) {
    check(options)
    this.#options = options
    this.#name = options.name ?? `${options.from.id} to ${options.to.id}`
    const { leaseMs = 60_000 } = options
    this.#lease = new ExportLease(options.from, leaseMs)
    this.#schedule = new Schedule(nextDelay(options), options.keepAlive ?? false, async () => {
      // The failure is told, counted, and tried again when it is time.
      const result = await this.runOnce({ signal: this.#stopping.signal }).catch(() => undefined)
      // Its holder may be a process that was killed: a nightly run would wait for the next night.
      return result?.outcome === 'busy' ? leaseMs : undefined
    })
  }

  start(): void {
    if (this.#schedule.isRunning) return
    this.#stopping = new AbortController()
    this.#schedule.start()
  }

  async stop(): Promise<void> {
    this.#schedule.stop()
    this.#stopping.abort()
    await this.#last
  }

  runOnce(options: RunOptions = {}): Promise<ExportResult> {
    const run = runOutside(() => this.#last.then(() => this.#run(options)))
    this.#last = run.catch(() => {})
    return run
  }

  stats(): ExporterStats {
    return {
      name: this.#name,
      running: this.#schedule.isRunning,
      lastRun: this.#lastRun,
      lastSuccess: this.#lastSuccess,
      lastError: this.#lastError,
      failed: this.#failed,
      moved: this.#moved,
      refused: this.#refused.size,
      backlog: this.#backlog,
    }
  }

  check(name: string = 'check_export'): Check {
    return makeCheck(name, () => exportMessages(this.stats()), { readiness: false })
  }

  async #run({ signal, onProgress }: RunOptions): Promise<ExportResult> {
    const { from, to, batchSize = 500 } = this.#options
    const warn = (message: string, fields: Record<string, unknown>): void =>
      this.#tell('warn', message, fields)
    const before = this.#moved
    this.#lastRun = Date.now()
    const run = new ExportRun(
      { from, to, batchSize, lease: this.#lease, refused: this.#refused, warn },
      {
        signal,
        onProgress: progress => {
          this.#moved = before + progress.moved
          this.#backlog = progress.left
          onProgress?.(progress)
        },
      },
    )
    try {
      const result = await run.run()
      if (result.outcome !== 'lost') this.#lastSuccess = Date.now()
      this.#lastError = null
      const { moved, left } = result
      if (moved > 0) this.#tell('debug', `moved ${moved} entries`, { moved, left })
      return result
    } catch (error) {
      this.#failed++
      this.#lastError = redactor.text(errorMessage(error))
      warn(`the run failed, and the next one goes on: ${this.#lastError}`, { failed: this.#failed })
      throw error
    }
  }

  #tell(level: keyof ChestLogger, message: string, fields: Record<string, unknown>): void {
    try {
      const said = `${this.#name}: ${redactor.text(message)}`
      const answer: unknown = this.#options.logger?.[level](said, { exporter: this.#name, ...fields })
      // One that fails later ends no process.
      Promise.resolve(answer).catch(() => {})
    } catch {
      // A logger that throws ends no export.
    }
  }
}

function check(options: ExporterOptions): void {
  const setting = 'createExporter()'
  for (const name of Object.keys(options))
    if (!optionNames.includes(name))
      throw new ConfigurationError(
        `${setting}: ${name}`,
        `there is no such option. There are: ${optionNames.join(', ')}.`,
      )
  const { from, to, intervalMs, cron, batchSize, leaseMs, logger, keepAlive } = options
  checkChests([from], `${setting}: from`)
  checkChests([to], `${setting}: to`)
  if (!isReadable(from))
    throw new ConfigurationError(`${setting}: from`, `${(from as Chest).id} cannot be read and emptied.`)
  if (from === to || (from.id === to.id && from.address !== undefined && from.address === to.address))
    throw new ConfigurationError(setting, `from and to are the same chest, ${from.id}.`)
  if (cron !== undefined && intervalMs !== undefined)
    throw new ConfigurationError(setting, 'takes intervalMs or cron, not both.')
  checkWhole(`${setting}: intervalMs`, intervalMs, 10, longestTimer)
  checkWhole(`${setting}: leaseMs`, leaseMs, 1_000, 86_400_000)
  checkWhole(`${setting}: batchSize`, batchSize, 1, 10_000)
  if (keepAlive !== undefined && typeof keepAlive !== 'boolean')
    throw new ConfigurationError(`${setting}: keepAlive`, 'true or false is needed.')
  checkedLogger(`${setting}: logger`, logger)
}
