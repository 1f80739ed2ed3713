import {
  type AdoptedProducer,
  type AuditEvent,
  type AuditLeftover,
  Delivery,
  type DeliveryStore,
  type DeliveryWords,
  durableStore,
  type SpoolChoice,
  type Warn,
} from '../audit/index.ts'
import type { Notices } from '../log/index.ts'
import { uuid7 } from '../request/index.ts'
import type { Chest } from './chest.ts'
import { chestClient } from './chest-client.ts'

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
  /** Writes of awaiting routes that failed. */
  readonly failed: number
}

/** Who writes to a chest, and where what waits for it survives. */
export interface ChestQueueSettings {
  readonly service: string
  readonly spool: SpoolChoice
  readonly notices: Notices
}

/** What waits for one chest, and its way there. */
export class ChestQueue {
  readonly chest: Chest
  readonly #delivery: Delivery
  /** Writes of awaiting routes that failed. */
  failed = 0

  /** @param isClosed whether it is to take nothing, and say so */
  constructor(chest: Chest, settings: ChestQueueSettings, isClosed: boolean) {
    this.chest = chest
    const { id, queue: { durable, capacity, linger } = {} } = chest
    const { notices } = settings
    const warn: Warn = (code, message, fields, level = 'WARNING') =>
      notices.tell(level, code, message, { ...fields, chest: id }, id)
    const options = {
      ...(capacity === undefined ? {} : { capacity }),
      ...(linger === undefined ? {} : { linger }),
    }
    const words = wordsFor(id)
    const store = durable === true && !isClosed ? spoolFor(chest, settings, warn, words) : undefined
    this.#delivery = new Delivery(chestClient(chest), warn, options, store, words)
    if (isClosed) this.#delivery.close()
  }

  offer(event: AuditEvent): void {
    this.#delivery.offer(event)
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
    return this.#delivery.close()
  }

  stats(): ChestStats {
    const { queued, spooled, delivered, dropped, rejected } = this.#delivery.stats()
    return { id: this.chest.id, queued, spooled, delivered, dropped, rejected, failed: this.failed }
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
): DeliveryStore {
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
    memoryOnly: 'the durable of the chest to false',
    remedy: () =>
      '"deedbox outbox list --dead" shows them, and "deedbox outbox replay --chest <url>" writes them once the cause is mended',
  }
}
