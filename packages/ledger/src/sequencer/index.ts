export type { AdminChange, Refused } from './admin-change.ts'
export { checkExtends } from './check-extends.ts'
export { type Commit, type CommitListener, CommitListeners } from './commit.ts'
export { checkKeys } from './create-ledger.ts'
export { type FurtherLedger, type NewLedger, prepareFurtherLedger } from './further-ledger.ts'
export { openInlineRawWriter, openInlineWriter, openWriterOn } from './inline-writer.ts'
export { Queue } from './queue.ts'
export { defaultGuardFolder, fileGuard, type RollbackGuard, readGuard } from './rollback-guard.ts'
export {
  adminSubmission,
  type OpenedLedger,
  type Sequenced,
  type Submission,
  type Writer,
  type WriterConfig,
} from './submission.ts'
export { openThreadWriter } from './thread-writer.ts'
export { indexOfTxId, newTxId } from './tx-id.ts'
