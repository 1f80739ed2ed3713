import { mongo } from 'deedbox/chests'
import { type Document, MongoClient } from 'mongodb'
import { type ChestWrites, inParts } from './writes.ts'

/** One `insertMany` for each write, without an order. */
export async function open(url: string): Promise<ChestWrites> {
  const client = new MongoClient(url)
  const rows = client.db().collection('driver_rows')
  let parts: Document[][] = []
  return {
    chest: mongo(url),
    async prepare(count) {
      const stored = await client.db().collection('tracked_variables').find().toArray()
      parts = inParts<Document>(stored, count)
      await client.db().collection('tracked_variables').deleteMany({})
    },
    insert: part => rows.insertMany(parts[part]!, { ordered: false }),
    close: () => client.close(),
  }
}
