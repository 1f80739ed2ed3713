import { statSync } from 'node:fs'
import { errorMessage } from '../../safety/index.ts'
import { capital, type DeliveryWords } from '../delivery-words.ts'
import { giveSign, signEvery } from './spool-owner.ts'
import { ledgerFolder, makeProducerFolder, type ProducerFolder } from './spool-place.ts'

/** Milliseconds until a folder that could not be made is tried again: when it is not allowed, and else. */
const forbiddenPause = 60_000
const shortPause = 1_000
const forbidden: ReadonlySet<string | undefined> = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOTDIR'])

type Warn = (code: string, message: string, fields?: Record<string, unknown>) => void

/** What became known about a process that ended without delivering everything. */
export interface AdoptedProducer {
  readonly producerId: string
  /** The highest number of an event that it had, also of those that never came into its spool; 0 if unknown. */
  readonly highWater: number
  /** Events that are delivered in its place. */
  readonly events: number
  /** Whether it left them by closing its instance, so that it said itself how it ended. */
  readonly wasClosed: boolean
}

/** Whose spool it is, and where. */
export interface SpoolHomeSettings {
  readonly folder: string
  readonly service: string
  /** The name of the ledger: never a key. For one that is being opened it comes later; without one there is no spool. */
  readonly ledger: string | Promise<string | undefined>
  readonly producerId: string
  /** The number of the event that came about last. */
  readonly highWater: () => number
  readonly onAdopted: (producer: AdoptedProducer) => void
  readonly warn: Warn
  readonly words: DeliveryWords
}

/** The folder of one producer: made with its first event, marked as living, and left at the end. */
export class SpoolHome {
  readonly #settings: SpoolHomeSettings
  /** Told when the folder is gone. */
  onLost: (() => void) | undefined
  /** Resolves to the folder of all that this service sends to this ledger. */
  readonly named: Promise<string | undefined>
  #ledger: { readonly name: string; readonly folder: string } | undefined
  #folder: ProducerFolder | undefined
  #signs: NodeJS.Timeout | undefined
  #marked = 0
  #isMarking = false
  #isNameless = false
  #tryAgainAt = 0

  constructor(settings: SpoolHomeSettings) {
    this.#settings = settings
    const { ledger } = settings
    if (typeof ledger === 'string') this.#name(ledger)
    this.named = Promise.resolve(ledger).then(name => this.#name(name))
  }

  /** Whether the folder could be made, or may be tried to be. */
  get isUsable(): boolean {
    return this.#folder !== undefined || (!this.#isNameless && performance.now() >= this.#tryAgainAt)
  }

  get path(): string {
    return this.#folder?.path ?? ''
  }

  /** Makes the folder unless it is there. @returns whether it is */
  open(): boolean {
    if (this.#folder !== undefined) return true
    const ledger = this.#ledger
    if (!this.isUsable || ledger === undefined) return false
    const { service, producerId, warn, words } = this.#settings
    try {
      this.#folder = makeProducerFolder({ ...ledger, service }, producerId)
    } catch (error) {
      const isForbidden = forbidden.has((error as NodeJS.ErrnoException).code)
      this.#tryAgainAt = performance.now() + (isForbidden ? forbiddenPause : shortPause)
      warn(
        'spool_unusable',
        `${capital(words.spool)} cannot be written, so ${words.many.toLowerCase()} wait in memory only and a killed process ` +
          "loses them; it is tried again. Set DEEDBOX_SPOOL to a folder of the service's own, or " +
          `${words.memoryOnly}: ${errorMessage(error)}`,
        { folder: this.#settings.folder },
      )
      return false
    }
    this.#signs = setInterval(() => {
      if (this.#folder !== undefined && !giveSign(this.#folder.path)) this.onLost?.()
    }, signEvery).unref()
    return true
  }

  #name(name: string | undefined): string | undefined {
    if (name === undefined) {
      this.#isNameless = true
      return undefined
    }
    this.#ledger ??= { name, folder: ledgerFolder(this.#settings.folder, this.#settings.service, name) }
    return this.#ledger.folder
  }

  /** Has the highest number written once for all events that come about together: a turn's requests do. */
  touch(): void {
    if (this.#isMarking) return
    this.#isMarking = true
    queueMicrotask(this.#markSoon)
  }

  readonly #markSoon = (): void => {
    this.#isMarking = false
    if (this.open()) this.mark()
  }

  /** Writes the highest number, unless it is written. */
  mark(): void {
    const highWater = this.#settings.highWater()
    if (this.#folder === undefined || highWater === this.#marked) return
    try {
      this.#folder.mark(highWater)
      this.#marked = highWater
    } catch (error) {
      const { warn, words } = this.#settings
      warn('spool_failed', `${capital(words.spool)} cannot be written: ${errorMessage(error)}`)
    }
  }

  /** Whether there was a folder, and is none any more. */
  isLost(): boolean {
    if (this.#folder === undefined) return false
    try {
      return statSync(this.#folder.path, { throwIfNoEntry: false }) === undefined
    } catch {
      // That it cannot be looked at now says nothing.
      return false
    }
  }

  /** Has the folder made once more. */
  beginAnew(): void {
    this.leave(false)
    this.touch()
  }

  /** The folder is others' from now on; an empty one is removed. */
  leave(isEmpty: boolean): void {
    clearInterval(this.#signs)
    this.#marked = 0
    this.#folder?.leave(isEmpty)
    this.#folder = undefined
  }
}
