import { randomUUID } from 'node:crypto'
import type { TestContext } from 'node:test'
import { mongo, type TrackedValue } from 'deedbox/chests'
import { type Document, MongoClient } from 'mongodb'
import { ferretdb, mongod } from '../servers/mongodb.ts'
import { type RunningServer, serverFor } from '../servers/running-server.ts'
import type { ChestHarness, Stored } from './chest-harness.ts'

const found = await serverFor(mongod, ferretdb())

/** Why there is no server. */
export const skip: string | false = found.skip

/** The server of this test file. */
export function mongoServer(): RunningServer {
  if (found.skip !== false) throw new Error(found.skip)
  return found.server
}

/** The URL of a database that nobody has written to. */
export function newUrl({ port }: RunningServer = mongoServer(), user = '', query = ''): string {
  return `mongodb://${user}127.0.0.1:${port}/t${randomUUID().slice(0, 8)}${query}`
}

/** Another client. */
export function clientOf(t: TestContext, url: string): MongoClient {
  const client = new MongoClient(url, { serverSelectionTimeoutMS: 10_000 })
  t.after(() => client.close())
  return client
}

/** What another client finds. */
export async function documentsOf(client: MongoClient): Promise<Document[]> {
  // FerretDB loses a cursor while documents are deleted.
  const options = { sort: { at: 1, _id: 1 }, batchSize: 10_000 } as const
  return client.db().collection('tracked_variables').find({}, options).toArray()
}

/** What another client finds, read as the layout is documented. */
export async function storedAt(client: MongoClient): Promise<Stored[]> {
  return (await documentsOf(client)).flatMap(
    ({ request_id, timestamp, route, method, status, tags, values }) =>
      Object.entries(values as Record<string, TrackedValue>).map(([key, value]) => ({
        ...{ name: plainName(key), value: plainValue(value), requestId: request_id },
        ...{ timestamp, route, method, status, tags },
      })),
  )
}

function plainName(key: string): string {
  return key === '%' ? '' : decodeURIComponent(key)
}

function plainValue(value: TrackedValue): TrackedValue {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(plainValue)
  const members = Object.entries(value)
  if (members[0]?.[0] === '%json') return JSON.parse(String(members[0][1]))
  return Object.fromEntries(members.map(([key, member]) => [plainName(key), plainValue(member)]))
}

/** How the conformance suite knows chests in MongoDB. */
export const mongoHarness: ChestHarness = {
  name: 'MongoDB',
  skip,
  isIdempotent: true,
  isReadable: true,
  server: {
    halt: () => mongoServer().halt(),
    start: () => mongoServer().start(),
  },
  place: async t => {
    const url = newUrl()
    const client = clientOf(t, url)
    return {
      open: options => mongo(url, options),
      stored: () => storedAt(client),
      program: `import { mongo } from 'deedbox/chests'
export const open = () => mongo(${JSON.stringify(url)})
`,
    }
  },
}
