import { errorMessage } from '../safety/index.ts'
import {
  type CheckMessage,
  ChestError,
  type ContextEntry,
  type EntryFilter,
  type ReadableChest,
  type StoredEntry,
} from '../tracking/index.ts'
import { type ChestOptions, type ChestParts, checkWhole, chestParts } from './chest-options.ts'
import { checkedIdentifier } from './identifier.ts'
import {
  collectionOptions,
  type MongoCollection,
  type MongoConnection,
  type MongoDatabase,
  type MongoPlace,
  mongoPlace,
} from './mongo-connection.ts'
import { documentsOf, entriesIn, keyOf, type MongoDocument, ownMarks, withTexts } from './mongo-document.ts'
import { mongoCode } from './mongo-failure.ts'
import { endTurn, holderIn, takeTurn } from './mongo-lease.ts'
import { removeEntries } from './mongo-removal.ts'
import { Upkeep } from './mongo-upkeep.ts'
import { insertOrMerge } from './mongo-write.ts'

/** What `mongo` takes beside a database. */
export interface MongoChestOptions extends ChestOptions {
  /** The collection, and what stands in the chest's id. Default `tracked_variables`. */
  readonly name?: string | undefined
  /** Days after which entries are deleted, in portions and beside writes. Default: never. */
  readonly retentionDays?: number | undefined
}

/**
 * A chest in MongoDB: a document for each request, its variables in `values` with their types. (FC-24)
 * @param database a `Db` of `mongodb`, which stays the caller's to close; or a URL with a database
 * @throws ConfigurationError naming the option at fault
 */
export function mongo(database: MongoDatabase | string, options: MongoChestOptions = {}): ReadableChest {
  const place = mongoPlace(database)
  const parts = chestParts('mongo()', options, ['retentionDays'])
  const name = checkedIdentifier('mongo(): name', options.name ?? 'tracked_variables')
  checkWhole('mongo(): retentionDays', options.retentionDays, 1, 36_500)
  return new MongoChest(place, parts, name, options.retentionDays)
}

/** Milliseconds that a check may take, whatever the caller's client was told. */
const longestCheck = 5_000

class MongoChest implements ReadableChest {
  readonly id: string
  readonly address: string
  readonly queue: ChestParts['queue']
  readonly logger: ChestParts['logger']
  readonly #tags: ChestParts['tags']
  readonly #place: MongoPlace
  readonly #name: string
  readonly #upkeep: Upkeep
  #connection: Promise<MongoConnection> | undefined
  #isClosed = false

  constructor(place: MongoPlace, parts: ChestParts, name: string, retentionDays: number | undefined) {
    this.id = `MongoDB(name=${name})`
    this.address = `${place.address}.${name}`
    this.queue = parts.queue
    this.logger = parts.logger
    this.#tags = parts.tags
    this.#place = place
    this.#name = name
    this.#upkeep = new Upkeep(retentionDays, error =>
      this.logger?.warn(`${this.id} was not tended: ${errorMessage(error)}`, { chest: this.id }),
    )
  }

  async write(entries: readonly ContextEntry[]): Promise<void> {
    if (entries.length === 0) return
    const documents = documentsOf(entries, this.#tags)
    const refused = await this.#told(async collection => {
      const odd = await insertOrMerge(collection, documents)
      const left = await insertOrMerge(
        collection,
        odd.map(({ document }) => withTexts(document)),
      )
      this.#upkeep.begin(collection)
      return left
    })
    const [first] = refused
    if (first === undefined) return
    const lost = new Set(refused.map(({ document }) => document._id))
    throw new ChestError('refused', this.id, first.reason, {
      cause: first.cause,
      taken: new Set(documents.map(({ _id }) => _id).filter(id => !lost.has(id))),
      refused: lost,
    })
  }

  async check(): Promise<CheckMessage[]> {
    let timer: NodeJS.Timeout | undefined
    try {
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error('no answer came in time')), longestCheck)
      })
      // It fits no document: all that is asked is whether it is allowed.
      const probe = this.#told(collection => collection.updateOne({ _id: '' }, { $set: { status: null } }))
      await Promise.race([probe, late])
      return []
    } catch (error) {
      const problem = error instanceof ChestError ? error.message : `${this.id}: ${errorMessage(error)}`
      return [{ id: 'deedbox.chest.unreachable', level: 'error', message: problem }]
    } finally {
      clearTimeout(timer)
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#upkeep.end()
    const connection = await this.#connection?.catch(() => undefined)
    this.#connection = undefined
    await connection?.close()
  }

  async find({ requestId, name }: EntryFilter, limit: number): Promise<StoredEntry[]> {
    const filter = {
      ...ownMarks,
      ...(requestId === undefined ? {} : { request_id: requestId }),
      ...(name === undefined ? {} : { [`positions.${keyOf(name)}`]: { $exists: true } }),
    }
    const found: StoredEntry[] = []
    for await (const own of this.#read(filter, -1, limit))
      found.push(...own.filter(({ entry }) => name === undefined || entry.name === name).reverse())
    return found.slice(0, limit).reverse()
  }

  async oldest(limit: number): Promise<StoredEntry[]> {
    const found: StoredEntry[] = []
    for await (const own of this.#read(ownMarks, 1, limit)) found.push(...own)
    return found.slice(0, limit)
  }

  remove(keys: readonly StoredEntry['key'][]): Promise<number> {
    return this.#told(collection => removeEntries(collection, keys))
  }

  count(): Promise<number> {
    return this.#told(async collection => {
      const size = { $size: { $objectToArray: '$positions' } }
      try {
        const [total] = await collection
          .aggregate([{ $match: ownMarks }, { $group: { _id: null, count: { $sum: size } } }])
          .toArray()
        return Number(Reflect.get(Object(total), 'count') ?? 0)
      } catch (error) {
        if (typeof mongoCode(error) !== 'number') throw error
      }
      // Not every server that speaks the protocol can count members.
      let count = 0
      for await (const found of collection.find(ownMarks, {
        projection: { positions: 1 },
        batchSize: 10_000,
      }))
        count += Object.keys((found as MongoDocument).positions ?? {}).length
      return count
    })
  }

  lease(holder: string, milliseconds: number): Promise<boolean> {
    return this.#told((_, database) => takeTurn(database, this.#turns(database), holder, milliseconds))
  }

  release(holder: string): Promise<void> {
    return this.#told((_, database) => endTurn(this.#turns(database), holder))
  }

  holder(): Promise<string | undefined> {
    return this.#told((_, database) => holderIn(this.#turns(database)))
  }

  /** The entries of documents, until there are enough; the last document's are all of it. */
  async *#read(filter: object, order: 1 | -1, limit: number): AsyncGenerator<StoredEntry[]> {
    const { database } = await this.#connected()
    const options = {
      sort: { at: order, _id: order },
      batchSize: Math.max(1, Math.min(limit, 500)),
    }
    let left = limit
    if (left < 1) return
    try {
      for await (const document of this.#collection(database).find(filter, options)) {
        const own = entriesIn(document as MongoDocument)
        yield own
        left -= own.length
        if (left <= 0) return
      }
    } catch (error) {
      throw this.#failure(error)
    }
  }

  async #told<Result>(
    work: (collection: MongoCollection, database: MongoDatabase) => Promise<Result>,
  ): Promise<Result> {
    try {
      const { database } = await this.#connected()
      return await work(this.#collection(database), database)
    } catch (error) {
      throw this.#failure(error)
    }
  }

  #failure(error: unknown): ChestError {
    if (error instanceof ChestError) return error
    return new ChestError('unavailable', this.id, errorMessage(error), { cause: error })
  }

  #connected(): Promise<MongoConnection> {
    if (this.#isClosed) throw new ChestError('unavailable', this.id, 'it is closed')
    this.#connection ??= this.#place.connect(this.id).catch(error => {
      this.#connection = undefined
      throw error
    })
    return this.#connection
  }

  #collection(database: MongoDatabase): MongoCollection {
    return database.collection(this.#name, collectionOptions(database))
  }

  #turns(database: MongoDatabase): MongoCollection {
    return database.collection(`${this.#name}_lease`, collectionOptions(database))
  }
}
