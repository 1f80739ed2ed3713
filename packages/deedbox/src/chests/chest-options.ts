import type { ChestLogger, ChestQueueOptions } from '../tracking/index.ts'

/** What all chests of this package take. */
export interface ChestOptions extends ChestQueueOptions {
  /** Stands in the chest's id. Each chest has a default of its own. (FC-15) */
  readonly name?: string | undefined
  /** Kept with each entry; in InfluxDB, tags of its points. The original's name stands for it too. (FC-25) */
  readonly tags?: Readonly<Record<string, string>> | undefined
  readonly customTags?: Readonly<Record<string, string>> | undefined
  /** Told of each write at DEBUG and of each failure at WARN. Default: nobody. (Ruling 25) */
  readonly logger?: ChestLogger | null | undefined
}
