import { hostname } from 'node:os'
import { runOutside } from '../request/index.ts'
import type { LedgerClient, ProducerAnnouncement } from './ledger-client.ts'
import type { Producer } from './producer.ts'

/** Milliseconds from the first number to the first announcement: a script that is over by then makes only the last one. */
const firstWait = 1_000

/** Milliseconds between announcements. A ledger takes a producer for silent after three times that. */
const interval = 60_000

/** Ends of other processes that wait to be said again. */
const mostUntold = 100

/** A process that died and left events behind, as whoever sends them knows it. */
export interface CrashedProducer {
  readonly producerId: string
  /** The highest number found. */
  readonly highWater: number
  /** How many events it left. */
  readonly events: number
}

/** What an instance knows of its announcements. */
export interface AnnouncerSettings {
  readonly service: string
  readonly env: string
  /** Events that wait in memory, and on disk alone. */
  readonly waiting: () => { readonly queued: number; readonly spooled: number }
}

/**
 * Tells the ledger about this process as a producer of events: soon after the first number, each minute, and at the end.
 * It never throws, warns or keeps the process alive; what could not be said is said the next time, more up to date.
 */
export class Announcer {
  readonly #producer: Producer
  readonly #settings: AnnouncerSettings
  readonly #client: LedgerClient | Promise<LedgerClient>
  readonly #startedAt = new Date(Date.now() - process.uptime() * 1_000).toISOString()
  readonly #counts = { announced: 0, failed: 0 }
  #untold: CrashedProducer[] = []
  /** What is being said for others. */
  readonly #forOthers = new Set<Promise<void>>()
  #isEnding = false
  #timer: NodeJS.Timeout | undefined
  #last: Promise<unknown> = Promise.resolve()
  #closed = false
  /** The last number when the end was said: a process out of work asks again after each call that it makes. */
  #endSaidAt = 0

  constructor(producer: Producer, client: LedgerClient | Promise<LedgerClient>, settings: AnnouncerSettings) {
    this.#producer = producer
    this.#client = client
    this.#settings = settings
  }

  /** How many announcements were taken, and how many could not be made. */
  get counts(): { readonly announced: number; readonly failed: number } {
    return this.#counts
  }

  /** Has it announced from now on, unless it is already. Called for each number, so it is cheap. */
  begin(): void {
    if (this.#timer === undefined && !this.#closed) runOutside(() => this.#next(firstWait))
  }

  /**
   * Says the last number, and how the process ended, and what is still to be said for others. Resolves when that is said,
   * or cannot be in these milliseconds.
   */
  async end(timeout: number, how: 'clean' | 'crashed'): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    if (timeout <= 0) return
    // Once: each call that a process out of work makes has it asked again.
    const untold = this.#isEnding ? [] : this.#untold.splice(0)
    this.#isEnding = true
    for (const crashed of untold) void this.crashed(crashed)
    const toSay: Promise<unknown>[] = [...this.#forOthers]
    if (this.#producer.highWater !== this.#endSaidAt) {
      this.#endSaidAt = this.#producer.highWater
      toSay.push(this.#announce({ ended: how }))
    }
    if (toSay.length > 0) await within(timeout, Promise.all(toSay))
  }

  /** Announces nothing more, whatever comes. */
  close(): void {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  /** Says for another process that it died, again with each announcement until it is said. Never rejects. */
  crashed(crashed: CrashedProducer): Promise<void> {
    const saying = this.#sayCrashed(crashed).finally(() => this.#forOthers.delete(saying))
    this.#forOthers.add(saying)
    return saying
  }

  async #sayCrashed(crashed: CrashedProducer): Promise<void> {
    const { producerId, highWater, events } = crashed
    const { service, env } = this.#settings
    const said = { service, env, host: hostname(), queued: 0, spooled: events, ended: 'crashed' } as const
    if (await this.#say({ id: producerId, high_water: highWater, ...said })) return
    if (this.#untold.length < mostUntold) this.#untold.push(crashed)
    this.begin()
  }

  #next(wait: number): void {
    this.#timer = setTimeout(() => {
      void this.#announce({})
      for (const crashed of this.#untold.splice(0)) void this.crashed(crashed)
      this.#next(interval)
    }, wait)
    this.#timer.unref()
  }

  /** One after the other, so that the newest word is the last one. */
  #announce(more: { ended?: 'clean' | 'crashed' }): Promise<unknown> {
    const { service, env, waiting } = this.#settings
    this.#last = this.#last.then(() => {
      const { queued, spooled } = waiting()
      return this.#say({
        id: this.#producer.id,
        service,
        env,
        host: hostname(),
        pid: process.pid,
        started_at: this.#startedAt,
        high_water: this.#producer.highWater,
        queued,
        spooled,
        ...more,
      })
    })
    return this.#last
  }

  /** @returns whether there is nothing more to say about it */
  async #say(announcement: ProducerAnnouncement): Promise<boolean> {
    try {
      const client = await this.#client
      if (client.announce === undefined) return true
      await client.announce(announcement)
      this.#counts.announced++
      return true
    } catch {
      this.#counts.failed++
      return false
    }
  }
}

async function within(timeout: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>(resolve => {
    timer = setTimeout(resolve, timeout)
  })
  await Promise.race([work, late])
  clearTimeout(timer)
}
