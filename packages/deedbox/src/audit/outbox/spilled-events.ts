import { ReadPause } from './read-pause.ts'
import { SpoolCursor } from './spool-cursor.ts'
import type { PlacedEvent, SpoolFiles } from './spool-files.ts'

/** The events that wait in the files of a spool alone: how many there are, and where they begin. */
export class SpilledEvents {
  #count = 0
  #cursor: SpoolCursor | undefined
  /** The one that was read back last. */
  #loaded = 0
  /** Events behind the cursor that are not to be read: they are in memory, or were given up. */
  readonly #skipped = new Set<number>()
  readonly #pause = new ReadPause()

  get count(): number {
    return this.#count
  }

  /** Absent while there are none. */
  get cursor(): SpoolCursor | undefined {
    return this.#cursor
  }

  /** Milliseconds until they are tried to be read again; 0: now. */
  get pause(): number {
    return this.#count > 0 ? this.#pause.left : 0
  }

  /** The next ones; none at the end of what is written. @throws what the file system throws; then there is a pause */
  async next(cursor: SpoolCursor, most: number): Promise<PlacedEvent[]> {
    try {
      const entries = await cursor.next(most)
      this.#pause.succeeded()
      return entries
    } catch (error) {
      this.#pause.failed()
      throw error
    }
  }

  /** @param lastId the number of the event that was put into the files last */
  add(files: SpoolFiles, lastId: number): void {
    this.#cursor ??= this.#begin(files, lastId)
    this.#count++
  }

  /** An event that is in the files, or will be, is not to be read back. */
  skip(id: number): void {
    if (this.#count > 0) this.#skipped.add(id)
  }

  /** So many are in the files alone no more. Without any, nothing of what was before may be left. */
  remove(count: number): void {
    this.#count -= count
    if (this.#count <= 0) this.clear()
  }

  /** @returns how many there were */
  clear(): number {
    const count = this.#count
    this.#count = 0
    this.#cursor = undefined
    this.#skipped.clear()
    return count
  }

  #begin(files: SpoolFiles, lastId: number): SpoolCursor {
    this.#loaded = lastId
    const isNext = (id: number): boolean => {
      if (id <= this.#loaded || this.#skipped.has(id)) return false
      this.#loaded = id
      return true
    }
    const last = files.segments.at(-1)
    const from = last === undefined ? undefined : { number: last.number, offset: last.written }
    return new SpoolCursor(files, isNext, from)
  }
}
