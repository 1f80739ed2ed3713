import { setTimeout } from 'node:timers/promises'
import { type CheckMessage, dockerflowIds, error, warning } from '../../checks/index.ts'
import { type DatabaseFailureKind, databaseFailure } from './database-failure.ts'
import { shortened } from './error-line.ts'

interface Saying {
  /** In place of what the driver says, which names the user or is of little help. */
  readonly text?: string
  readonly hint?: string
}

const said: Readonly<Record<DatabaseFailureKind, Saying>> = {
  refused: { hint: 'Nothing listens there. Is the server running, and are host and port right?' },
  unreachable: { hint: 'Is the host name right, and does the network lead there?' },
  timeout: {
    hint: 'Packets may be dropped on the way (a firewall, a wrong address), or the server is overloaded.',
  },
  exhausted: {
    hint: 'All connections are in use: look for some that are not given back, or for slow queries, or allow more.',
  },
  credentials: {
    text: 'the server refused user or password',
    hint: 'Look at both, and at which hosts and methods the server allows.',
  },
  database: { hint: 'The server answers, but has no such database. Is its name right?' },
  permission: {
    text: 'the user may not use this database',
    hint: 'Grant the user what the service needs.',
  },
  certificate: { hint: "Hand the driver the certificate of the server's authority." },
  busy: { hint: 'The database is starting, or locked by somebody who writes.' },
  lost: { hint: 'The server or the network ended the connection. A pool opens another one.' },
  other: {},
  misused: { hint: 'Look at how the service opens and closes its connections.' },
}

/**
 * What a check says of the error that a database, its driver, or a library above it threw: E008 where driver or server
 * say it, E009 for everything else. Never with a password or a user. (DF-25)
 */
export function databaseMessages(thrown: unknown): CheckMessage[] {
  const { kind, code, text } = databaseFailure(thrown)
  const { text: own, hint } = said[kind]
  const told = own ?? shortened(text)
  const shown = code === undefined || told.includes(code) ? told : `${told} (${code})`
  return [
    kind === 'misused'
      ? error(`Database misconfigured: ${shown}`, { id: dockerflowIds.databaseLibraryError, hint })
      : error(`Database driver error: ${shown}`, { id: dockerflowIds.databaseDriverError, hint }),
  ]
}

/** Milliseconds after which a locked file is asked once more: most locks are held for less. */
const lockPause = 100

/** Asks a file of SQLite. One that somebody writes to is not broken: it is a Warning, if it still is so after a moment. */
export async function unlessLocked(ask: () => unknown): Promise<CheckMessage[]> {
  for (let isSecond = false; ; isSecond = true) {
    try {
      await ask()
      return []
    } catch (thrown) {
      const { kind } = databaseFailure(thrown)
      if (kind !== 'busy') return databaseMessages(thrown)
      if (isSecond) return databaseMessages(thrown).map(locked)
    }
    await setTimeout(lockPause)
  }
}

function locked({ message, hint }: CheckMessage): CheckMessage {
  return warning(message, { id: 'deedbox.health.W241', hint })
}

/**
 * What a check says of a database that has not answered in time.
 * @param what it waits for: a connection to be opened, one of a pool whose connections are all in use, or the answer
 * @param milliseconds for how long
 */
export function lateDatabaseMessages(
  what: 'connection' | 'pool' | 'answer',
  milliseconds: number,
): CheckMessage[] {
  const seconds = `${(milliseconds / 1_000).toFixed(1)} s`
  const { text, kind } = {
    connection: { text: `no connection could be opened for ${seconds}`, kind: 'timeout' as const },
    pool: {
      text: `all connections of the pool were in use for ${seconds}`,
      kind: 'exhausted' as const,
    },
    answer: { text: `the server has not answered for ${seconds}`, kind: 'timeout' as const },
  }[what]
  return [
    error(`Database driver error: ${text}`, {
      id: dockerflowIds.databaseDriverError,
      hint: said[kind].hint,
    }),
  ]
}
