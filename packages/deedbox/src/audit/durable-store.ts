import { type DeliveryStore, defaultCapacity, type Warn } from './delivery-options.ts'
import type { DeliveryWords } from './delivery-words.ts'
import { type AdoptedProducer, DeadLetters, Spool, SpoolHome } from './outbox/index.ts'

/** Where events survive the death of the process. */
export interface SpoolChoice {
  readonly folder: string
  /** Bytes. */
  readonly size: number
  readonly isSynced: boolean
}

/** Whose events survive, on their way to whom. */
export interface DurableStoreSettings {
  readonly service: string
  /** A UUID version 7 of this process's own. */
  readonly producerId: string
  /** The number of the event that came about last. */
  readonly highWater: () => number
  readonly spool: SpoolChoice
  /** The name of where they go, which no process may take for another's. Never anything of a key. */
  readonly taker: string | Promise<string | undefined>
  /** Events that may wait in memory. */
  readonly capacity: number | undefined
  readonly onAdopted: (producer: AdoptedProducer) => void
  readonly warn: Warn
  readonly words: DeliveryWords
}

/** Dead letters may have this part of the spool's size, on top of it. */
const deadLetterShare = 4

/** What a delivery works on so that what waits survives the death of the process. (Ruling 23) */
export function durableStore(settings: DurableStoreSettings): DeliveryStore {
  const { producerId, spool, taker, warn, words } = settings
  const spoolSettings = {
    ...settings,
    ...spool,
    ledger: taker,
    capacity: settings.capacity ?? defaultCapacity,
  }
  const home = new SpoolHome(spoolSettings)
  return {
    backlog: listener => new Spool(home, spoolSettings, listener),
    refused: new DeadLetters(home, producerId, spool.size / deadLetterShare, warn, words),
  }
}
