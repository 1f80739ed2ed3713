import type { ContextEntry, EntryFacts, TrackedRecord, TrackedValue } from './chest.ts'

/**
 * An entry is a list of its three parts, as the original's was a tuple, so that it can be taken apart and is written as
 * JSON like one; all else is asked of its record. (FC-07, ruling 26)
 */
class Entry extends Array<TrackedValue> implements EntryFacts {
  /** What list methods make of an entry is a plain list. */
  static override get [Symbol.species](): ArrayConstructor {
    return Array
  }

  readonly #record: TrackedRecord
  readonly #position: number

  constructor(record: TrackedRecord, position: number, name: string, value: TrackedValue) {
    super()
    this[0] = name
    this[1] = value
    this[2] = record.requestId
    this.#record = record
    this.#position = position
  }

  get record(): TrackedRecord {
    return this.#record
  }

  get name(): string {
    return this[0] as string
  }

  get value(): TrackedValue {
    return this[1]!
  }

  get requestId(): string {
    return this.#record.requestId
  }

  get id(): string {
    return `${this.#record.id}.${this.#position}`
  }

  get timestamp(): number {
    return this.#record.timestamp
  }

  get route(): string | null {
    return this.#record.route
  }

  get method(): string | null {
    return this.#record.method
  }

  get status(): number | null {
    return this.#record.status
  }
}

/**
 * Makes an entry, for chests that read what they wrote.
 * @param position its place in its record, from 0
 */
export function contextEntry(
  record: TrackedRecord,
  position: number,
  name: string,
  value: TrackedValue,
): ContextEntry {
  return new Entry(record, position, name, value) as unknown as ContextEntry
}
