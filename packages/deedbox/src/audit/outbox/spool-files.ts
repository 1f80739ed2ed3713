import {
  closeSync,
  fdatasync,
  fdatasyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  rm,
  write,
  writeSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import type { PlaceFiles, QueuedEvent, Segment, SpoolPlace } from '../queued-event.ts'
import { IdRanges } from './id-ranges.ts'
import { eventLine, settledLine } from './record.ts'

const writeTo = promisify(write)
const toDisk = promisify(fdatasync)

/** Bytes after which a new file is begun, so that what was delivered leaves the disk soon. */
const fullSegment = 4 * 1024 * 1024

/** An event that has a place in a spool. */
export interface PlacedEvent extends QueuedEvent {
  readonly place: SpoolPlace
}

interface Stretch {
  isWritten: boolean
  readonly segment: Segment
  readonly position: number
  readonly bytes: Buffer
  readonly entries: readonly PlacedEvent[]
  readonly marks: readonly number[]
}

/** The name of a segment's file. */
export function segmentName(number: number): string {
  return `${String(number).padStart(8, '0')}.events`
}

/**
 * The files of one spool: events are appended, and the marks of those that need no delivery any more. A file is deleted
 * once that holds for all its events and for those of all files before it: the marks of an event stand behind it.
 */
export class SpoolFiles implements PlaceFiles {
  /** Where they are; must be set before the first write. */
  folder: string
  /** Whether they were removed by somebody else. */
  isGone = false
  readonly #segments: Segment[]
  readonly #settled = new IdRanges()
  #marks: number[] = []
  #last: number
  #bytes = 0
  #underWay: Stretch | undefined

  /** @param last the number that the newest file had, of these or of those before them */
  constructor(folder: string, segments: Segment[] = [], last: number = segments.at(-1)?.number ?? 0) {
    this.folder = folder
    this.#segments = segments
    this.#last = last
    for (const { size } of segments) this.#bytes += size
  }

  get segments(): readonly Segment[] {
    return this.#segments
  }

  /** The number that the newest file had. */
  get last(): number {
    return this.#last
  }

  get bytes(): number {
    return this.#bytes
  }

  /** Events that still need delivery. */
  get waiting(): number {
    let waiting = 0
    for (const segment of this.#segments) waiting += segment.waiting
    return waiting
  }

  /** Whether marks are to be written. */
  get hasMarks(): boolean {
    return this.#marks.length > 0
  }

  /** Whether a write is under way that has not come back. */
  get isWriting(): boolean {
    return this.#underWay !== undefined
  }

  /** Notes that an event needs no delivery any more; the mark goes out with the next write. */
  settle(place: SpoolPlace): void {
    // Also those that were never written are noted: what has no gaps is one range.
    if (!this.#settled.add(place.id) || place.segment === undefined) return
    place.segment.waiting--
    this.#marks.push(place.id)
  }

  /**
   * Appends events, and the marks that are due, with one call to the system. One at a time.
   * @throws what the file system throws; then it is as if nothing had been appended
   */
  async write(entries: readonly PlacedEvent[], isSynced: boolean): Promise<void> {
    const stretch = this.#begin(entries)
    const { segment, bytes, position } = stretch
    segment.writing++
    this.#underWay = stretch
    try {
      for (let done = 0; done < bytes.length; ) {
        done += (await writeTo(segment.fd!, bytes, done, bytes.length - done, position + done)).bytesWritten
      }
      if (isSynced) await toDisk(segment.fd!)
      finish(stretch)
    } catch (error) {
      if (stretch.isWritten) return
      this.#undo(stretch)
      throw error
    } finally {
      this.#underWay = undefined
      segment.writing--
      this.#sweep()
    }
  }

  /** The same, before it returns, and with it what is under way: a process that exits does not wait for that. */
  writeSync(entries: readonly PlacedEvent[], isSynced: boolean): void {
    if (this.#underWay !== undefined) putDown(this.#underWay, isSynced)
    if (entries.length === 0 && this.#marks.length === 0) return
    const stretch = this.#begin(entries)
    try {
      putDown(stretch, isSynced)
    } catch (error) {
      this.#undo(stretch)
      throw error
    }
    this.#sweep()
  }

  /**
   * Takes the files out of the way: not all that they hold could be read, and somebody may want to look.
   * @throws what the file system throws
   */
  moveTo(folder: string): void {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    for (const { path } of this.#segments) {
      try {
        renameSync(path, join(folder, basename(path)))
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
      }
    }
  }

  /** Lets the files be. No write may be under way: its number of a file would be another file's by then. */
  close(): void {
    for (const segment of this.#segments) closeFile(segment)
  }

  #begin(entries: readonly PlacedEvent[]): Stretch {
    const segment = this.#current()
    const marks = this.#marks
    const lines = entries.map(({ place, event }) => eventLine(place.id, event))
    if (marks.length > 0) lines.push(settledLine(marks))
    const bytes = Buffer.from(`\n${lines.join('')}`)
    this.#marks = []
    for (const { place } of entries) place.segment = segment
    segment.waiting += entries.length
    const position = segment.size
    segment.size += bytes.length
    this.#bytes += bytes.length
    return { segment, position, bytes, entries, marks, isWritten: false }
  }

  #undo({ segment, position, bytes, entries, marks }: Stretch): void {
    this.#marks = [...marks, ...this.#marks]
    for (const { place } of entries) {
      if (!place.isSettled) segment.waiting--
      place.segment = undefined
    }
    if (segment.size !== position + bytes.length) return
    segment.size = position
    this.#bytes -= bytes.length
    try {
      ftruncateSync(segment.fd!, position)
    } catch {
      // What is left there is read as damage.
    }
  }

  #current(): Segment {
    const current = this.#segments.at(-1)
    if (current?.fd !== undefined && current.size < fullSegment) return current
    const number = this.#last + 1
    const path = join(this.folder, segmentName(number))
    const fd = openSync(path, 'wx+', 0o600)
    this.#last = number
    const segment: Segment = { number, path, fd, size: 0, written: 0, waiting: 0, writing: 0 }
    this.#segments.push(segment)
    this.#sweep()
    return segment
  }

  #sweep(): void {
    const current = this.#segments.at(-1)
    for (const segment of this.#segments) {
      if (segment !== current && segment.writing === 0) closeFile(segment)
    }
    for (let [first] = this.#segments; first !== undefined && first !== current; [first] = this.#segments) {
      if (first.waiting > 0 || first.writing > 0) return
      this.#segments.shift()
      this.#bytes -= first.size
      rm(first.path, { force: true }, () => {})
    }
  }
}

/** Writes a stretch to its place; also if another write of it is under way, since the bytes are the same. */
function putDown(stretch: Stretch, isSynced: boolean): void {
  const { segment, bytes, position } = stretch
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(segment.fd!, bytes, done, bytes.length - done, position + done)
  }
  if (isSynced) fdatasyncSync(segment.fd!)
  finish(stretch)
}

function finish(stretch: Stretch): void {
  const { segment, bytes, position } = stretch
  stretch.isWritten = true
  segment.written = Math.max(segment.written, position + bytes.length)
}

function closeFile(segment: Segment): void {
  const { fd } = segment
  if (fd === undefined) return
  segment.fd = undefined
  try {
    closeSync(fd)
  } catch {
    // What was written is checked when it is read.
  }
}
