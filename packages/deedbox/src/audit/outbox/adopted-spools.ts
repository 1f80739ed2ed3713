import { existsSync } from 'node:fs'
import { basename, join } from 'node:path'
import { errorMessage } from '../../safety/index.ts'
import type { BacklogListener } from '../backlog.ts'
import type { EventQueue } from '../event-queue.ts'
import type { PlaceFiles } from '../queued-event.ts'
import { type ClaimedSpool, claim, orphansIn, removeUnfinished } from './claim.ts'
import { ReadPause } from './read-pause.ts'
import { type OpenedSpool, openSpool } from './spool-cursor.ts'
import type { PlacedEvent } from './spool-files.ts'
import type { SpoolHome, SpoolHomeSettings } from './spool-home.ts'
import { ownerFile, SignWatch } from './spool-owner.ts'
import { asideOf, damagedFolder, readMark, removeSpool } from './spool-place.ts'

/** Milliseconds between two looks for spools that nobody has any more. */
const lookEvery = 30_000

interface AdoptedSpool extends OpenedSpool {
  /** Events that were not read yet, and those that cannot be read any more. */
  unread: number
  lost: number
  readonly pause: ReadPause
  /** The folder of its ledger. */
  readonly ledger: string
}

/** The spools of processes that are gone: found, taken over once, delivered, and removed. */
export class AdoptedSpools {
  readonly #home: SpoolHome
  readonly #settings: Pick<SpoolHomeSettings, 'warn' | 'words' | 'onAdopted'>
  readonly #listener: BacklogListener
  readonly #signs = new SignWatch()
  readonly #spools: AdoptedSpool[] = []
  #timer: NodeJS.Timeout
  #isClosed = false
  #looking: Promise<void> | undefined
  #isTaking = false
  /** Events taken over so far. */
  taken = 0

  constructor(
    home: SpoolHome,
    settings: Pick<SpoolHomeSettings, 'warn' | 'words' | 'onAdopted'>,
    listener: BacklogListener,
  ) {
    this.#home = home
    this.#settings = settings
    this.#listener = listener
    this.#timer = setTimeout(this.#look, 0).unref()
  }

  /** Events that wait on disk alone. */
  get unread(): number {
    let unread = 0
    for (const spool of this.#spools) unread += spool.unread
    return unread
  }

  /** Whether there are none, and none is being taken over at this moment. */
  get isEmpty(): boolean {
    return this.#spools.length === 0 && !this.#isTaking
  }

  /** Milliseconds until one of those that wait may be read; 0: now. */
  get pause(): number {
    const pauses = this.#spools.filter(({ unread }) => unread > 0).map(({ pause }) => pause.left)
    return pauses.length === 0 ? 0 : Math.min(...pauses)
  }

  get hasMarks(): boolean {
    return this.#spools.some(({ files }) => files.hasMarks)
  }

  /** Reads events into the memory, as many as it has room for. */
  async refill(memory: EventQueue, capacity: number): Promise<void> {
    for (const spool of [...this.#spools]) {
      while (spool.unread > 0 && spool.pause.left === 0) {
        const room = capacity - memory.size
        if (room <= 0) return
        const entries = await this.#next(spool, room)
        if (this.#isClosed) return
        if (entries === undefined) break
        const added = entries.filter(entry => memory.add(entry))
        spool.cursor.unread(entries.slice(added.length))
        spool.unread -= added.length
        if (added.length < entries.length) return
        if (entries.length === 0) this.#lose(spool)
      }
    }
  }

  /** An event of one of these spools needs no delivery any more: what is done with is removed, after a write of it. */
  forget(files: PlaceFiles): void {
    const index = this.#spools.findIndex(spool => spool.files === files)
    const spool = this.#spools[index]
    if (spool === undefined || spool.unread > 0 || spool.files.waiting > spool.lost) return
    if (spool.files.isWriting) return
    this.#spools.splice(index, 1)
    spool.files.close()
    try {
      if (spool.lost > 0) spool.files.moveTo(asideOf(spool.ledger, basename(spool.files.folder)))
      removeSpool(spool.files.folder)
    } catch (error) {
      this.#tellUnwritten(spool.files.folder, error)
    }
  }

  /** Writes the marks that are due. */
  async write(): Promise<void> {
    for (const { files } of [...this.#spools]) {
      this.forget(files)
      if (!files.hasMarks || !this.#spools.some(spool => spool.files === files)) continue
      await files.write([], false).catch(error => this.#tellUnwritten(files.folder, error))
      this.forget(files)
    }
  }

  /** The same, before it returns. */
  persist(): void {
    for (const { files } of this.#spools) {
      try {
        files.writeSync([], false)
      } catch (error) {
        this.#tellUnwritten(files.folder, error)
      }
    }
  }

  /** Takes over nothing more. Resolves once nothing is being taken over: until then it may come into our folder. */
  async stop(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    await this.#looking
  }

  /** After {@link stop}. No write may be under way. */
  close(): void {
    for (const { files } of this.#spools) files.close()
  }

  readonly #look = (): void => {
    void this.#home.named
      .then(ledger => {
        if (this.#isClosed || ledger === undefined) return undefined
        this.#looking = this.#adopt(ledger)
        return this.#looking
      })
      .catch(error => this.#tellUnreadable(error))
      .then(() => {
        this.#looking = undefined
        if (!this.#isClosed) this.#timer = setTimeout(this.#look, lookEvery).unref()
      })
  }

  async #adopt(ledger: string): Promise<void> {
    await removeUnfinished(ledger)
    for (const name of await orphansIn(ledger, folder => this.#signs.isSilent(folder))) {
      if (this.#isClosed || !this.#home.open()) return
      this.#isTaking = true
      try {
        for (const spool of await claim(ledger, name, this.#home.path)) await this.#take(spool, ledger)
      } catch (error) {
        this.#tellUnreadable(error, name)
      } finally {
        this.#isTaking = false
      }
    }
  }

  async #take({ producerId, path }: ClaimedSpool, ledger: string): Promise<void> {
    const highWater = readMark(path)
    const wasClosed = !existsSync(join(path, ownerFile))
    const opened = await openSpool(path)
    const { waiting: events } = opened
    for (const [file, places] of opened.damaged) {
      const message = `${this.#called} is damaged: what stood in ${places} places cannot be read`
      this.#settings.warn('spool_damaged', message, { file, places })
    }
    if (this.#isClosed) return
    if (events === 0) removeSpool(path)
    else this.#spools.push({ ...opened, unread: events, lost: 0, pause: new ReadPause(), ledger })
    this.taken += events
    this.#settings.onAdopted({ producerId, highWater, events, wasClosed })
    if (events > 0) this.#listener.onWork()
  }

  /** The next events; none at the end, `undefined` if that cannot be known now. */
  async #next({ cursor, files, pause }: AdoptedSpool, room: number): Promise<PlacedEvent[] | undefined> {
    try {
      const entries = await cursor.next(room)
      pause.succeeded()
      return entries
    } catch (error) {
      pause.failed()
      this.#tellUnreadable(error, basename(files.folder))
      return undefined
    }
  }

  /** Events were there when the spool was opened, and are not any more: what is left is nobody's to delete. */
  #lose(spool: AdoptedSpool): void {
    const { warn, words } = this.#settings
    warn(
      'spool_damaged',
      `${this.#called} is damaged: ${words.counted(spool.unread)} cannot be read any more; once the others are delivered, ` +
        `its files are in the folder "${damagedFolder}"`,
      { folder: spool.ledger, producer: basename(spool.files.folder), events: spool.unread },
    )
    this.#listener.onLost(spool.unread)
    spool.lost += spool.unread
    spool.unread = 0
    this.forget(spool.files)
  }

  /** At the beginning of a sentence. */
  get #called(): string {
    return `A spool for ${this.#settings.words.taker} that was left behind`
  }

  #tellUnreadable(error: unknown, producer?: string): void {
    this.#settings.warn(
      'spool_unreadable',
      `${this.#called} cannot be read and is tried again: ${errorMessage(error)}`,
      producer === undefined ? {} : { producer },
    )
  }

  #tellUnwritten(folder: string, error: unknown): void {
    const message = `${this.#called} cannot be written: ${errorMessage(error)}`
    this.#settings.warn('spool_failed', message, { folder })
  }
}
