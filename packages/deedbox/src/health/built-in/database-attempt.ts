import type { CheckMessage } from '../../checks/index.ts'
import { databaseFailure } from './database-failure.ts'
import { databaseMessages, lateDatabaseMessages, unlessLocked } from './database-messages.ts'
import type { Attempt } from './one-attempt.ts'

/** A pool of a driver, as far as a check uses it. */
export interface CheckedPool<Connection> {
  connect(): Promise<Connection>
  /** Whether who asks now has to wait until somebody gives a connection back. */
  isExhausted(): boolean
  ask(connection: Connection, sql: string): Promise<unknown>
  release(connection: Connection): void
  /** Closes a connection that is of no use any more, so that the pool opens another one. */
  destroy(connection: Connection): void
}

/** What a pool was asked. */
export interface PoolQuestion {
  readonly answer: Promise<unknown>
  /**
   * If no answer comes, the connection is closed; if no connection comes, it is given back unused once it does. Says what was
   * waited for.
   */
  giveUp(): 'connection' | 'pool' | 'answer'
}

/** Codes of a statement that the server refuses on a connection that is well. */
const refusedStatement = /^(?:42|ER_(?:NO_SUCH_TABLE|BAD_FIELD_ERROR|TABLEACCESS_DENIED_ERROR)$)/

/** Asks a pool. A connection that died in the pool before anybody saw it is closed, and another one is asked. */
export function askPool<Connection>(pool: CheckedPool<Connection>, sql: string): PoolQuestion {
  let isLate = false
  let asked: Connection | undefined
  const { promise: givenUp, reject: stop } = Promise.withResolvers<never>()
  const leave = (how: 'release' | 'destroy'): void => {
    const connection = asked
    // It is not to be given back twice.
    asked = undefined
    if (connection !== undefined) pool[how](connection)
  }
  const ask = async (isSecond: boolean): Promise<unknown> => {
    const connection = await pool.connect()
    if (isLate) {
      pool.release(connection)
      return undefined
    }
    asked = connection
    try {
      const answer = await pool.ask(connection, sql)
      leave('release')
      return answer
    } catch (error) {
      const { kind, code } = databaseFailure(error)
      leave(refusedStatement.test(code ?? '') ? 'release' : 'destroy')
      if (isLate || isSecond || kind !== 'lost') throw error
      return ask(true)
    }
  }
  return {
    answer: Promise.race([ask(false), givenUp]),
    giveUp() {
      isLate = true
      if (asked === undefined) return pool.isExhausted() ? 'pool' : 'connection'
      leave('destroy')
      stop(new Error('The connection was closed, since no answer came.'))
      return 'answer'
    },
  }
}

/** Asks a pool once. */
export function pooledAttempt<Connection>(pool: CheckedPool<Connection>): Attempt {
  const { answer, giveUp } = askPool(pool, 'SELECT 1')
  return {
    found: answer.then(() => [], databaseMessages),
    late: milliseconds => lateDatabaseMessages(giveUp(), milliseconds),
  }
}

/** Asks what is no pool, whose connection stays as it is. */
export function directAttempt(ask: () => Promise<unknown>): Attempt {
  return {
    found: (async () => ask())().then(() => [], databaseMessages),
    late: lateAnswer,
  }
}

/** Asks a library whose database is a file, which may be locked. */
export function fileAttempt(ask: () => Promise<unknown>): Attempt {
  return { found: unlessLocked(ask), late: lateAnswer }
}

function lateAnswer(milliseconds: number): CheckMessage[] {
  return lateDatabaseMessages('answer', milliseconds)
}

/**
 * Milliseconds after which a library is asked again that has not answered: it keeps its connections for itself, so that one
 * that hangs cannot be closed.
 */
export const askedAgain = 5_000

/** Asks a library, once more where it met a connection that had died in its pool. */
export function libraryAttempt(ask: () => Promise<unknown>): Attempt {
  let isLate = false
  const twice = async (): Promise<unknown> => {
    try {
      return await ask()
    } catch (error) {
      // Once it is late nobody waits for a second answer.
      if (isLate || databaseFailure(error).kind !== 'lost') throw error
      return await ask()
    }
  }
  return {
    ...directAttempt(twice),
    late(milliseconds) {
      isLate = true
      return lateAnswer(milliseconds)
    },
  }
}
