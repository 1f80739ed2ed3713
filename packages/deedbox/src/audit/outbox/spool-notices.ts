import { errorMessage } from '../../safety/index.ts'

type Warn = (code: string, message: string, fields?: Record<string, unknown>) => void

/** What a process's own spool says about itself. */
export class SpoolNotices {
  readonly #warn: Warn

  constructor(warn: Warn) {
    this.#warn = warn
  }

  full(folder: string, size: number): void {
    this.#warn(
      'spool_full',
      'The spool is full, so new audit events wait in memory only and a killed process loses them. ' +
        'See why the ledger takes none, or raise audit.spool.size',
      { folder, size },
    )
  }

  /** @param unwritten events that are in memory only */
  failed(error: unknown, folder: string, unwritten: number): void {
    this.#warn(
      'spool_failed',
      `Audit events cannot be written to the spool and wait in memory only: ${errorMessage(error)}`,
      { folder, unwritten },
    )
  }

  unreadable(error: unknown, folder: string): void {
    this.#warn('spool_unreadable', `The spool cannot be read and is tried again: ${errorMessage(error)}`, {
      folder,
    })
  }

  /** @param places how many of its places could not be read */
  damaged(folder: string, events: number, places: number): void {
    this.#warn(
      'spool_damaged',
      `${events} audit events of the spool cannot be read any more; its files are moved out of the way`,
      { folder, events, places },
    )
  }

  unmoved(error: unknown, folder: string): void {
    this.#warn('spool_failed', `The damaged spool cannot be moved out of the way: ${errorMessage(error)}`, {
      folder,
    })
  }

  lost(folder: string, events: number): void {
    this.#warn('spool_lost', 'The folder of the spool is gone; a new one is begun', { folder, events })
  }
}
