import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { errorMessage } from '../../safety/index.ts'
import type { BacklogListener } from '../backlog.ts'
import type { EventQueue } from '../event-queue.ts'
import type { PlaceFiles } from '../queued-event.ts'
import { type ClaimedSpool, claim, orphansIn } from './claim.ts'
import { type OpenedSpool, openSpool } from './spool-cursor.ts'
import type { AdoptedProducer, SpoolHome } from './spool-home.ts'
import { ownerFile, SignWatch } from './spool-owner.ts'
import { readMark, removeSpool } from './spool-place.ts'

type Warn = (code: string, message: string, fields?: Record<string, unknown>) => void

/** Milliseconds between two looks for spools that nobody has any more. */
const lookEvery = 30_000

interface AdoptedSpool extends OpenedSpool {
  /** Events that were not read yet, and those that cannot be read any more. */
  unread: number
  lost: number
}

/** The spools of processes that are gone: found, taken over once, delivered, and removed. */
export class AdoptedSpools {
  readonly #home: SpoolHome
  readonly #warn: Warn
  readonly #listener: BacklogListener
  readonly #onAdopted: (producer: AdoptedProducer) => void
  readonly #signs = new SignWatch()
  readonly #spools: AdoptedSpool[] = []
  #timer: NodeJS.Timeout
  #isClosed = false
  /** Events taken over so far. */
  taken = 0

  constructor(
    home: SpoolHome,
    warn: Warn,
    listener: BacklogListener,
    onAdopted: (producer: AdoptedProducer) => void,
  ) {
    this.#home = home
    this.#warn = warn
    this.#listener = listener
    this.#onAdopted = onAdopted
    this.#timer = setTimeout(this.#look, 0).unref()
  }

  /** Events that wait on disk alone. */
  get unread(): number {
    let unread = 0
    for (const spool of this.#spools) unread += spool.unread
    return unread
  }

  get isEmpty(): boolean {
    return this.#spools.length === 0
  }

  get hasMarks(): boolean {
    return this.#spools.some(({ files }) => files.hasMarks)
  }

  /** Reads events into the memory, as many as it has room for. */
  async refill(memory: EventQueue, capacity: number): Promise<void> {
    for (const spool of [...this.#spools]) {
      while (spool.unread > 0) {
        const room = capacity - memory.size
        if (room <= 0) return
        const entries = await spool.cursor.next(room).catch(() => [])
        if (this.#isClosed) return
        const added = entries.filter(entry => memory.add(entry))
        spool.cursor.unread(entries.slice(added.length))
        spool.unread -= added.length
        if (added.length < entries.length) return
        if (entries.length === 0) this.#lose(spool)
      }
    }
  }

  /** An event of one of these spools needs no delivery any more: what is done with is removed. */
  forget(files: PlaceFiles): void {
    const index = this.#spools.findIndex(spool => spool.files === files)
    const spool = this.#spools[index]
    if (spool === undefined || spool.unread > 0 || spool.files.waiting > spool.lost) return
    this.#spools.splice(index, 1)
    spool.files.close()
    removeSpool(spool.files.folder)
  }

  /** Writes the marks that are due. */
  async write(): Promise<void> {
    for (const { files } of [...this.#spools]) {
      if (!files.hasMarks) continue
      await files.write([], false).catch(error => this.#tellUnwritten(files.folder, error))
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

  close(): void {
    this.#isClosed = true
    clearTimeout(this.#timer)
    for (const { files } of this.#spools) files.close()
  }

  readonly #look = (): void => {
    void this.#adopt().then(() => {
      if (!this.#isClosed) this.#timer = setTimeout(this.#look, lookEvery).unref()
    })
  }

  async #adopt(): Promise<void> {
    const ledgerFolder = await this.#home.named
    if (this.#isClosed || ledgerFolder === undefined) return
    for (const name of await orphansIn(ledgerFolder, this.#signs)) {
      if (this.#isClosed || !this.#home.open()) return
      try {
        for (const spool of await claim(ledgerFolder, name, this.#home.path)) await this.#take(spool)
      } catch (error) {
        this.#warn(
          'spool_unreadable',
          `A spool that was left behind cannot be read: ${errorMessage(error)}`,
          {
            producer: name,
          },
        )
      }
    }
  }

  async #take({ producerId, path }: ClaimedSpool): Promise<void> {
    const highWater = readMark(path)
    const wasClosed = !existsSync(join(path, ownerFile))
    const opened = await openSpool(path)
    const { waiting: events } = opened
    for (const [file, places] of opened.damaged) {
      const message = `A spool that was left behind is damaged: what stood in ${places} places cannot be read`
      this.#warn('spool_damaged', message, { file, places })
    }
    if (this.#isClosed) return
    if (events === 0) removeSpool(path)
    else this.#spools.push({ ...opened, unread: events, lost: 0 })
    this.taken += events
    this.#onAdopted({ producerId, highWater, events, wasClosed })
    if (events > 0) this.#listener.onWork()
  }

  /** Events were there when the spool was opened, and are not any more. */
  #lose(spool: AdoptedSpool): void {
    this.#warn('spool_damaged', `${spool.unread} audit events of a spool cannot be read any more`, {
      folder: spool.files.folder,
      events: spool.unread,
    })
    this.#listener.onLost(spool.unread)
    spool.lost += spool.unread
    spool.unread = 0
    this.forget(spool.files)
  }

  #tellUnwritten(folder: string, error: unknown): void {
    this.#warn('spool_failed', `The spool cannot be written: ${errorMessage(error)}`, { folder })
  }
}
