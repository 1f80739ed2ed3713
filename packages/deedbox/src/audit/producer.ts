import { uuid7 } from '../request/index.ts'

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
