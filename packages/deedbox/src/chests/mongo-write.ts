import { errorMessage } from '../safety/index.ts'
import type { MongoCollection } from './mongo-connection.ts'
import { type MongoDocument, mergeOf } from './mongo-document.ts'
import {
  duplicateKey,
  failuresIn,
  isForeignKey,
  isRefusal,
  isUnsendable,
  mongoCode,
} from './mongo-failure.ts'
import { positionsOf } from './mongo-removal.ts'

/** A document that a server did not take, and why. */
export interface Refused {
  readonly document: MongoDocument
  readonly reason: string
  readonly cause: unknown
}

/** Stores documents; those that are there already get what they lack. Resolves to those that the server will never take. */
export async function insertOrMerge(
  collection: MongoCollection,
  documents: readonly MongoDocument[],
): Promise<Refused[]> {
  const repeats: MongoDocument[] = []
  const refused = await bulk(collection, documents, document => ({ insertOne: { document } }), repeats)
  // One document each, but FerretDB keeps what `updateOne` has read open until all are done, and hangs with a hundred.
  const merged = await bulk(collection, await lacking(collection, repeats), document => ({
    updateMany: { filter: { _id: document._id }, update: mergeOf(document), upsert: true },
  }))
  return [...refused, ...merged]
}

/** Those of which not all is there. Most that come again are there as a whole. */
async function lacking(
  collection: MongoCollection,
  repeats: readonly MongoDocument[],
): Promise<MongoDocument[]> {
  const found = await positionsOf(
    collection,
    repeats.map(({ _id }) => _id),
  )
  const there = new Map(found.map(({ _id, positions }) => [_id, positions]))
  return repeats.filter(({ _id, positions }) => {
    const known = there.get(_id) ?? {}
    return !Object.keys(positions).every(key => Object.hasOwn(known, key))
  })
}

/**
 * @param repeats gets the documents whose `_id` is there already; without it, one that is was written by somebody else in
 * between, and is tried again
 */
async function bulk(
  collection: MongoCollection,
  documents: readonly MongoDocument[],
  operation: (document: MongoDocument) => object,
  repeats?: MongoDocument[],
): Promise<Refused[]> {
  if (documents.length === 0) return []
  try {
    await collection.bulkWrite(documents.map(operation), { ordered: false })
    return []
  } catch (error) {
    const failures = failuresIn(error)
    if (failures === undefined) {
      // Of documents to insert a server says which it refuses; what it refuses of all is how it was asked, which can be
      // mended. Of updates some say it of all.
      if (!isUnsendable(error) && !(repeats === undefined && isRefusal(mongoCode(error)))) throw error
      const [only, ...others] = documents
      if (others.length === 0) return [{ document: only!, reason: errorMessage(error), cause: error }]
      const half = Math.ceil(documents.length / 2)
      return [
        ...(await bulk(collection, documents.slice(0, half), operation, repeats)),
        ...(await bulk(collection, documents.slice(half), operation, repeats)),
      ]
    }
    const refused: Refused[] = []
    for (const failure of failures) {
      const document = documents[failure.index]!
      if (isRefusal(failure.code) || isForeignKey(failure))
        refused.push({ document, reason: failure.message, cause: error })
      else if (failure.code === duplicateKey && repeats !== undefined) repeats.push(document)
      else throw error
    }
    return refused
  }
}
