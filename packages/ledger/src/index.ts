export type { ApiKeyView, KeyOptions, KeyState, RotationOptions, Scope } from './access/index.ts'
export type { Acknowledgement, Refusal } from './acknowledgement.ts'
export { LedgerError, type LedgerErrorCode } from './errors.ts'
export { type EventInput, type EventMeta, limits, type Party } from './events/index.ts'
export type { ExportManifest, ExportQuery, LedgerExport } from './export/index.ts'
export type { LedgerRequest, LedgerSummary } from './further-ledgers.ts'
export { Ledger } from './ledger.ts'
export type { FollowedPage, FollowQuery, LedgerView } from './ledger-view.ts'
export {
  type OpenLedgerOptions,
  type OpenRawLedgerOptions,
  openLedger,
  openRawLedger,
} from './open-ledger.ts'
export type {
  Gap,
  ProducerFilters,
  ProducerPage,
  ProducerState,
  ProducerView,
} from './producers/index.ts'
export { RawLedger } from './raw-ledger.ts'
export type { EventCounts, EventFilters, EventPage, EventQuery } from './search/index.ts'
export type { Commit, CommitListener } from './sequencer/index.ts'
export type { StoredEvent } from './stored-event.ts'
export { type LogDescription, TiledLog } from './tiled-log.ts'
