import { errorMessage } from '../safety/index.ts'
import type { AuditEvent } from './audit-event.ts'
import type { Backlog } from './backlog.ts'
import { defaultBackoff } from './backoff.ts'
import {
  type DeliveryOptions,
  type DeliveryStore,
  defaultCapacity,
  type Refused,
  type Warn,
} from './delivery-options.ts'
import { DeliveryPauses } from './delivery-pauses.ts'
import { EventQueue } from './event-queue.ts'
import { type LedgerClient, type LedgerResult, LedgerUnavailable } from './ledger-client.ts'
import type { Acknowledgement, AuditLeftover, AuditOutlet, AuditStats } from './outlet.ts'
import type { QueuedEvent } from './queued-event.ts'
import type { SendError } from './send-error.ts'
import { acknowledge, closedEarly, queueFull, quotaExceeded, refusal, timedOut } from './send-outcome.ts'

/** The longest time that Node's timers hold. Milliseconds. */
const longestTimer = 2_147_483_647

/** Events and bytes of payload in one batch; proxies often refuse bodies beyond one megabyte. */
const batchCount = 256
const batchBytes = 600_000

/**
 * Delivers events to a ledger in batches, one batch at a time, in order. A batch that fails is sent again, the
 * same bytes under the same keys, until the ledger takes or refuses it; so an event is stored once even when an
 * answer is lost. (IP-06 … IP-08, IF-33, IF-34)
 */
export class Delivery implements AuditOutlet {
  readonly #ledger: LedgerClient | Promise<LedgerClient>
  readonly #warn: Warn
  readonly #queue: Backlog
  readonly #refused: Refused | undefined
  readonly #linger: number
  readonly #pauses: DeliveryPauses
  readonly #counts = { delivered: 0, dropped: 0, rejected: 0, duplicate: 0, retried: 0, deadLetters: 0 }
  /** Flushes under way: while there are any, the retry timer keeps the process alive. */
  readonly #flushes = new Set<{ readonly last: number; readonly done: (delivered: boolean) => void }>()
  #inFlight: readonly QueuedEvent[] = []
  #running = false
  #closed = false
  #timer: NodeJS.Timeout | undefined

  constructor(
    ledger: LedgerClient | Promise<LedgerClient>,
    warn: Warn,
    options: DeliveryOptions = {},
    store?: DeliveryStore,
  ) {
    this.#ledger = ledger
    this.#warn = warn
    const listener = { onWork: () => this.#schedule(0), onLost: (count: number) => this.#lose(count) }
    this.#queue = store?.backlog(listener) ?? new EventQueue(options.capacity ?? defaultCapacity)
    this.#refused = store?.refused
    this.#linger = options.linger ?? 25
    this.#pauses = new DeliveryPauses(options.backoff ?? defaultBackoff, options.quotaPause ?? 3_600_000)
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
      const settle = (outcome: LedgerResult | SendError): void =>
        resolve(!(outcome instanceof Error) && outcome.ok)
      if (this.#add({ event, settle })) this.#schedule(0)
      else resolve(false)
    })
  }

  send(event: AuditEvent, timeout: number): Promise<Acknowledgement> {
    return new Promise((resolve, reject) => {
      const { pausedUntil } = this.#pauses
      if (pausedUntil !== null) {
        this.#counts.dropped++
        reject(quotaExceeded(event, pausedUntil))
        return
      }
      let timer: NodeJS.Timeout | undefined
      const entry: QueuedEvent = {
        event,
        settle: outcome => {
          clearTimeout(timer)
          if (outcome instanceof Error) reject(outcome)
          else if (outcome.ok) resolve(acknowledge(event, outcome))
          else reject(refusal(event, outcome))
        },
      }
      if (!this.#add(entry)) {
        reject(this.#closed ? closedEarly(event) : queueFull(event, this.#queue.size))
        return
      }
      timer = setTimeout(() => {
        entry.givenUp = true
        const given = this.#queue.remove(waiting => waiting === entry)
        this.#counts.dropped += given.length
        for (const each of given) this.#queue.settle(each)
        reject(timedOut(event, timeout))
      }, timeout)
      this.#pauses.hurry()
      this.#schedule(0)
    })
  }

  async flush(timeout: number): Promise<boolean> {
    if (this.#isEmpty()) return this.#queue.spooled === 0
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const flush = { last: performance.now() + timeout, done: resolve }
    this.#flushes.add(flush)
    const deadline = setTimeout(() => resolve(false), Math.min(timeout, longestTimer))
    if (this.#timer !== undefined && this.#pauses.left <= 0) this.#schedule(0)
    this.#timer?.ref()
    this.#tellHopeless()
    try {
      return await promise
    } finally {
      clearTimeout(deadline)
      this.#flushes.delete(flush)
      if (this.#flushes.size === 0) this.#timer?.unref()
    }
  }

  close(): AuditLeftover {
    if (this.#closed) return { dropped: 0, spooled: 0 }
    this.#closed = true
    clearTimeout(this.#timer)
    const left = this.#queue.close()
    this.#counts.dropped += left.length
    for (const { event, settle } of left) settle?.(closedEarly(event))
    const leftover = this.#queue.isDurable
      ? { dropped: left.length, spooled: this.#queue.spooled + this.#inFlight.length }
      : { dropped: left.length + this.#inFlight.length, spooled: 0 }
    this.#tellEmptied()
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
    if (entry.settle === undefined) {
      this.#warn(
        'audit_dropped',
        this.#closed
          ? 'Audit events are dropped: this instance is closed'
          : 'Audit events are dropped: there is no room for more, because the ledger takes no events',
        { dropped: this.#counts.dropped, queued: this.#queue.size },
      )
    }
    return false
  }

  /** Starts delivering after the given time, or when a running pause allows. */
  #schedule(delay: number): void {
    if (this.#running || this.#closed) return
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
    if (this.#isEmpty()) this.#tellEmptied()
    else {
      this.#schedule(1)
      this.#tellHopeless()
    }
  }

  async #hasMore(): Promise<boolean> {
    if (this.#queue.spooled > 0) await this.#queue.refill()
    return this.#queue.size > 0 && !this.#closed
  }

  async #deliver(): Promise<void> {
    const batch = this.#queue.take(batchCount, batchBytes)
    this.#inFlight = batch
    try {
      const client = await this.#ledger
      const results = await client.appendBatch(batch.map(({ event }) => event))
      if (results.length !== batch.length) {
        throw new LedgerUnavailable(
          `The ledger answered ${results.length} results for ${batch.length} events`,
        )
      }
      this.#inFlight = []
      this.#settle(batch, results)
    } catch (error) {
      this.#inFlight = []
      this.#repeat(
        batch,
        error instanceof LedgerUnavailable ? error.retryAfter : undefined,
        errorMessage(error),
      )
    }
  }

  #settle(batch: readonly QueuedEvent[], results: readonly LedgerResult[]): void {
    const again: QueuedEvent[] = []
    let problem: Extract<LedgerResult, { ok: false }> | undefined
    batch.forEach((entry, i) => {
      const result = results[i]!
      if (result.ok) {
        this.#counts.delivered++
        if (result.duplicate) this.#counts.duplicate++
        this.#queue.settle(entry)
        entry.settle?.(result)
      } else if (result.status === 429) {
        this.#pause(result)
        if (entry.settle === undefined) again.push(entry)
        else this.#reject(entry, result)
      } else if (result.retryable) {
        problem = result
        again.push(entry)
      } else {
        this.#reject(entry, result)
      }
    })
    if (problem !== undefined && again.length === batch.length) {
      this.#repeat(again, problem.retryAfter, `${problem.message} (${problem.reason})`)
      return
    }
    this.#pauses.succeeded()
    this.#counts.retried += again.length
    this.#putBack(again)
  }

  #reject(entry: QueuedEvent, result: Extract<LedgerResult, { ok: false }>): void {
    this.#counts.rejected++
    // Whoever waits for an event is told; nobody else would know of the others.
    if (entry.settle === undefined && this.#refused?.add(entry.event, result)) this.#counts.deadLetters++
    this.#queue.settle(entry)
    entry.settle?.(result)
    if (result.status === 429) return
    this.#warn(
      'audit_rejected',
      `The ledger refused an audit event (${result.reason}). It says: ${result.message}`,
      {
        reason: result.reason,
        status: result.status,
        event_name: entry.event.meta.event_name,
        rejected: this.#counts.rejected,
      },
    )
  }

  #repeat(batch: readonly QueuedEvent[], retryAfter: number | undefined, problem: string): void {
    this.#counts.retried += batch.length
    const isWaitedFor = batch.some(({ settle, givenUp }) => settle !== undefined && givenUp !== true)
    this.#pauses.failed(retryAfter, isWaitedFor)
    this.#putBack(batch)
    this.#warn('audit_delayed', `Audit events wait because the ledger does not take them: ${problem}`, {
      queued: this.#queue.size,
      failures: this.#pauses.failures,
    })
  }

  #putBack(entries: readonly QueuedEvent[]): void {
    const wanted = entries.filter(({ givenUp }) => givenUp !== true)
    for (const entry of entries) if (entry.givenUp) this.#giveUp(entry)
    if (!this.#closed) this.#queue.putBack(wanted)
    else for (const entry of wanted) if (!this.#queue.leave(entry)) this.#giveUp(entry)
  }

  #giveUp(entry: QueuedEvent): void {
    this.#counts.dropped++
    this.#queue.settle(entry)
    entry.settle?.(closedEarly(entry.event))
  }

  #lose(count: number): void {
    this.#counts.dropped += count
    this.#warn('audit_dropped', 'Audit events are dropped: the spool cannot hold them', {
      dropped: this.#counts.dropped,
    })
  }

  /** The monthly quota is used up: nothing more is sent for a while, and nobody waits for it. (IP-06) */
  #pause(answer: Extract<LedgerResult, { ok: false }>): void {
    this.#pauses.quota(answer.retryAfter)
    this.#warn('audit_quota', `The ledger's quota is used up, sending stops: ${answer.message}`, {
      reason: answer.reason,
      paused_until: new Date(this.#pauses.pausedUntil ?? 0).toISOString(),
    })
    for (const entry of this.#queue.remove(({ settle }) => settle !== undefined)) this.#reject(entry, answer)
  }

  #isEmpty(): boolean {
    const isOnDisk = this.#queue.spooled > 0 && !this.#closed
    return this.#queue.size === 0 && this.#inFlight.length === 0 && !this.#running && !isOnDisk
  }

  #tellEmptied(): void {
    for (const { done } of this.#flushes) done(this.#queue.spooled === 0)
  }

  /** Waiting for a pause that outlasts the deadline would be in vain. */
  #tellHopeless(): void {
    if (this.#inFlight.length > 0) return
    const resume = performance.now() + this.#pauses.quotaLeft
    for (const { last, done } of this.#flushes) if (resume > last) done(false)
  }
}
