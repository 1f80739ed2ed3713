import { setImmediate } from 'node:timers/promises'
import { type Chest, ChestError, type ReadableChest } from '../tracking/index.ts'
import { type StoredRecord, wholeRecords, writeBatch } from './export-batch.ts'
import type { ExportLease } from './export-lease.ts'
import type { RefusedEntries } from './refused-entries.ts'

/** How far a run is. */
export interface ExportProgress {
  /** Entries that the target confirmed and that were deleted, in this run. */
  readonly moved: number
  /** Entries that the target refused in this run. They stay. */
  readonly refused: number
  /** Entries in the chest, as far as they were counted. */
  readonly left: number
}

/**
 * What came of a run.
 * - `done`: all was brought over that was there, but for what was refused.
 * - `busy`: another exporter has the lease, so nothing was done.
 * - `stopped`: its signal ended it.
 * - `lost`: another exporter had to think it dead and took over; what it had not deleted comes again from there.
 */
export interface ExportResult extends ExportProgress {
  readonly outcome: 'done' | 'busy' | 'stopped' | 'lost'
}

/** How one run is steered and watched. */
export interface RunOptions {
  /** Ends the run after the batch under way. */
  readonly signal?: AbortSignal | undefined
  /** Told at the beginning, and after each batch. */
  readonly onProgress?: ((progress: ExportProgress) => void) | undefined
}

/** What a run is of. */
export interface ExportPlan {
  readonly from: ReadableChest
  readonly to: Chest
  readonly batchSize: number
  readonly lease: ExportLease
  /** Kept from run to run. */
  readonly refused: RefusedEntries
  readonly warn: (message: string, fields: Record<string, unknown>) => void
}

/** Rows that are read behind a batch, to find the ends of its requests. */
const lookahead = 100

/** Entries that may rest at once before a person is needed: each run reads past them. */
const mostRefused = 10_000

/** SQLite answers at once: without turns between, requests of the service would wait for the whole run. */
const othersTurn = (): Promise<void> => setImmediate()

/** One run: reads, writes, and deletes exactly what was confirmed, batch after batch. (FC-28) */
export class ExportRun {
  readonly #plan: ExportPlan
  readonly #options: RunOptions
  readonly #lease: ExportLease
  #moved = 0
  #refused = 0
  #left = 0

  constructor(plan: ExportPlan, options: RunOptions) {
    this.#plan = plan
    this.#options = options
    this.#lease = plan.lease
  }

  /** @throws what either of the chests says */
  async run(): Promise<ExportResult> {
    if (!(await this.#lease.take())) return this.#result('busy')
    try {
      await this.#assertApart()
      this.#left = await this.#plan.from.count()
      this.#report()
      for (;;) {
        await othersTurn()
        if (this.#options.signal?.aborted) return this.#result('stopped')
        const records = await this.#read()
        if (records.length === 0) return this.#result('done')
        await othersTurn()
        if (!(await this.#bring(records))) return this.#result('lost')
      }
    } finally {
      await this.#lease.end()
    }
  }

  async #assertApart(): Promise<void> {
    const { from, to } = this.#plan
    if (await this.#lease.isOf(to))
      throw new ChestError('refused', to.id, `it is the place that ${from.id} is: nothing is exported.`)
  }

  async #read(): Promise<StoredRecord[]> {
    const { from, to, batchSize, refused } = this.#plan
    for (let most = batchSize; ; most *= 2) {
      const limit = most + lookahead + refused.size
      const rows = await from.oldest(limit)
      refused.keepOnly(rows)
      const isAll = rows.length < limit
      const free = rows.filter(row => !refused.isResting(row))
      const resting = rows.length - free.length
      if (resting > mostRefused)
        throw new ChestError(
          'refused',
          to.id,
          `refused ${resting} entries, which are still in ${from.id}. Nothing more is brought before they are tried again, or gone.`,
        )
      const records = wholeRecords(free, most, isAll)
      // A request that fills all that was read may have more.
      if (isAll || records.length !== 1 || records[0]?.length !== free.length) return records
    }
  }

  /** Resolves to whether the lease was still there. */
  async #bring(records: readonly StoredRecord[]): Promise<boolean> {
    const { from, to, refused, warn } = this.#plan
    const { taken, refused: turnedDown, reason, failure } = await writeBatch(to, records)
    await othersTurn()
    if (!(await this.#lease.renew())) {
      warn(`lost its lease of ${from.id}: what it had not deleted comes again`, { entries: taken.length })
      return false
    }
    if (taken.length > 0) {
      await from.remove(taken.map(({ key }) => key))
      refused.forget(taken)
    }
    refused.add(turnedDown)
    this.#moved += taken.length
    this.#refused += turnedDown.length
    this.#left = Math.max(turnedDown.length, this.#left - taken.length)
    this.#report()
    if (turnedDown.length > 0)
      warn(`${turnedDown.length} entries are refused and stay in ${from.id}: ${reason?.message}`, {
        entries: turnedDown.length,
      })
    if (failure !== undefined) throw failure.error
    return true
  }

  #report(): void {
    this.#options.onProgress?.(this.#progress())
  }

  #progress(): ExportProgress {
    return { moved: this.#moved, refused: this.#refused, left: this.#left }
  }

  #result(outcome: ExportResult['outcome']): ExportResult {
    return { outcome, ...this.#progress() }
  }
}
