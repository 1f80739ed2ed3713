export { type AwaitMoveOptions, awaitMove } from './await-move.ts'
export { finishInstall, installedMove, type MovePlaces } from './install.ts'
export { cancelMove, type MoveOptions, type MoveReport, moveLedger } from './move-ledger.ts'
export type { MoveStatus } from './wire.ts'
