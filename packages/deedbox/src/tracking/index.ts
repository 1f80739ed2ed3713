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
export { writeTold } from './chest-client.ts'
export { ChestError, type ChestErrorCode } from './chest-error.ts'
export { contextEntry } from './context-entry.ts'
export { type ChestStats, type TrackedFacts, Tracker } from './tracker.ts'
export {
  checkChests,
  type TrackedInput,
  type TrackedOptions,
  type TrackedVariables,
  type TrackingRule,
  trackingRule,
} from './tracking-rule.ts'
