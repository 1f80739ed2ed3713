import type { MongoCollection } from './mongo-connection.ts'
import { type MongoDocument, ownMarks } from './mongo-document.ts'
import { entryIdParts } from './stored-value.ts'

/** What is asked of a document before variables are taken out of it. */
export type Positions = Pick<MongoDocument, '_id' | 'positions'>

/** A document, and the keys of the variables that go. */
interface Removal extends Positions {
  readonly gone: readonly string[]
}

/**
 * Takes entries out of their documents; a document goes with its last one. Resolves to how many were still there.
 * @param keys the ids of entries; what is no such id is not there
 */
export async function removeEntries(
  collection: MongoCollection,
  keys: readonly (string | number)[],
): Promise<number> {
  const wanted = new Map<string, Set<number>>()
  for (const key of keys) {
    const { record, position } = entryIdParts(String(key)) ?? {}
    if (record === undefined || position === undefined) continue
    const positions = wanted.get(record)
    if (positions === undefined) wanted.set(record, new Set([position]))
    else positions.add(position)
  }
  const removals: Removal[] = []
  for (const { _id, positions } of await positionsOf(collection, [...wanted.keys()])) {
    const gone = Object.keys(positions).filter(key => wanted.get(_id)?.has(positions[key]!))
    if (gone.length > 0) removals.push({ _id, positions, gone })
  }
  const parts = removals.filter(({ positions, gone }) => gone.length < Object.keys(positions).length)
  const isEach = await deleteWhole(
    collection,
    removals.filter(removal => !parts.includes(removal)),
  )
  await unset(collection, isEach ? parts : removals)
  return removals.reduce((sum, { gone }) => sum + gone.length, 0)
}

/** Which variables documents have, of those that are there. */
export async function positionsOf(
  collection: MongoCollection,
  ids: readonly string[],
): Promise<readonly Positions[]> {
  if (ids.length === 0) return []
  const options = { projection: { positions: 1 }, batchSize: ids.length }
  return (await collection
    .find({ ...ownMarks, _id: { $in: ids } }, options)
    .toArray()) as readonly Positions[]
}

/**
 * Deletes documents all of whose variables go. One that got another variable meanwhile has other positions, and stays.
 * Resolves to whether all are deleted.
 */
async function deleteWhole(collection: MongoCollection, removals: readonly Removal[]): Promise<boolean> {
  if (removals.length === 0) return true
  // Most requests of a service have the same few variables.
  const operations = groups(removals, ({ positions }) => JSON.stringify(positions)).map(group => ({
    deleteMany: { filter: { _id: { $in: idsOf(group) }, positions: group[0]!.positions } },
  }))
  const result = await collection.bulkWrite(operations, { ordered: false })
  return Number(Reflect.get(Object(result), 'deletedCount')) === removals.length
}

async function unset(collection: MongoCollection, removals: readonly Removal[]): Promise<void> {
  if (removals.length === 0) return
  const operations = groups(removals, ({ gone }) => JSON.stringify(gone)).map(group => {
    const paths = group[0]!.gone.flatMap(key => [`values.${key}`, `positions.${key}`])
    const $unset = Object.fromEntries(paths.map(path => [path, '']))
    return { updateMany: { filter: { _id: { $in: idsOf(group) } }, update: { $unset } } }
  })
  await collection.bulkWrite(operations, { ordered: false })
  await collection.deleteMany({ _id: { $in: idsOf(removals) }, values: {} })
}

function groups(removals: readonly Removal[], keyOf: (removal: Removal) => string): Removal[][] {
  const byKey = new Map<string, Removal[]>()
  for (const removal of removals) {
    const key = keyOf(removal)
    const group = byKey.get(key)
    if (group === undefined) byKey.set(key, [removal])
    else group.push(removal)
  }
  return [...byKey.values()]
}

function idsOf(removals: readonly Removal[]): string[] {
  return removals.map(({ _id }) => _id)
}
