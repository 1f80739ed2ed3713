export { kindOf, type Severity, severityOf } from '../audit/index.ts'
export {
  assertEvent,
  assertLine,
  assertNoEvent,
  assertNoSecret,
  assertOneEventPerRequest,
  type LinePattern,
} from './assertions.ts'
export { type CapturedLog, captureLog, type ParsedLine, parseLine } from './captured-log.ts'
export { clampPayload, hashBody } from './event-facts.ts'
export { fieldSets } from './field-sets.ts'
export { type FixedClock, type FixedIds, useFixedClock, useFixedIds } from './fixed-clock.ts'
export {
  type EventPattern,
  type MemoryLedger,
  type MemoryLedgerAddress,
  type MemoryLedgerOptions,
  memoryLedger,
} from './memory-ledger.ts'
export type { MemoryEvent } from './memory-store.ts'
export type { FailureScope, ScriptedAnswer } from './scripted-failures.ts'
