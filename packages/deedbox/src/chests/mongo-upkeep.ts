import { setTimeout } from 'node:timers/promises'
import type { MongoCollection } from './mongo-connection.ts'
import { ownMarks } from './mongo-document.ts'

const minute = 60_000
const hour = 60 * minute
/** Documents that are deleted at once. */
const portion = 500

/** Milliseconds. */
const longestEnd = 1_000

const indexes = [{ key: { request_id: 1 } }, { key: { at: 1, _id: 1 } }]

/** What a collection needs now and then: its indexes, and an end for old documents. It never keeps a write waiting. */
export class Upkeep {
  readonly #retentionDays: number | undefined
  readonly #failed: (error: unknown) => void
  #running: Promise<void> | undefined
  #next = 0
  #isIndexed = false
  #isOver = false

  constructor(retentionDays: number | undefined, failed: (error: unknown) => void) {
    this.#retentionDays = retentionDays
    this.#failed = failed
  }

  /** Begins it, unless that was within the last hour; what failed waits a minute. */
  begin(collection: MongoCollection): void {
    if (this.#isOver || this.#running !== undefined || performance.now() < this.#next) return
    this.#running = this.#run(collection)
  }

  /** Resolves once nothing runs any more, or is not to be waited for: an index of a large collection takes minutes. */
  async end(): Promise<void> {
    this.#isOver = true
    await Promise.race([this.#running, setTimeout(longestEnd, undefined, { ref: false })])
  }

  async #run(collection: MongoCollection): Promise<void> {
    const outcomes = [
      await this.#tried(() => this.#createIndexes(collection)),
      await this.#tried(() => this.#deleteOld(collection)),
    ]
    this.#next = performance.now() + (outcomes.includes(false) ? minute : hour)
    this.#running = undefined
  }

  async #tried(work: () => Promise<void>): Promise<boolean> {
    try {
      await work()
      return true
    } catch (error) {
      try {
        if (!this.#isOver) this.#failed(error)
      } catch {
        // A logger that throws has had its chance.
      }
      return false
    }
  }

  async #createIndexes(collection: MongoCollection): Promise<void> {
    if (this.#isIndexed) return
    // Asking first: creating needs a right that a service may lack where they are there already.
    const known = new Set((await collection.indexes()).map(index => keysOf(index)))
    const missing = indexes.filter(index => !known.has(keysOf(index)))
    if (missing.length > 0) await collection.createIndexes(missing)
    this.#isIndexed = true
  }

  async #deleteOld(collection: MongoCollection): Promise<void> {
    if (this.#retentionDays === undefined) return
    const old = { ...ownMarks, at: { $lt: new Date(Date.now() - this.#retentionDays * 24 * hour) } }
    for (let found = portion; found === portion && !this.#isOver; ) {
      const options = { projection: { _id: 1 }, sort: { at: 1 }, limit: portion, batchSize: portion }
      const ids = (await collection.find(old, options).toArray()).map(one => Reflect.get(Object(one), '_id'))
      found = ids.length
      if (found > 0) await collection.deleteMany({ ...old, _id: { $in: ids } })
    }
  }
}

function keysOf(index: unknown): string {
  return Object.keys(Object(Reflect.get(Object(index), 'key'))).join()
}
