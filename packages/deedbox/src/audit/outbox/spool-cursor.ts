import { open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Segment } from '../queued-event.ts'
import { type IdRange, IdRanges } from './id-ranges.ts'
import { newPlace } from './pending-events.ts'
import { longestRecord, readRecords } from './record.ts'
import { type PlacedEvent, SpoolFiles } from './spool-files.ts'
import { segmentFile } from './spool-place.ts'

/** Bytes that are read at once, and for a record that does not fit into them. */
const usualStretch = 1024 * 1024
const longestStretch = longestRecord + 256 * 1024

/** Reads the events of a spool in their order, as many at a time as somebody has room for. */
export class SpoolCursor {
  readonly files: SpoolFiles
  readonly #isWanted: (id: number) => boolean
  #number: number
  #offset: number
  #stretch = usualStretch
  #ahead: PlacedEvent[] = []
  /** Places that could not be read so far. */
  damaged = 0

  /**
   * @param isWanted whether an event is one to deliver, by its number
   * @param from the file and the offset in it at which to begin
   */
  constructor(files: SpoolFiles, isWanted: (id: number) => boolean, from = { number: 0, offset: 0 }) {
    this.files = files
    this.#isWanted = isWanted
    this.#number = from.number
    this.#offset = from.offset
  }

  /** The next events; none at the end of what is written. @throws what the file system throws */
  async next(most: number): Promise<PlacedEvent[]> {
    while (this.#ahead.length === 0) {
      if (!(await this.#read())) return []
    }
    return this.#ahead.splice(0, most)
  }

  /** Takes events back that nobody had room for. */
  unread(entries: readonly PlacedEvent[]): void {
    this.#ahead = [...entries, ...this.#ahead]
  }

  async #read(): Promise<boolean> {
    let segment = this.files.segments.find(({ number }) => number >= this.#number)
    if (segment === undefined) return false
    if (segment.number > this.#number) this.#goTo(segment)
    else if (this.#offset >= segment.written) {
      segment = this.files.segments.find(({ number }) => number > this.#number)
      if (segment === undefined) return false
      this.#goTo(segment)
    }
    const length = Math.min(this.#stretch, segment.written - this.#offset)
    const bytes = await this.#bytesOf(segment, length)
    const isEnd = bytes.length < length || this.#offset + length >= segment.written
    const { records, damaged, consumed } = readRecords(bytes, isEnd)
    this.damaged += damaged
    this.#offset += isEnd ? length : consumed
    this.#stretch = nextStretch(this.#stretch, isEnd ? length : consumed)
    for (const record of records) {
      if (!('event' in record) || !this.#isWanted(record.id)) continue
      this.#ahead.push({
        event: record.event,
        settle: undefined,
        place: { ...newPlace(this.files, record.id, true), segment },
      })
    }
    return true
  }

  /** None of a file that is gone: waiting for it would be in vain. */
  async #bytesOf({ path }: Segment, length: number): Promise<Buffer> {
    try {
      return await readAt(path, this.#offset, length)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      this.damaged++
      return Buffer.alloc(0)
    }
  }

  #goTo(segment: Segment): void {
    this.#number = segment.number
    this.#offset = 0
  }
}

/** What a spool holds that somebody has left. */
export interface OpenedSpool {
  readonly files: SpoolFiles
  readonly cursor: SpoolCursor
  /** Events that still need delivery. */
  readonly waiting: number
  /** Places that could not be read, by file. */
  readonly damaged: ReadonlyMap<string, number>
}

/** Opens a spool that another process has written. @throws what the file system throws */
export async function openSpool(folder: string): Promise<OpenedSpool> {
  const names = (await readdir(folder)).filter(name => segmentFile.test(name)).sort()
  const segments: Segment[] = []
  const settled: IdRange[] = []
  const places = new Map<number, Segment>()
  const damaged = new Map<string, number>()
  for (const name of names) {
    const path = join(folder, name)
    const { size } = await stat(path)
    const number = Number(name.slice(0, 8))
    const segment: Segment = { number, path, fd: undefined, size, written: size, waiting: 0, writing: 0 }
    segments.push(segment)
    let stretch = usualStretch
    for (let offset = 0; offset < size; ) {
      const bytes = await readAt(path, offset, Math.min(stretch, size - offset))
      const isEnd = offset + bytes.length >= size || bytes.length === 0
      const reading = readRecords(bytes, isEnd)
      if (reading.damaged > 0) damaged.set(path, (damaged.get(path) ?? 0) + reading.damaged)
      offset = isEnd ? size : offset + reading.consumed
      stretch = nextStretch(stretch, isEnd ? size : reading.consumed)
      for (const record of reading.records) {
        if ('event' in record) places.set(record.id, segment)
        else for (const range of record.settled) settled.push(range)
      }
    }
  }
  const isSettled = new IdRanges(settled)
  for (const id of places.keys()) if (isSettled.has(id)) places.delete(id)
  for (const segment of places.values()) segment.waiting++
  const files = new SpoolFiles(folder, segments)
  // An event that was written twice, because the first time failed, is delivered once.
  const isWanted = (id: number): boolean => places.delete(id)
  return { files, cursor: new SpoolCursor(files, isWanted), waiting: places.size, damaged }
}

/** How much to read after a stretch of which so many bytes were consumed: none means that its record is longer. */
function nextStretch(stretch: number, consumed: number): number {
  return consumed === 0 ? Math.min(stretch * 2, longestStretch) : usualStretch
}

async function readAt(path: string, offset: number, length: number): Promise<Buffer> {
  const handle = await open(path, 'r')
  try {
    const bytes = Buffer.allocUnsafe(length)
    let done = 0
    while (done < length) {
      const { bytesRead } = await handle.read(bytes, done, length - done, offset + done)
      if (bytesRead === 0) break
      done += bytesRead
    }
    return bytes.subarray(0, done)
  } finally {
    await handle.close()
  }
}
