import { basename, dirname } from 'node:path'
import type { Backlog, BacklogListener } from '../backlog.ts'
import { EventQueue } from '../event-queue.ts'
import type { QueuedEvent } from '../queued-event.ts'
import { AdoptedSpools } from './adopted-spools.ts'
import { aboutBytes, isUnplaced, newPlace, PendingEvents, tellWritten } from './pending-events.ts'
import { Nap } from './read-pause.ts'
import { isRecordable } from './record.ts'
import { SpilledEvents } from './spilled-events.ts'
import { type PlacedEvent, SpoolFiles } from './spool-files.ts'
import type { SpoolHome } from './spool-home.ts'
import { SpoolNotices } from './spool-notices.ts'
import { asideOf } from './spool-place.ts'
import type { SpoolSettings } from './spool-settings.ts'
import { mostPending, tryAgainAfter, WriteTurns, writeAfter } from './write-turns.ts'

/**
 * Events that wait in memory and in the spool of their process; those that the memory has no room for wait in the spool
 * alone, and come back in their order. (Ruling 23)
 */
export class Spool implements Backlog {
  readonly isDurable = true
  readonly #settings: SpoolSettings
  readonly #listener: BacklogListener
  readonly #notices: SpoolNotices
  readonly #memory: EventQueue
  readonly #home: SpoolHome
  readonly #adopted: AdoptedSpools
  #files = new SpoolFiles('')
  readonly #pending = new PendingEvents()
  #lastId = 0
  readonly #spilled = new SpilledEvents()
  readonly #nap = new Nap()
  /** Whether events may be in memory alone that could be written later. */
  #hasUnplaced = false
  /** Events that were left on disk for another process. */
  #left = 0
  readonly #turns = new WriteTurns(() => this.#write())
  #isFailing = false
  #isClosed = false

  constructor(home: SpoolHome, settings: SpoolSettings, listener: BacklogListener) {
    this.#settings = settings
    this.#listener = listener
    this.#notices = new SpoolNotices(settings.warn, settings.words)
    this.#memory = new EventQueue(settings.capacity)
    this.#home = home
    home.onLost = () => this.#beginAnew()
    const onWork = (): void => {
      this.#nap.wake()
      listener.onWork()
    }
    this.#adopted = new AdoptedSpools(home, settings, { ...listener, onWork })
  }

  get size(): number {
    return this.#memory.size
  }

  get spooled(): number {
    return this.#spilled.count + this.#left + this.#adopted.unread
  }

  /** The share of its room that is used; `undefined` while nothing can be written. */
  get fill(): number | undefined {
    const bytes = this.#files.bytes + this.#pending.bytes
    return this.#isFailing || !this.#home.isUsable ? undefined : bytes / this.#settings.size
  }

  add(entry: QueuedEvent): boolean {
    this.#home.touch()
    this.#nap.wake()
    entry.isUnfit = !isRecordable(entry.event)
    const isRoom = !entry.isUnfit && this.#hasRoom(entry)
    const isPatient = entry.settle === undefined && entry.onAttempt === undefined
    const canSpill = isRoom && isPatient && !this.#isFailing && this.#open()
    if ((this.#spilled.count === 0 || !canSpill) && this.#memory.add(entry)) {
      if (isRoom) this.#put(entry, true)
      else if (entry.isUnfit) this.#notices.unfit()
      else this.#leaveUnplaced()
      return true
    }
    if (!canSpill) return false
    this.#spilled.add(this.#files, this.#lastId)
    this.#put(entry, false)
    return true
  }

  survives(entry: QueuedEvent): Promise<boolean> {
    const { place } = entry
    if (place === undefined || this.#isFailing) return Promise.resolve(false)
    if (place.isSettled || place.isWritten) return Promise.resolve(true)
    return new Promise(resolve => {
      place.onWritten = resolve
      this.#schedule(0)
    })
  }

  async refill(): Promise<void> {
    const { capacity } = this.#settings
    if (this.#memory.size > capacity / 2) return
    while (this.#spilled.count > 0 && this.#memory.size < capacity && this.#spilled.pause === 0) {
      if (!(await this.#reload(capacity - this.#memory.size))) return
    }
    if (this.#spilled.count === 0 && !this.#isClosed) await this.#adopted.refill(this.#memory, capacity)
    const pause = this.#spilled.count > 0 ? this.#spilled.pause : this.#adopted.pause
    if (pause > 0 && this.#memory.size === 0 && !this.#isClosed) await this.#nap.sleep(pause)
  }

  take(count: number, bytes: number, isOnlyAwaited?: boolean): QueuedEvent[] {
    return this.#memory.take(count, bytes, isOnlyAwaited)
  }

  putBack(entries: readonly QueuedEvent[]): void {
    this.#memory.putBack(entries)
    for (const entry of entries) if (entry.place?.files.isGone) this.#put(entry, true)
    if (entries.some(isUnplaced)) this.#leaveUnplaced()
  }

  remove(which: QueuedEvent | 'awaited'): QueuedEvent[] {
    return this.#memory.remove(which)
  }

  settle(entry: QueuedEvent): void {
    const { place } = entry
    if (place === undefined || place.isSettled) return
    place.isSettled = true
    tellWritten(place, true)
    place.files.settle(place)
    if (place.segment === undefined) return
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
    this.#nap.wake()
    return waiting.filter(entry => entry.settle !== undefined || !this.leave(entry))
  }

  leave(entry: QueuedEvent): boolean {
    if (entry.settle !== undefined || entry.place?.segment === undefined) return false
    this.#left++
    return true
  }

  rest(): void {
    const isIdle = this.#pending.length === 0 && this.#memory.size === 0
    if (!isIdle || this.#files.waiting > 0 || !this.#adopted.isEmpty) return
    this.#leaveFiles()
    this.#home.leave(true)
  }

  end(): void {
    this.#turns.stop()
    this.#persist()
    // What is being taken over at this moment comes into our folder.
    void Promise.allSettled([this.#turns.underWay, this.#adopted.stop()]).then(() => {
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
    if (inMemory) this.#spilled.skip(place.id)
    // Whoever waits for it to be written waits for this place now.
    place.onWritten = entry.place?.onWritten
    if (entry.place !== undefined) entry.place.onWritten = undefined
    entry.place = place
    this.#pending.add(entry as PlacedEvent)
    if (this.#pending.bytes > mostPending && !this.#isFailing) this.#persist()
    else this.#schedule(writeAfter)
  }

  #hasRoom({ event }: QueuedEvent): boolean {
    const bytes = this.#files.bytes + this.#pending.bytes + aboutBytes(event.payload)
    return this.#home.isUsable && bytes <= this.#settings.size
  }

  /** An event waits in memory alone until there is a spool, and room in it. */
  #leaveUnplaced(): void {
    this.#hasUnplaced = true
    this.#schedule(tryAgainAfter)
  }

  /** Gives those a place that wait in memory alone. */
  #placeAll(): void {
    if (!this.#hasUnplaced || !this.#home.isUsable) return
    const unplaced = this.#memory.all().filter(isUnplaced)
    const unfit = unplaced.findIndex(entry => {
      if (!this.#hasRoom(entry)) return true
      this.#put(entry, true)
      return false
    })
    this.#hasUnplaced = unfit >= 0
    if (this.#hasUnplaced) this.#notices.full(this.#home.path, this.#settings.size)
  }

  /** Brings events back from the files. @returns whether to go on at once */
  async #reload(room: number): Promise<boolean> {
    if (this.#pending.hasSpilled) this.#persist()
    const { cursor } = this.#spilled
    if (cursor === undefined) return false
    const { damaged } = cursor
    const before = this.#turns.underWay
    let entries: PlacedEvent[]
    try {
      entries = await this.#spilled.next(cursor, room)
    } catch (error) {
      this.#notices.unreadable(error, this.#files.folder)
      return false
    }
    // Meanwhile the folder may have been lost, and another begun.
    if (this.#spilled.cursor !== cursor || this.#isClosed) return false
    const added = entries.filter(entry => this.#memory.add(entry))
    cursor.unread(entries.slice(added.length))
    this.#spilled.remove(added.length)
    if (entries.length > 0 || this.#spilled.count === 0) return added.length === entries.length
    // What was being written when it was read is there after that; nothing else is a reason to wait.
    const writing = before ?? this.#turns.underWay
    if (writing !== undefined) await writing
    else if (this.#pending.hasSpilled) return false
    else if (this.#home.isLost()) this.#beginAnew()
    else this.#moveAside(cursor.damaged - damaged)
    return !this.#isClosed
  }

  /** Events are not in our files any more, though they were written. What is left is nobody's to delete. */
  #moveAside(places: number): void {
    const folder = asideOf(dirname(this.#home.path), basename(this.#home.path))
    this.#notices.damaged(folder, this.#spilled.count, places)
    try {
      this.#files.moveTo(folder)
    } catch (error) {
      this.#notices.unmoved(error, folder)
    }
    this.#startOver()
  }

  #schedule(delay: number): void {
    if (!this.#isClosed) this.#turns.start(this.#isFailing ? tryAgainAfter : delay)
  }

  async #write(): Promise<void> {
    if (this.#isClosed) return
    this.#placeAll()
    if (this.#open()) {
      const files = this.#files
      const entries = this.#pending.take()
      try {
        if (entries.length > 0 || files.hasMarks) await files.write(entries, this.#settings.isSynced)
        if (!files.isGone) this.#written(entries)
      } catch (error) {
        // Those of files that are gone have other places by now.
        if (!files.isGone) this.#failed(entries, error)
      }
      await this.#adopted.write()
    } else if (!this.#home.isUsable && this.#pending.length > 0) {
      this.#pending.giveUp()
      this.#hasUnplaced = true
    }
    const isDone = this.#pending.length === 0 && !this.#files.hasMarks && !this.#adopted.hasMarks
    if (isDone && !this.#hasUnplaced) return
    this.#schedule(isDone ? tryAgainAfter : this.#pending.isAwaited ? 0 : writeAfter)
  }

  #written(entries: readonly PlacedEvent[]): void {
    this.#isFailing = false
    for (const { place } of entries) {
      place.isWritten = true
      tellWritten(place, true)
    }
  }

  /** What could not be written goes on in memory, as far as there is room. */
  #failed(entries: readonly PlacedEvent[], error: unknown): void {
    this.#isFailing = true
    this.#pending.putBack(entries.filter(entry => this.#keepInMemory(entry)))
    this.#notices.failed(error, this.#files.folder, this.#pending.length)
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') this.#beginAnew()
    this.#schedule(tryAgainAfter)
  }

  #keepInMemory(entry: PlacedEvent): boolean {
    const { place } = entry
    tellWritten(place, false)
    if (place.inMemory) return true
    // Perhaps its bytes are there all the same.
    this.#spilled.skip(place.id)
    this.#spilled.remove(1)
    place.inMemory = this.#memory.add(entry)
    if (!place.inMemory) this.#listener.onLost(1)
    return place.inMemory
  }

  /** The folder is gone: removed by hand, or taken over because this process showed no sign of life for long. */
  #beginAnew(): void {
    if (this.#isClosed || !this.#home.isLost()) return
    this.#notices.lost(this.#files.folder, this.#spilled.count)
    this.#home.beginAnew()
    this.#startOver()
  }

  /** With other files, and all that is in memory in them. */
  #startOver(): void {
    const lost = this.#spilled.clear()
    if (lost > 0) this.#listener.onLost(lost)
    this.#files.isGone = true
    this.#leaveFiles()
    this.#pending.take()
    for (const entry of this.#memory.all()) if (entry.isUnfit !== true) this.#put(entry, true)
  }

  /** Goes on with others; a write of these may be under way, and has to find them open. */
  #leaveFiles(): void {
    const left = this.#files
    void Promise.resolve(this.#turns.underWay).then(() => left.close())
    this.#files = new SpoolFiles('', [], left.last)
  }
}
