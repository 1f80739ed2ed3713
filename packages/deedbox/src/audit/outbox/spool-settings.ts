import type { SpoolHomeSettings } from './spool-home.ts'

/** What a spool needs to know. */
export interface SpoolSettings extends SpoolHomeSettings {
  /** Events that may wait in memory. */
  readonly capacity: number
  /** Bytes that the spool may have. */
  readonly size: number
  /** Whether each write waits for the disk. */
  readonly isSynced: boolean
}
