import { ConfigurationError, errorMessage } from '../safety/index.ts'
import { ChestError } from '../tracking/index.ts'
import { loadDriver } from './driver.ts'

/** What a chest needs of a `Db` of `mongodb`. */
export interface MongoDatabase {
  readonly databaseName: string
  /** Its `MongoClient`; older drivers do not tell. */
  readonly client?: { connect(): Promise<unknown>; readonly options?: object }
  readonly writeConcern?: unknown
  collection(name: string, options?: object): MongoCollection
  command(command: object, options?: object): Promise<Readonly<Record<string, unknown>>>
}

/** What a chest needs of a `Collection` of `mongodb`. */
export interface MongoCollection {
  bulkWrite(operations: readonly object[], options?: object): Promise<unknown>
  insertOne(document: object): Promise<unknown>
  updateOne(filter: object, update: object): Promise<unknown>
  deleteMany(filter: object): Promise<unknown>
  indexes(): Promise<readonly unknown[]>
  createIndexes(indexes: readonly object[]): Promise<unknown>
  find(filter: object, options?: object): MongoCursor
  aggregate(pipeline: object[]): MongoCursor
}

/** What a chest needs of the documents that are found. */
export interface MongoCursor extends AsyncIterable<unknown> {
  toArray(): Promise<unknown[]>
}

/** What the caller's client was told about values is for documents of the caller's. */
export const plainValues: object = { promoteValues: true, promoteLongs: true, useBigInt64: false, raw: false }

/** How a collection is written and read: what is acknowledged survives the loss of a server, unless the caller chose. */
export function collectionOptions({ writeConcern }: MongoDatabase): object {
  const isChosen = writeConcern !== undefined && writeConcern !== null
  return {
    ...plainValues,
    readPreference: 'primary',
    ...(isChosen ? {} : { writeConcern: { w: 'majority', wtimeoutMS: 10_000 } }),
  }
}

/** A database, and how it is let go. */
export interface MongoConnection {
  readonly database: MongoDatabase
  close(): Promise<void>
}

/** Where a chest writes, before anybody is connected. */
export interface MongoPlace {
  /** Without user, password and options. */
  readonly address: string
  connect(chest: string): Promise<MongoConnection>
}

const parts = /^(mongodb(?:\+srv)?:\/\/)(?:([^/?#]*)@)?([^@/?#]+)(?:\/([^@/?#]*))?(?:\?([^#]*))?$/

/**
 * Reads what a chest is told about its database.
 * @throws ConfigurationError that repeats nothing of it
 */
export function mongoPlace(given: MongoDatabase | string): MongoPlace {
  if (typeof given === 'string') return placeAt(given)
  const isDatabase =
    typeof given === 'object' && given !== null && typeof Reflect.get(given, 'collection') === 'function'
  if (!isDatabase || typeof given.databaseName !== 'string')
    throw new ConfigurationError('mongo()', 'takes a Db of mongodb, or a URL: mongodb://host/database.')
  return {
    address: `mongodb://${hostsOf(given)}/${given.databaseName}`,
    connect: async () => {
      // A client whose first connection failed stays closed until it is told to connect; for one that is, this is nothing.
      await given.client?.connect()
      return { database: given, close: async () => {} }
    },
  }
}

function placeAt(url: string): MongoPlace {
  const [, scheme, credentials, hosts, database, query] = parts.exec(url) ?? []
  // What comes before an @ may be a password that should have been encoded, and would be shown as hosts or database.
  const isMisread = credentials === undefined && url.includes('@')
  if (scheme === undefined || hosts === undefined || isMisread)
    throw new ConfigurationError(
      'mongo()',
      'this is no URL of MongoDB. It looks like mongodb://user:password@host:27017/database, with / ? # and @ in a password as %2F %3F %23 and %40.',
    )
  if (database === undefined || database === '')
    throw new ConfigurationError(
      'mongo()',
      'the URL names no database. It stands after the host: mongodb://host/database.',
    )
  return {
    address: `${scheme}${hosts}/${database}`,
    connect: async chest => {
      const { MongoClient } = await loadDriver(chest, 'mongodb', () => import('mongodb'))
      let client: InstanceType<typeof MongoClient>
      try {
        client = new MongoClient(url, defaultsBeside(query))
      } catch (error) {
        // What it says may quote a part of the URL, and its cause even more.
        const password = credentials?.slice(credentials.indexOf(':') + 1) ?? ''
        const problem = errorMessage(error).replaceAll(password === '' ? url : password, '…')
        throw new ChestError('unavailable', chest, `mongodb does not take its URL: ${problem}`)
      }
      try {
        // A client that cannot connect at first stays closed for good: the next attempt is another one's.
        await client.connect()
        return { database: client.db(), close: () => client.close() }
      } catch (error) {
        await client.close()
        throw error
      }
    },
  }
}

/** What a service needs that must not wait for long, unless the URL says otherwise. */
function defaultsBeside(query = ''): Record<string, string | number> {
  const named = new Set([...new URLSearchParams(query).keys()].map(name => name.toLowerCase()))
  const defaults = { appName: 'deedbox', serverSelectionTimeoutMS: 3_000, socketTimeoutMS: 30_000 }
  return Object.fromEntries(Object.entries(defaults).filter(([name]) => !named.has(name.toLowerCase())))
}

/** Where the client of a database connects to, as far as it tells. */
function hostsOf(database: MongoDatabase): string {
  const { srvHost, hosts } = (database.client?.options ?? {}) as Readonly<Record<string, unknown>>
  if (typeof srvHost === 'string') return srvHost
  return Array.isArray(hosts) ? hosts.map(String).join() : ''
}
