import type { CheckMessage } from '../../checks/index.ts'
import { databaseMessages, lateDatabaseMessages } from './database-messages.ts'
import type { Attempt } from './one-attempt.ts'

/** A pool of a driver, as far as a check uses it. */
export interface CheckedPool<Connection> {
  connect(): Promise<Connection>
  /** Whether who asks now has to wait until somebody gives a connection back. */
  isExhausted(): boolean
  ask(connection: Connection): Promise<unknown>
  release(connection: Connection): void
  /** Closes a connection that is of no use any more, so that the pool opens another one. */
  destroy(connection: Connection): void
}

/**
 * Asks a pool once. If no answer comes, the connection is closed; if no connection comes, it is given back unused once it does.
 */
export function pooledAttempt<Connection>(pool: CheckedPool<Connection>): Attempt {
  let isLate = false
  let asked: Connection | undefined
  const { promise: givenUp, resolve: giveUp } = Promise.withResolvers<CheckMessage[]>()
  const found = async (): Promise<CheckMessage[]> => {
    try {
      const connection = await pool.connect()
      if (isLate) {
        pool.release(connection)
        return []
      }
      asked = connection
      await pool.ask(connection)
      // It is not to be given back twice.
      if (asked !== undefined) pool.release(connection)
      asked = undefined
      return []
    } catch (error) {
      closeAsked()
      return databaseMessages(error)
    }
  }
  const closeAsked = (): void => {
    const connection = asked
    asked = undefined
    if (connection !== undefined) pool.destroy(connection)
  }
  return {
    found: Promise.race([found(), givenUp]),
    late(milliseconds) {
      isLate = true
      if (asked === undefined)
        return lateDatabaseMessages(pool.isExhausted() ? 'pool' : 'connection', milliseconds)
      closeAsked()
      giveUp([])
      return lateDatabaseMessages('answer', milliseconds)
    },
  }
}

/** Asks what is no pool, whose connection stays as it is. */
export function directAttempt(ask: () => Promise<unknown>): Attempt {
  return {
    found: (async () => ask())().then(() => [], databaseMessages),
    late: milliseconds => lateDatabaseMessages('answer', milliseconds),
  }
}
