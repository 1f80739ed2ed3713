import { errorMessage } from '../safety/index.ts'
import type { AuditEvent } from './audit-event.ts'
import type { Backlog } from './backlog.ts'
import { defaultBackoff } from './backoff.ts'
import { DeliveryNotices, type RefusedEvent } from './delivery-notices.ts'
import {
  batchBytes,
  batchCount,
  type DeliveryOptions,
  type DeliveryStore,
  defaultCapacity,
  type Warn,
} from './delivery-options.ts'
import { DeliveryOutcomes } from './delivery-outcomes.ts'
import { DeliveryPauses } from './delivery-pauses.ts'
import { auditWords, type DeliveryWords } from './delivery-words.ts'
import { EventQueue } from './event-queue.ts'
import { Flushes, longestTimer } from './flushes.ts'
import { checkResults, type LedgerClient, type LedgerResult, LedgerUnavailable } from './ledger-client.ts'
import type { Acknowledgement, AuditLeftover, AuditOutlet, AuditStats } from './outlet.ts'
import { isAwaited, type QueuedEvent } from './queued-event.ts'
import {
  closedEarly,
  explicitEntry,
  notOpened,
  queueFull,
  quotaExceeded,
  released,
  tellAttempt,
  tellOutcome,
  timedOut,
} from './send-outcome.ts'

type Refusal = Extract<LedgerResult, { ok: false }>

/**
 * Delivers events to a ledger in batches, one batch at a time, in order; those that somebody waits for first. A batch that fails is sent again, the
 * same bytes under the same keys, until the ledger takes or refuses it; so an event is stored once even when an
 * answer is lost. (IP-06 … IP-08, IF-33, IF-34)
 */
export class Delivery implements AuditOutlet {
  readonly #ledger: LedgerClient | Promise<LedgerClient>
  readonly #notices: DeliveryNotices
  readonly #queue: Backlog
  readonly #outcomes: DeliveryOutcomes
  /** Those in the queue that are attempted at once. */
  readonly #urgent = new Set<QueuedEvent>()
  readonly #linger: number
  readonly #pauses: DeliveryPauses
  readonly #counts: DeliveryOutcomes['counts']
  /** While there are any, the retry timer keeps the process alive. */
  readonly #flushes = new Flushes()
  /** Why the ledger could not be opened. */
  #notOpened: string | undefined
  #inFlight: readonly QueuedEvent[] = []
  #running = false
  #closed = false
  #timer: NodeJS.Timeout | undefined

  constructor(
    ledger: LedgerClient | Promise<LedgerClient>,
    warn: Warn,
    options: DeliveryOptions = {},
    store?: DeliveryStore,
    words: DeliveryWords = auditWords,
  ) {
    this.#ledger = ledger
    this.#notices = new DeliveryNotices(warn, words)
    const onLost = (count: number): void => this.#outcomes.lose(count)
    const listener = { onWork: () => this.#schedule(0), onLost }
    this.#queue = store?.backlog(listener) ?? new EventQueue(options.capacity ?? defaultCapacity)
    this.#outcomes = new DeliveryOutcomes(this.#queue, store?.refused, this.#notices)
    this.#counts = this.#outcomes.counts
    this.#linger = options.linger ?? 25
    this.#pauses = new DeliveryPauses(options.backoff ?? defaultBackoff, options.quotaPause ?? 3_600_000)
    if (ledger instanceof Promise) ledger.catch(error => this.#giveUpLedger(errorMessage(error)))
  }

  offer(event: AuditEvent): void {
    if (this.#add({ event, settle: undefined })) this.#schedule(this.#linger)
  }

  async keep(event: AuditEvent): Promise<boolean> {
    if (this.#queue.isDurable) {
      const entry: QueuedEvent = { event, settle: undefined }
      if (!this.#add(entry)) return false
      this.#schedule(this.#linger)
      return this.#queue.survives(entry)
    }
    // In memory alone, an event survives once the ledger has it.
    return new Promise(resolve => {
      const isInVain = this.#notOpened !== undefined || this.#pauses.pausedUntil !== null
      const isAdded = this.#add({ event, settle: undefined, onKept: isInVain ? undefined : resolve })
      if (isInVain || !isAdded) resolve(false)
      if (isAdded) this.#schedule(0)
    })
  }

  /**
   * Takes an automatic event that somebody waits for: it is attempted at once, also in a pause, and what that comes to is
   * told once. After an attempt that failed for now it waits as the others do, and so it does once the returned call is made.
   */
  attempt(event: AuditEvent, onAttempt: NonNullable<QueuedEvent['onAttempt']>): () => void {
    const entry: QueuedEvent = { event, settle: undefined, onAttempt }
    if (this.#closed || !this.#queue.add(entry)) {
      this.offer(event)
      onAttempt(this.#closed ? closedEarly(event) : queueFull(event, this.#queue.size))
      return () => {}
    }
    this.#urgent.add(entry)
    this.#schedule(0)
    return () => {
      entry.onAttempt = undefined
      if (this.#queue.remove(entry).length > 0) this.#demote(entry)
    }
  }

  send(event: AuditEvent, timeout: number): Promise<Acknowledgement> {
    return new Promise((resolve, reject) => {
      const { pausedUntil } = this.#pauses
      if (this.#notOpened !== undefined || pausedUntil !== null) {
        this.#counts.dropped++
        reject(
          pausedUntil === null ? notOpened(event, this.#notOpened ?? '') : quotaExceeded(event, pausedUntil),
        )
        return
      }
      let timer: NodeJS.Timeout | undefined
      const entry = explicitEntry(event, resolve, reject, () => clearTimeout(timer))
      if (!this.#add(entry)) {
        reject(this.#closed ? closedEarly(event) : queueFull(event, this.#queue.size))
        return
      }
      timer = setTimeout(() => {
        entry.givenUp = true
        const given = this.#queue.remove(entry)
        this.#counts.dropped += given.length
        for (const each of given) this.#outcomes.note(each)
        reject(timedOut(event, timeout))
      }, timeout)
      this.#pauses.hurry(timeout)
      this.#schedule(0)
    })
  }

  async flush(timeout: number): Promise<boolean> {
    if (this.#isEmpty()) return this.#queue.spooled === 0
    const ended = this.#flushes.wait(timeout)
    if (this.#timer !== undefined && this.#pauses.left <= 0) this.#schedule(0)
    this.#timer?.ref()
    this.#tellHopeless()
    try {
      return await ended
    } finally {
      if (this.#flushes.size === 0) this.#timer?.unref()
    }
  }

  close(): AuditLeftover {
    if (this.#closed) return { dropped: 0, spooled: 0 }
    this.#closed = true
    clearTimeout(this.#timer)
    this.#urgent.clear()
    const left = this.#queue.close()
    this.#counts.dropped += left.length
    for (const entry of left) tellOutcome(entry, closedEarly(entry.event))
    const leftover = this.#queue.isDurable
      ? { dropped: left.length, spooled: this.#queue.spooled + this.#inFlight.length }
      : { dropped: left.length + this.#inFlight.length, spooled: 0 }
    this.#flushes.end(this.#queue.spooled === 0)
    if (!this.#running) this.#queue.end()
    return leftover
  }

  persist(): number {
    if (this.#closed) return 0
    const inMemory = this.#queue.persist()
    if (this.#isEmpty()) this.#queue.rest()
    return inMemory + this.#inFlight.filter(({ place }) => place?.segment === undefined).length
  }

  stats(): AuditStats {
    return {
      queued: this.#queue.size + this.#inFlight.length,
      spooled: this.#queue.spooled,
      ...this.#counts,
      logged: 0,
      pausedUntil: this.#pauses.pausedUntil,
    }
  }

  #add(entry: QueuedEvent): boolean {
    if (!this.#closed && this.#queue.add(entry)) return true
    this.#outcomes.drop(entry, this.#closed)
    return false
  }

  /** Starts delivering after the given time, or when a running pause allows. */
  #schedule(delay: number): void {
    if (this.#running || this.#closed || this.#notOpened !== undefined) return
    if (this.#timer !== undefined) {
      if (delay > 0) return
      clearTimeout(this.#timer)
    }
    const wait = this.#urgent.size > 0 ? 0 : Math.max(delay, this.#pauses.left)
    // An early start only finds the pause again.
    this.#timer = setTimeout(() => void this.#run(), Math.min(wait, longestTimer))
    if (this.#flushes.size === 0 && wait > 0) this.#timer.unref()
  }

  async #run(): Promise<void> {
    this.#timer = undefined
    if (this.#running) return
    this.#running = true
    const mayGoOn = (): boolean => !this.#closed && (this.#urgent.size > 0 || this.#pauses.left <= 0)
    while (mayGoOn() && (await this.#hasMore())) await this.#deliver()
    this.#running = false
    if (this.#closed) this.#queue.end()
    if (this.#isEmpty()) this.#flushes.end(this.#queue.spooled === 0)
    else {
      this.#schedule(1)
      this.#tellHopeless()
    }
  }

  async #hasMore(): Promise<boolean> {
    if (this.#queue.spooled > 0) await this.#queue.refill()
    return this.#queue.size > 0 && !this.#closed && this.#notOpened === undefined
  }

  async #deliver(): Promise<void> {
    let batch: QueuedEvent[] = []
    let results: readonly LedgerResult[]
    try {
      const client = await this.#ledger
      batch = this.#queue.take(client.batchSize ?? batchCount, batchBytes, this.#pauses.left > 0)
      for (const entry of batch) this.#urgent.delete(entry)
      if (batch.length === 0) return this.#urgent.clear()
      this.#inFlight = batch
      results = await client.appendBatch(batch.map(({ event }) => event))
      checkResults(results, batch.length)
    } catch (error) {
      this.#inFlight = []
      const retryAfter = error instanceof LedgerUnavailable ? error.retryAfter : undefined
      if (this.#notOpened === undefined) this.#repeat(batch, error, errorMessage(error), retryAfter)
      return
    }
    this.#inFlight = []
    this.#settle(batch, results)
  }

  /** Nothing in here may throw: the ledger has judged these events, and none is to be sent again for our own troubles. */
  #settle(batch: readonly QueuedEvent[], results: readonly LedgerResult[]): void {
    const waiting = batch.length + this.#queue.size + this.#queue.spooled
    const again: QueuedEvent[] = []
    const refused: RefusedEvent[] = []
    let problem: Refusal | undefined
    let delivered = 0
    batch.forEach((entry, i) => {
      const result = results[i]!
      if (result.ok) {
        delivered++
        this.#counts.delivered++
        if (result.duplicate) this.#counts.duplicate++
        this.#outcomes.finish(entry, result)
      } else if (result.status === 429) {
        this.#pause(result)
        if (entry.settle === undefined) again.push(released(entry))
        else this.#outcomes.reject(entry, result)
      } else if (result.retryable) {
        problem = result
        again.push(entry)
      } else {
        refused.push({ entry, result, isKept: this.#outcomes.reject(entry, result) })
      }
    })
    this.#notices.rejected(refused, this.#counts)
    if (problem !== undefined && again.length === batch.length) {
      this.#repeat(again, problem, `${problem.message} (${problem.reason})`, problem.retryAfter)
      return
    }
    if (delivered > 0 && this.#pauses.succeeded()) this.#notices.resumed(waiting)
    this.#counts.retried += again.length
    this.#putBack(again, problem)
  }

  #repeat(batch: readonly QueuedEvent[], outcome: unknown, problem: string, retryAfter?: number): void {
    this.#counts.retried += batch.length
    this.#pauses.failed(retryAfter, batch.some(isAwaited))
    this.#putBack(batch, outcome)
    this.#notices.delayed(problem, this.#queue.size, this.#pauses.failures)
  }

  /** @param outcome what the attempt came to, for those that wait for just that */
  #putBack(entries: readonly QueuedEvent[], outcome: unknown): void {
    const wanted: QueuedEvent[] = []
    for (const entry of entries) {
      const isAttempt = entry.onAttempt !== undefined
      tellAttempt(entry, outcome as LedgerResult | Error)
      if (entry.givenUp) this.#outcomes.giveUp(entry)
      else if (isAttempt && !this.#closed) this.#demote(entry)
      else wanted.push(entry)
    }
    if (!this.#closed) this.#queue.putBack(wanted)
    else for (const entry of wanted) if (!this.#queue.leave(entry)) this.#outcomes.giveUp(entry)
  }

  /** It waits as the others do from now on, if there is room. */
  #demote(entry: QueuedEvent): void {
    this.#urgent.delete(entry)
    this.#outcomes.note(entry)
    this.offer(entry.event)
  }

  /** The monthly quota is used up: nothing more is sent for a while, and nobody waits for it. (IP-06) */
  #pause(answer: Refusal): void {
    this.#pauses.quota(answer.retryAfter)
    this.#notices.quota(answer, this.#pauses.pausedUntil)
    for (const entry of this.#takeExplicit()) this.#outcomes.reject(entry, answer)
  }

  /** No event goes anywhere: whoever waits is told, the others are counted in the end. */
  #giveUpLedger(problem: string): void {
    this.#notOpened = problem
    clearTimeout(this.#timer)
    for (const entry of this.#takeExplicit()) {
      this.#outcomes.giveUp(entry, notOpened(entry.event, problem))
    }
    this.#tellHopeless()
  }

  /** Nothing is sent for long: returns the explicit events that wait. The automatic ones stay, and nobody waits for them. */
  #takeExplicit(): QueuedEvent[] {
    const awaited = this.#queue.remove('awaited')
    this.#queue.putBack(awaited.filter(({ settle }) => settle === undefined).map(released))
    return awaited.filter(({ settle }) => settle !== undefined)
  }

  #isEmpty(): boolean {
    const isOnDisk = this.#queue.spooled > 0 && !this.#closed
    return this.#queue.size === 0 && this.#inFlight.length === 0 && !this.#running && !isOnDisk
  }

  /** Waiting for a pause that outlasts the deadline would be in vain. */
  #tellHopeless(): void {
    if (this.#inFlight.length > 0) return
    const isNever = this.#notOpened !== undefined
    this.#flushes.endBefore(isNever ? Number.POSITIVE_INFINITY : performance.now() + this.#pauses.quotaLeft)
  }
}
