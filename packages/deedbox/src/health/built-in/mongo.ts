import type { Check } from '../../checks/index.ts'
import { type BuiltInOptions, builtIn } from './built-in.ts'
import { databaseMessages, lateDatabaseMessages } from './database-messages.ts'
import { hasMethods, notWhat } from './handed-over.ts'
import { type Attempt, oneAttempt } from './one-attempt.ts'

/** What the check needs of a `MongoClient`. */
export interface MongoCheckClient {
  db(): MongoCheckDb
  on?(event: 'serverHeartbeatFailed', listener: (event: { readonly failure: Error }) => void): unknown
  off?(event: 'serverHeartbeatFailed', listener: (event: { readonly failure: Error }) => void): unknown
}

/** What it needs of a `Db`. */
export interface MongoCheckDb {
  command(command: { ping: 1 }, options: { signal: AbortSignal }): Promise<unknown>
  readonly client?: object
}

/**
 * `check_database_connected` for MongoDB: one `ping`. (DF-25, DF-28)
 * @param place a `MongoClient`, whose default database is asked, or a `Db`
 * @throws ConfigurationError for anything else
 */
export function mongo(place: MongoCheckClient | MongoCheckDb, options: BuiltInOptions = {}): Check {
  const isDb = hasMethods(place, 'command')
  if (!isDb && !hasMethods(place, 'db')) throw notWhat('mongo', 'a MongoClient, or a Db, of mongodb', place)
  const open = (): MongoCheckDb => (isDb ? (place as MongoCheckDb) : (place as MongoCheckClient).db())
  const client = isDb ? (place as MongoCheckDb).client : place
  return builtIn(
    'mongo',
    'check_database_connected',
    options,
    oneAttempt(() => ping(open, client)),
  )
}

function ping(open: () => MongoCheckDb, client: object | undefined): Attempt {
  let failure: Error | undefined
  const failed = (event: { readonly failure: Error }): void => {
    failure = event.failure
  }
  const events = hasMethods(client, 'on', 'off') ? (client as Required<MongoCheckClient>) : undefined
  // The driver waits for a server for half a minute before it says that it finds none; these events say why meanwhile.
  events?.on('serverHeartbeatFailed', failed)
  const over = new AbortController()
  const asked = (async () => open().command({ ping: 1 }, { signal: over.signal }))()
  return {
    found: asked.then(() => [], databaseMessages).finally(() => events?.off('serverHeartbeatFailed', failed)),
    late(milliseconds) {
      over.abort()
      return failure === undefined ? lateDatabaseMessages('answer', milliseconds) : databaseMessages(failure)
    },
  }
}
