import { uuid7 } from '../request/index.ts'
import type { EventMeta } from './ledger-client.ts'

/** Which process an event comes from, and its place in that process's own sequence. */
export interface ProducerMark {
  readonly id: string
  /** From 1, without gaps: what is missing at the ledger was lost on the way. */
  readonly seq: number
}

/**
 * One instance in one process, as a source of events. It numbers each event that comes about, also those that are
 * dropped later, so that a ledger sees what is missing.
 */
export class Producer {
  /** A UUID version 7, made anew by each process. */
  readonly id: string = uuid7()
  #taken = 0

  /** The number of the event that came about last; 0 before the first. */
  get highWater(): number {
    return this.#taken
  }

  /** The mark of the next event. */
  next(): ProducerMark {
    return { id: this.id, seq: ++this.#taken }
  }
}

/** What a ledger takes as meta, without the room for a mark. Bytes of UTF-8. */
const roomyMeta = 16_384 - 96

/** Whether the meta of an explicit event gets a mark: not where it would be too large by it, or the caller set one himself. */
export function takesMark(meta: EventMeta): boolean {
  return meta.producer === undefined && Buffer.byteLength(JSON.stringify(meta)) <= roomyMeta
}
