import {
  type AdoptedProducer,
  type AuditEvent,
  type AuditLeftover,
  Delivery,
  type DeliveryWords,
  type DurableStore,
  defaultCapacity,
  durableStore,
  type SpoolChoice,
  type Warn,
} from '../audit/index.ts'
import type { Notices } from '../log/index.ts'
import { uuid7 } from '../request/index.ts'
import { errorMessage, type Redactor } from '../safety/index.ts'
import type { Chest } from './chest.ts'
import { chestClient, failureOf } from './chest-client.ts'
import { ChestError } from './chest-error.ts'

/** What became of the tracked variables for one chest, counted in requests and jobs. */
export interface ChestStats {
  readonly id: string
  /** Waiting in memory or on their way. */
  readonly queued: number
  /** Waiting in the spool alone. */
  readonly spooled: number
  /** Taken by the chest. */
  readonly delivered: number
  /** Refused because there was no room, or left when the instance was closed. */
  readonly dropped: number
  /** Refused by the chest for good. */
  readonly rejected: number
  /** Writes that a response waited for, and that failed in time. Unless the chest refused them, they wait in its queue on. */
  readonly failed: number
}

/** Who writes to a chest, and where what waits for it survives. */
export interface ChestQueueSettings {
  readonly service: string
  readonly spool: SpoolChoice
  readonly notices: Notices
  readonly redactor: Redactor
}

/** What waits for one chest, and its way there. */
export class ChestQueue {
  readonly chest: Chest
  readonly #notices: Notices
  readonly #delivery: Delivery
  /** Requests that may wait in memory. */
  readonly capacity: number
  /** How what waits on the disk is doing; `undefined` where it waits in memory alone. */
  readonly store: DurableStore | undefined
  readonly #redact: Redactor['text']
  /** Ends the waiting of responses. */
  readonly #waiting = new Set<(error: ChestError) => void>()
  #failed = 0

  /** @param isClosed whether it is to take nothing, and say so */
  constructor(chest: Chest, settings: ChestQueueSettings, isClosed: boolean) {
    this.chest = chest
    this.#notices = settings.notices
    this.#redact = settings.redactor.text
    const { id, queue: { durable, capacity, linger } = {} } = chest
    const { notices } = settings
    const warn: Warn = (code, message, fields, level = 'WARNING') =>
      notices.tell(level, code, this.#redact(message), { ...fields, chest: id }, id)
    const options = {
      ...(capacity === undefined ? {} : { capacity }),
      ...(linger === undefined ? {} : { linger }),
    }
    const words = wordsFor(id)
    this.capacity = capacity ?? defaultCapacity
    this.store = durable === true && !isClosed ? spoolFor(chest, settings, warn, words) : undefined
    const client = chestClient(chest, undefined, this.#redact)
    this.#delivery = new Delivery(client, warn, options, this.store, words)
    if (isClosed) this.#delivery.close()
  }

  offer(event: AuditEvent): void {
    this.#delivery.offer(event)
  }

  /**
   * Writes at once, before all that waits. Resolves to why the chest did not take it; what it may take later waits in the
   * queue then.
   * @param timeout milliseconds
   */
  async write(event: AuditEvent, timeout: number): Promise<unknown> {
    const error = await this.#attempt(event, timeout)
    if (error === undefined) return undefined
    this.#failed++
    const { id } = this.chest
    this.#notices.tell(
      'WARNING',
      'chest_failed',
      this.#redact(
        `A response waited for its tracked variables to be written, which failed: ${errorMessage(error)}`,
      ),
      { chest: id, failed: this.#failed, request_id: event.requestId },
      id,
    )
    return error
  }

  #attempt(event: AuditEvent, timeout: number): Promise<ChestError | undefined> {
    return new Promise(resolve => {
      const end = (error: ChestError | undefined): void => {
        clearTimeout(timer)
        this.#waiting.delete(end)
        resolve(error)
      }
      const timer = setTimeout(() => {
        const problem = `has not taken tracked variables within ${timeout} milliseconds`
        end(new ChestError('unavailable', this.chest.id, problem))
        stopWaiting()
      }, timeout)
      this.#waiting.add(end)
      const stopWaiting = this.#delivery.attempt(event, outcome => end(failureOf(outcome, this.chest)))
    })
  }

  flush(timeout: number): Promise<boolean> {
    return this.#delivery.flush(timeout)
  }

  /** Writes out what only memory holds, before it returns. Returns what would become of what waits if the process died now. */
  persist(): AuditLeftover {
    const dropped = this.#delivery.persist()
    const { queued, spooled } = this.#delivery.stats()
    return { dropped, spooled: queued - dropped + spooled }
  }

  close(): AuditLeftover {
    const problem = 'this instance was closed before it took tracked variables'
    for (const end of this.#waiting) end(new ChestError('unavailable', this.chest.id, problem))
    return this.#delivery.close()
  }

  stats(): ChestStats {
    const { queued, spooled, delivered, dropped, rejected } = this.#delivery.stats()
    return { id: this.chest.id, queued, spooled, delivered, dropped, rejected, failed: this.#failed }
  }
}

const spoolPrefix = 'chest '

/** A chest by its id and its address: what waits for one is never written to another. */
export function spoolName({ id, address }: Pick<Chest, 'id' | 'address'>): string {
  return `${spoolPrefix}${id}${address === undefined ? '' : ` at ${address}`}`
}

/** Whether what stands in a spool under this name is for a chest. */
export function isSpoolName(name: string): boolean {
  return name.startsWith(spoolPrefix)
}

function spoolFor(
  chest: Chest,
  { service, spool }: ChestQueueSettings,
  warn: Warn,
  words: DeliveryWords,
): DurableStore {
  return durableStore({
    service,
    producerId: uuid7(),
    highWater: () => 0,
    spool,
    taker: spoolName(chest),
    capacity: chest.queue?.capacity,
    onAdopted: ({ producerId, events }: AdoptedProducer) => {
      if (events === 0) return
      const message = `Written to ${words.taker} in place of a process that ended: ${words.counted(events)}`
      warn('chest_adopted', message, { producer: producerId, requests: events }, 'INFO')
    },
    warn,
    words,
  })
}

function wordsFor(id: string): DeliveryWords {
  return {
    code: 'chest',
    one: 'the tracked variables of a request',
    many: 'Tracked variables',
    counted: count => `the tracked variables of ${count} request${count === 1 ? '' : 's'}`,
    taker: id,
    spool: `the spool of ${id}`,
    memoryOnly: 'durable of the chest to false',
    remedy: () =>
      '"deedbox outbox list --dead" shows them, and "deedbox outbox replay --chest <url>" writes them once the cause is mended',
  }
}
