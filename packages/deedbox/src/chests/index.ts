export {
  type CheckMessage,
  type Chest,
  ChestError,
  type ChestErrorCode,
  type ChestLogger,
  type ChestQueueOptions,
  type ContextEntry,
  contextEntry,
  type EntryFacts,
  type EntryFilter,
  type ReadableChest,
  type StoredEntry,
  type TrackedRecord,
  type TrackedValue,
} from '../tracking/index.ts'
export type { ChestOptions } from './chest-options.ts'
export { type InfluxOptions, influx } from './influx.ts'
export type { InfluxType } from './influx-fields.ts'
export type { InfluxAddress } from './influx-place.ts'
export type { InfluxLayout } from './influx-points.ts'
