import { backup } from './backup.ts'
import type { LedgerCommand } from './command.ts'
import { events } from './events.ts'
import { exportEvents } from './export.ts'
import { keys } from './keys.ts'
import { ledgers } from './ledgers.ts'
import { move } from './move.ts'
import { producers } from './producers.ts'
import { recover } from './recover.ts'
import { restore } from './restore.ts'
import { serve } from './serve.ts'
import { stats } from './stats.ts'
import { tamperLab } from './tamper-lab.ts'

export type { DataReport, Finding } from '../verification/index.ts'
export type { CommandTools, LedgerCommand } from './command.ts'
export { type RequestEventsOptions, requestEvents } from './request-events.ts'
export {
  type FolderReport,
  type VerifyFolderOptions,
  verifyEveryLedger,
  verifyFolder,
} from './verify-folder.ts'

/** The ledger's commands of the `deedbox` program, by name. */
export const commands: Readonly<Record<string, LedgerCommand>> = {
  serve,
  events,
  export: exportEvents,
  stats,
  producers,
  keys,
  ledgers,
  backup,
  restore,
  recover,
  move,
  'tamper-lab': tamperLab,
}
