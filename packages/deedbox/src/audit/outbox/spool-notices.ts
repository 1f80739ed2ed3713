import { errorMessage } from '../../safety/index.ts'
import { capital, type DeliveryWords } from '../delivery-words.ts'
import { longestRecord } from './record.ts'

type Warn = (code: string, message: string, fields?: Record<string, unknown>) => void

/** What a process's own spool says about itself. */
export class SpoolNotices {
  readonly #warn: Warn
  readonly #words: DeliveryWords
  /** Events so far that no record can hold. */
  #unfit = 0

  constructor(warn: Warn, words: DeliveryWords) {
    this.#warn = warn
    this.#words = words
  }

  full(folder: string, size: number): void {
    const { spool, many, taker } = this.#words
    this.#warn(
      'spool_full',
      `${capital(spool)} is full, so new ${many.toLowerCase()} wait in memory only and a killed process loses them. ` +
        `See why ${taker} takes none, or raise audit.spool.size`,
      { folder, size },
    )
  }

  /** @param unwritten events that are in memory only */
  failed(error: unknown, folder: string, unwritten: number): void {
    const { spool, many } = this.#words
    this.#warn(
      'spool_failed',
      `${many} cannot be written to ${spool} and wait in memory only: ${errorMessage(error)}`,
      { folder, unwritten },
    )
  }

  unreadable(error: unknown, folder: string): void {
    this.#warn(
      'spool_unreadable',
      `${capital(this.#words.spool)} cannot be read and is tried again: ${errorMessage(error)}`,
      { folder },
    )
  }

  /** @param places how many of its places could not be read */
  damaged(folder: string, events: number, places: number): void {
    const { spool, counted } = this.#words
    this.#warn(
      'spool_damaged',
      `${capital(counted(events))} in ${spool} cannot be read any more; its files are moved out of the way`,
      { folder, events, places },
    )
  }

  unmoved(error: unknown, folder: string): void {
    this.#warn(
      'spool_failed',
      `${capital(this.#words.spool)} is damaged and cannot be moved out of the way: ${errorMessage(error)}`,
      { folder },
    )
  }

  lost(folder: string, events: number): void {
    this.#warn('spool_lost', `The folder of ${this.#words.spool} is gone; a new one is begun`, {
      folder,
      events,
    })
  }

  unfit(): void {
    this.#unfit++
    const { spool, counted, taker } = this.#words
    this.#warn(
      'spool_unfit',
      `Too long for ${spool}, which takes ${longestRecord / 1024 / 1024} MiB of one: ${counted(this.#unfit)} so far. What is too ` +
        `long waits in memory only, and a process that is killed before ${taker} has it loses it`,
      { unfit: this.#unfit, longest: longestRecord },
    )
  }
}
