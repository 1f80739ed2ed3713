export {
  type MovedLedger,
  type MoveMark,
  readMoveMark,
  refuseMoved,
  removeMoveMark,
  renameMoveMark,
  writeMoveMark,
} from './move-mark.ts'
export { closeForGood } from './sqlite/close-for-good.ts'
export { sentenceOf, sqliteCode } from './sqlite/connection.ts'
export { copyDatabase } from './sqlite/database-copy.ts'
export type { PackedRow } from './sqlite/packed-rows.ts'
export {
  attestation,
  maxLedgerId,
  positionOf,
  segmentLength,
  segmentOf,
  segmentRange,
} from './sqlite/schema.ts'
export { holdLock, isSealed, unsealFile, useLog } from './sqlite/sealed-file.ts'
export type { SqliteInspection } from './sqlite/sqlite-inspection.ts'
export { openSqliteReader, type SqliteReader } from './sqlite/sqlite-reader.ts'
export { openSqliteStore } from './sqlite/sqlite-store.ts'
export { termsOf } from './sqlite/terms.ts'
export {
  type ApiKeyRow,
  CommitOutcomeUnknown,
  type EventParts,
  type EventRow,
  type HeadRow,
  type IdempotencyRow,
  type KeyUse,
  type LedgerRow,
  type LedgerStore,
  type RawLeafRow,
  type StoreTransaction,
  type TileRow,
} from './store.ts'
