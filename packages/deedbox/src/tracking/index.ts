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
export { type ChestQueue, type ChestStats, isSpoolName, spoolName } from './chest-queue.ts'
export { contextEntry } from './context-entry.ts'
export {
  createTracked,
  type Tracked,
  type TrackedDecorator,
  type TrackedMiddleware,
  trackedDecorator,
} from './tracked.ts'
export { type TrackedFacts, Tracker } from './tracker.ts'
export {
  checkChests,
  type TrackedInput,
  type TrackedOptions,
  type TrackedVariables,
  type TrackingRule,
  trackingRule,
} from './tracking-rule.ts'
