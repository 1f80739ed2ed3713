import { type DeliveryStore, defaultCapacity, type Warn } from './delivery-options.ts'
import type { DeliveryWords } from './delivery-words.ts'
import { type AdoptedProducer, DeadLetters, deadBytesIn, Spool, SpoolHome } from './outbox/index.ts'

/** How what waits on the disk is doing. */
export interface StoreState {
  /** The share of its room that is used; `undefined` while nothing can be written. */
  readonly fill: number | undefined
  /** Bytes of dead letters, of all processes of the service. */
  readonly deadBytes: number
}

/** What a delivery works on, and how that is doing. */
export interface DurableStore extends DeliveryStore {
  state(): Promise<StoreState>
}

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
export function durableStore(settings: DurableStoreSettings): DurableStore {
  const { producerId, spool, taker, warn, words } = settings
  const spoolSettings = {
    ...settings,
    ...spool,
    ledger: taker,
    capacity: settings.capacity ?? defaultCapacity,
  }
  const home = new SpoolHome(spoolSettings)
  let made: Spool | undefined
  return {
    backlog: listener => {
      made = new Spool(home, spoolSettings, listener)
      return made
    },
    refused: new DeadLetters(home, producerId, spool.size / deadLetterShare, warn, words),
    async state() {
      const folder = await home.named
      return { fill: made?.fill, deadBytes: folder === undefined ? 0 : await deadBytesIn(folder) }
    },
  }
}
