import type { QueuedEvent, SpoolPlace } from '../queued-event.ts'
import type { PlacedEvent, SpoolFiles } from './spool-files.ts'

/** Bytes of a record beside the payload, about. */
const besidePayload = 512

/** About how many bytes an event takes in a spool. */
export function aboutBytes(payload: string): number {
  return payload.length + besidePayload
}

/** The place of an event that is not written yet. */
export function newPlace(files: SpoolFiles, id: number, inMemory: boolean): SpoolPlace {
  return { files, id, segment: undefined, isSettled: false, isWritten: false, inMemory, onWritten: undefined }
}

/** Whether an event has no place yet that could have one. */
export function isUnplaced({ place, isUnfit }: QueuedEvent): boolean {
  return place === undefined && isUnfit !== true
}

/** The events that are to be written with the next write. */
export class PendingEvents {
  #entries: PlacedEvent[] = []
  /** About how many bytes they have. */
  bytes = 0

  get length(): number {
    return this.#entries.length
  }

  /** Whether one of them is in no memory but this. */
  get hasSpilled(): boolean {
    return this.#entries.some(({ place }) => !place.inMemory)
  }

  /** Whether somebody waits for one of them to be written. */
  get isAwaited(): boolean {
    return this.#entries.some(({ place }) => place.onWritten !== undefined)
  }

  add(entry: PlacedEvent): void {
    this.#entries.push(entry)
    this.bytes += aboutBytes(entry.event.payload)
  }

  /** Puts events back that could not be written. */
  putBack(entries: readonly PlacedEvent[]): void {
    this.#entries = [...entries, ...this.#entries]
    for (const { event } of entries) this.bytes += aboutBytes(event.payload)
  }

  /** Removes them all: there is no spool that they could be written to. */
  giveUp(): void {
    for (const entry of this.take()) {
      tellWritten(entry.place, false)
      forgetPlace(entry)
    }
  }

  /** Removes them all, and returns those that still need delivery. */
  take(): PlacedEvent[] {
    const entries = this.#entries.filter(({ place }) => !place.isSettled)
    this.#entries = []
    this.bytes = 0
    return entries
  }
}

/** Tells whoever waits for an event to be written. */
export function tellWritten(place: SpoolPlace, isWritten: boolean): void {
  place.onWritten?.(isWritten)
  place.onWritten = undefined
}

function forgetPlace(entry: QueuedEvent): void {
  entry.place = undefined
}
