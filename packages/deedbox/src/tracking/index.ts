export type {
  CheckMessage,
  Chest,
  ChestLogger,
  ChestQueueOptions,
  ContextEntry,
  EntryFacts,
  EntryFilter,
  ReadableChest,
  StoredEntry,
  TrackedRecord,
  TrackedValue,
} from './chest.ts'
export { chestClient, writeTold } from './chest-client.ts'
export { ChestError, type ChestErrorCode } from './chest-error.ts'
export { type ChestStats, isSpoolName, spoolName } from './chest-queue.ts'
export { contextEntry } from './context-entry.ts'
export { type TrackedFacts, Tracker } from './tracker.ts'
export {
  checkChests,
  type TrackedInput,
  type TrackedOptions,
  type TrackedVariables,
  type TrackingRule,
  trackingRule,
} from './tracking-rule.ts'
