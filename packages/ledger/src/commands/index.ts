import type { LedgerCommand } from './command.ts'
import { ledgers } from './ledgers.ts'
import { serve } from './serve.ts'

export type { DataReport, Finding } from '../verification/index.ts'
export type { CommandTools, LedgerCommand } from './command.ts'
export { type VerifyFolderOptions, verifyEveryLedger, verifyFolder } from './verify-folder.ts'

/** The ledger's commands of the `deedbox` program, by name. */
export const commands: Readonly<Record<string, LedgerCommand>> = { ledgers, serve }
