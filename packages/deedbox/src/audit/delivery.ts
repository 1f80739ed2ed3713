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
  type Refused,
  type Warn,
} from './delivery-options.ts'
import { DeliveryPauses } from './delivery-pauses.ts'
import { auditWords, type DeliveryWords } from './delivery-words.ts'
import { EventQueue } from './event-queue.ts'
import { Flushes, longestTimer } from './flushes.ts'
import { checkResults, type LedgerClient, type LedgerResult, LedgerUnavailable } from './ledger-client.ts'
import type { Acknowledgement, AuditLeftover, AuditOutlet, AuditStats } from './outlet.ts'
import { isAwaited, type QueuedEvent } from './queued-event.ts'
import type { SendError } from './send-error.ts'
import {
  closedEarly,
  explicitEntry,
  notOpened,
  queueFull,
  quotaExceeded,
  released,
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
  readonly #refused: Refused | undefined
  readonly #linger: number
  readonly #pauses: DeliveryPauses
  readonly #counts = { delivered: 0, dropped: 0, rejected: 0, duplicate: 0, retried: 0, deadLetters: 0 }
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
    const listener = { onWork: () => this.#schedule(0), onLost: (count: number) => this.#lose(count) }
    this.#queue = store?.backlog(listener) ?? new EventQueue(options.capacity ?? defaultCapacity)
    this.#refused = store?.refused
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
        for (const each of given) this.#note(each)
        reject(timedOut(event, timeout))
      }, timeout)
      this.#pauses.hurry()
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
    this.#counts.dropped++
    if (entry.settle === undefined) this.#notices.dropped(this.#closed, this.#counts, this.#queue.size)
    return false
  }

  /** Starts delivering after the given time, or when a running pause allows. */
  #schedule(delay: number): void {
    if (this.#running || this.#closed || this.#notOpened !== undefined) return
    if (this.#timer !== undefined) {
      if (delay > 0) return
      clearTimeout(this.#timer)
    }
    const wait = Math.max(delay, this.#pauses.left)
    // An early start only finds the pause again.
    this.#timer = setTimeout(() => void this.#run(), Math.min(wait, longestTimer))
    if (this.#flushes.size === 0 && wait > 0) this.#timer.unref()
  }

  async #run(): Promise<void> {
    this.#timer = undefined
    if (this.#running) return
    this.#running = true
    while (!this.#closed && this.#pauses.left <= 0 && (await this.#hasMore())) await this.#deliver()
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
      batch = this.#queue.take(client.batchSize ?? batchCount, batchBytes)
      if (batch.length === 0) return
      this.#inFlight = batch
      results = await client.appendBatch(batch.map(({ event }) => event))
      checkResults(results, batch.length)
    } catch (error) {
      this.#inFlight = []
      const retryAfter = error instanceof LedgerUnavailable ? error.retryAfter : undefined
      if (this.#notOpened === undefined) this.#repeat(batch, retryAfter, errorMessage(error))
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
        this.#finish(entry, result)
      } else if (result.status === 429) {
        this.#pause(result)
        if (entry.settle === undefined) again.push(released(entry))
        else this.#reject(entry, result)
      } else if (result.retryable) {
        problem = result
        again.push(entry)
      } else {
        refused.push({ entry, result, isKept: this.#reject(entry, result) })
      }
    })
    this.#notices.rejected(refused, this.#counts)
    if (problem !== undefined && again.length === batch.length) {
      this.#repeat(again, problem.retryAfter, `${problem.message} (${problem.reason})`)
      return
    }
    if (delivered > 0 && this.#pauses.succeeded()) this.#notices.resumed(waiting)
    this.#counts.retried += again.length
    this.#putBack(again)
  }

  /** Returns whether the event is kept as a dead letter. Whoever waits is told; nobody else would know of the others. */
  #reject(entry: QueuedEvent, result: Refusal): boolean {
    this.#counts.rejected++
    let isKept = false
    try {
      isKept = entry.settle === undefined && this.#refused?.add(entry.event, result) === true
    } catch (error) {
      this.#notices.unnoted(error)
    }
    if (isKept) this.#counts.deadLetters++
    this.#finish(entry, result)
    return isKept
  }

  /** An event needs no delivery any more. */
  #finish(entry: QueuedEvent, outcome: LedgerResult | SendError): void {
    this.#note(entry)
    tellOutcome(entry, outcome)
  }

  #note(entry: QueuedEvent): void {
    try {
      this.#queue.settle(entry)
    } catch (error) {
      this.#notices.unnoted(error)
    }
  }

  #repeat(batch: readonly QueuedEvent[], retryAfter: number | undefined, problem: string): void {
    this.#counts.retried += batch.length
    this.#pauses.failed(retryAfter, batch.some(isAwaited))
    this.#putBack(batch)
    this.#notices.delayed(problem, this.#queue.size, this.#pauses.failures)
  }

  #putBack(entries: readonly QueuedEvent[]): void {
    const wanted = entries.filter(({ givenUp }) => givenUp !== true)
    for (const entry of entries) if (entry.givenUp) this.#giveUp(entry)
    if (!this.#closed) this.#queue.putBack(wanted)
    else for (const entry of wanted) if (!this.#queue.leave(entry)) this.#giveUp(entry)
  }

  #giveUp(entry: QueuedEvent): void {
    this.#counts.dropped++
    this.#finish(entry, closedEarly(entry.event))
  }

  #lose(count: number): void {
    this.#counts.dropped += count
    this.#notices.lost(this.#counts)
  }

  /** The monthly quota is used up: nothing more is sent for a while, and nobody waits for it. (IP-06) */
  #pause(answer: Refusal): void {
    this.#pauses.quota(answer.retryAfter)
    this.#notices.quota(answer, this.#pauses.pausedUntil)
    for (const entry of this.#takeExplicit()) this.#reject(entry, answer)
  }

  /** No event goes anywhere: whoever waits is told, the others are counted in the end. */
  #giveUpLedger(problem: string): void {
    this.#notOpened = problem
    clearTimeout(this.#timer)
    for (const entry of this.#takeExplicit()) {
      this.#counts.dropped++
      this.#finish(entry, notOpened(entry.event, problem))
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
