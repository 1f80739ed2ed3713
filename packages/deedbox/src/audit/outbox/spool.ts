import { errorMessage } from '../../safety/index.ts'
import type { Backlog, BacklogListener } from '../backlog.ts'
import { EventQueue } from '../event-queue.ts'
import type { QueuedEvent } from '../queued-event.ts'
import { AdoptedSpools } from './adopted-spools.ts'
import { aboutBytes, newPlace, PendingEvents } from './pending-events.ts'
import { SpoolCursor } from './spool-cursor.ts'
import { type PlacedEvent, SpoolFiles } from './spool-files.ts'
import type { SpoolHome, SpoolHomeSettings } from './spool-home.ts'

/** What a spool needs to know. */
export interface SpoolSettings extends SpoolHomeSettings {
  /** Events that may wait in memory. */
  readonly capacity: number
  /** Bytes that the spool may have. */
  readonly size: number
  /** Whether each write waits for the disk. */
  readonly isSynced: boolean
}

/** Milliseconds that an event may be in memory alone, and between two tries on a full disk. (Ruling 23) */
const writeAfter = 10
const tryAgainAfter = 1_000
/** Bytes that wait for the next write, at most: what comes faster waits for the disk. */
const mostPending = 4 * 1024 * 1024

/**
 * Events that wait in memory and in the spool of their process; those that the memory has no room for wait in the spool
 * alone, and come back in their order. (Ruling 23)
 */
export class Spool implements Backlog {
  readonly isDurable = true
  readonly #settings: SpoolSettings
  readonly #listener: BacklogListener
  readonly #memory: EventQueue
  readonly #home: SpoolHome
  readonly #adopted: AdoptedSpools
  #files = new SpoolFiles('')
  readonly #pending = new PendingEvents()
  #lastId = 0
  /** Events in our files alone, where they begin, and the last one that was read back. */
  #spilled = 0
  #cursor: SpoolCursor | undefined
  #loaded = 0
  /** Events behind the cursor that are in memory all the same. */
  readonly #skipped = new Set<number>()
  /** Events that were left on disk for another process. */
  #left = 0
  #timer: NodeJS.Timeout | NodeJS.Immediate | undefined
  #writing: Promise<void> | undefined
  #isFailing = false
  #isClosed = false

  constructor(home: SpoolHome, settings: SpoolSettings, listener: BacklogListener) {
    this.#settings = settings
    this.#listener = listener
    this.#memory = new EventQueue(settings.capacity)
    this.#home = home
    home.onLost = () => this.#beginAnew()
    this.#adopted = new AdoptedSpools(this.#home, settings.warn, listener, settings.onAdopted)
  }

  get size(): number {
    return this.#memory.size
  }

  get spooled(): number {
    return this.#spilled + this.#left + this.#adopted.unread
  }

  add(entry: QueuedEvent): boolean {
    this.#home.touch()
    const isExplicit = entry.settle !== undefined
    const bytes = aboutBytes(entry.event.payload)
    const isRoom =
      this.#home.isUsable && this.#files.bytes + this.#pending.bytes + bytes <= this.#settings.size
    const canSpill = isRoom && !isExplicit && !this.#isFailing && this.#open()
    if ((this.#spilled === 0 || !canSpill) && this.#memory.add(entry)) {
      if (isRoom) this.#put(entry, true)
      return true
    }
    if (!canSpill) return false
    this.#cursor ??= this.#spill()
    this.#spilled++
    this.#put(entry, false)
    return true
  }

  survives(entry: QueuedEvent): Promise<boolean> {
    const { place } = entry
    if (place === undefined || this.#isFailing) return Promise.resolve(false)
    if (place.isSettled) return Promise.resolve(true)
    return new Promise(resolve => {
      place.onWritten = resolve
      this.#schedule(0)
    })
  }

  async refill(): Promise<void> {
    const { capacity } = this.#settings
    if (this.#memory.size > capacity / 2) return
    while (this.#spilled > 0 && this.#memory.size < capacity) {
      if (!(await this.#reload(capacity - this.#memory.size))) return
    }
    if (this.#spilled === 0 && !this.#isClosed) await this.#adopted.refill(this.#memory, capacity)
  }

  take(count: number, bytes: number): QueuedEvent[] {
    return this.#memory.take(count, bytes)
  }

  putBack(entries: readonly QueuedEvent[]): void {
    this.#memory.putBack(entries)
    for (const entry of entries) if (entry.place?.files.isGone) this.#put(entry, true)
  }

  remove(which: QueuedEvent | 'awaited'): QueuedEvent[] {
    return this.#memory.remove(which)
  }

  settle(entry: QueuedEvent): void {
    const { place } = entry
    if (place === undefined || place.isSettled) return
    place.isSettled = true
    place.onWritten?.(true)
    place.onWritten = undefined
    if (place.segment === undefined) return
    place.files.settle(place)
    if (place.files !== this.#files) this.#adopted.forget(place.files)
    this.#schedule(writeAfter)
  }

  persist(): number {
    this.#persist()
    return this.#memory.count(({ place }) => place?.segment === undefined)
  }

  #persist(): void {
    if ((this.#pending.length === 0 && this.#home.path === '') || !this.#open()) return
    const entries = this.#pending.take()
    try {
      this.#files.writeSync(entries, this.#settings.isSynced)
      this.#written(entries)
    } catch (error) {
      this.#failed(entries, error)
    }
    this.#adopted.persist()
    this.#home.mark()
  }

  close(): QueuedEvent[] {
    const waiting = this.#memory.take(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY)
    // Whoever waits for one of them is told, and may do something else about it.
    for (const entry of waiting) if (entry.settle !== undefined) this.settle(entry)
    this.#persist()
    this.#isClosed = true
    return waiting.filter(entry => entry.settle !== undefined || !this.leave(entry))
  }

  leave(entry: QueuedEvent): boolean {
    if (entry.settle !== undefined || entry.place?.segment === undefined) return false
    this.#left++
    return true
  }

  rest(): void {
    const isIdle = this.#writing === undefined && this.#pending.length === 0 && this.#memory.size === 0
    if (!isIdle || this.#files.waiting > 0 || !this.#adopted.isEmpty) return
    this.#files.close()
    this.#files = new SpoolFiles('')
    this.#home.leave(true)
  }

  end(): void {
    this.#cancel()
    this.#persist()
    void Promise.resolve(this.#writing).then(() => {
      this.#files.close()
      this.#adopted.close()
      this.#home.leave(this.#files.waiting === 0 && this.#adopted.isEmpty)
    })
  }

  #open(): boolean {
    if (!this.#home.open()) return false
    this.#files.folder = this.#home.path
    return true
  }

  #put(entry: QueuedEvent, inMemory: boolean): void {
    const place = newPlace(this.#files, ++this.#lastId, inMemory)
    if (inMemory && this.#spilled > 0) this.#skipped.add(place.id)
    entry.place = place
    this.#pending.add(entry as PlacedEvent)
    if (this.#pending.bytes > mostPending && !this.#isFailing) this.#persist()
    else this.#schedule(writeAfter)
  }

  /** From here on events wait in the files alone. */
  #spill(): SpoolCursor {
    this.#loaded = this.#lastId
    const isNext = (id: number): boolean => {
      if (id <= this.#loaded || this.#skipped.has(id)) return false
      this.#loaded = id
      return true
    }
    const last = this.#files.segments.at(-1)
    const from = last === undefined ? undefined : { number: last.number, offset: last.written }
    return new SpoolCursor(this.#files, isNext, from)
  }

  /** Brings events back from the files. @returns whether there may be more */
  async #reload(room: number): Promise<boolean> {
    const { files, damaged } = this.#cursor!
    if (this.#pending.hasSpilled) this.#persist()
    let entries: PlacedEvent[] = []
    try {
      entries = await this.#cursor!.next(room)
    } catch (error) {
      this.#settings.warn('spool_unreadable', `The spool cannot be read: ${errorMessage(error)}`, {
        folder: files.folder,
      })
    }
    // Meanwhile the folder may have been lost, and another begun.
    if (this.#cursor?.files !== files || this.#isClosed) return false
    const added = entries.filter(entry => this.#memory.add(entry))
    this.#cursor.unread(entries.slice(added.length))
    this.#spilled -= added.length
    const isAtEnd = entries.length === 0 && !this.#pending.hasSpilled
    if (isAtEnd && this.#spilled > 0) {
      const places = this.#cursor.damaged - damaged
      this.#settings.warn(
        'spool_damaged',
        `${this.#spilled} audit events of the spool cannot be read any more`,
        { folder: files.folder, events: this.#spilled, places },
      )
      this.#listener.onLost(this.#spilled)
      this.#spilled = 0
    }
    if (this.#spilled === 0) {
      this.#cursor = undefined
      this.#skipped.clear()
    }
    return added.length === entries.length
  }

  #schedule(delay: number): void {
    if (this.#isClosed) return
    if (this.#timer !== undefined) {
      if (delay > 0 || this.#isFailing) return
      this.#cancel()
    }
    this.#timer =
      delay === 0 ? setImmediate(() => this.#write()) : setTimeout(() => this.#write(), delay).unref()
  }

  #cancel(): void {
    clearTimeout(this.#timer as NodeJS.Timeout)
    clearImmediate(this.#timer as NodeJS.Immediate)
  }

  #write(): void {
    this.#timer = undefined
    if (this.#isClosed || this.#writing !== undefined) return
    this.#writing = this.#writePending().finally(() => {
      this.#writing = undefined
    })
  }

  async #writePending(): Promise<void> {
    if (this.#open()) {
      const entries = this.#pending.take()
      try {
        if (entries.length > 0 || this.#files.hasMarks) {
          await this.#files.write(entries, this.#settings.isSynced)
        }
        this.#written(entries)
      } catch (error) {
        this.#failed(entries, error)
      }
      await this.#adopted.write()
    } else if (!this.#home.isUsable) this.#giveUpPending()
    if (this.#pending.length === 0 && !this.#files.hasMarks && !this.#adopted.hasMarks) return
    this.#schedule(this.#isFailing ? tryAgainAfter : this.#pending.isAwaited ? 0 : writeAfter)
  }

  #written(entries: readonly PlacedEvent[]): void {
    this.#isFailing = false
    for (const { place } of entries) {
      place.onWritten?.(true)
      place.onWritten = undefined
    }
  }

  /** What could not be written goes on in memory, as far as there is room. */
  #failed(entries: readonly PlacedEvent[], error: unknown): void {
    this.#isFailing = true
    this.#pending.putBack(entries.filter(entry => this.#keepInMemory(entry)))
    this.#settings.warn(
      'spool_failed',
      `Audit events cannot be written to the spool and wait in memory only: ${errorMessage(error)}`,
      { folder: this.#files.folder, unwritten: this.#pending.length },
    )
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') this.#beginAnew()
    this.#schedule(tryAgainAfter)
  }

  #keepInMemory(entry: PlacedEvent): boolean {
    const { place } = entry
    place.onWritten?.(false)
    place.onWritten = undefined
    if (place.inMemory) return true
    this.#spilled--
    place.inMemory = this.#memory.add(entry)
    if (place.inMemory) this.#skipped.add(place.id)
    else this.#listener.onLost(1)
    return place.inMemory
  }

  #giveUpPending(): void {
    for (const { place } of this.#pending.take()) place.onWritten?.(false)
  }

  /** The folder is gone: removed by hand, or taken over because this process showed no sign of life for long. */
  #beginAnew(): void {
    if (this.#isClosed || !this.#home.isLost()) return
    this.#settings.warn('spool_lost', 'The folder of the spool is gone; a new one is begun', {
      folder: this.#files.folder,
      events: this.#spilled,
    })
    if (this.#spilled > 0) this.#listener.onLost(this.#spilled)
    this.#spilled = 0
    this.#cursor = undefined
    this.#skipped.clear()
    const gone = this.#files
    gone.isGone = true
    void Promise.resolve(this.#writing).then(() => gone.close())
    this.#files = new SpoolFiles('')
    this.#pending.take()
    this.#home.beginAnew()
    for (const entry of this.#memory.close()) {
      this.#memory.add(entry)
      this.#put(entry, true)
    }
  }
}
