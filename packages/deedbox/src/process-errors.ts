import type { LogWriter } from './log/index.ts'
import { currentScope, type RequestScope, scopeOfError } from './request/index.ts'
import { errorMessage } from './safety/index.ts'

/**
 * What becomes of errors and warnings of the process itself. (FA-26)
 * - `log` (the default): each is a line too, with the id of the request that it came from; what Node does about it,
 *   and prints, is as without us.
 * - `adopt`: Node prints nothing beside the line. An error that nobody handles ends the process with exit code 1, as
 *   Node would, once what waits is delivered (five seconds at most). Handlers of the service's own decide as before.
 * - `off`: nothing.
 */
export type ProcessErrors = 'log' | 'adopt' | 'off'

/** How one instance takes the errors of its process. */
export interface ProcessErrorTaker {
  /** What the instance's scopes carry as their box. */
  readonly identity: object
  readonly policy: ProcessErrors
  readonly writer: LogWriter
  /** Delivers what waits, within the given milliseconds. Must not reject. */
  flush(timeout: number): Promise<unknown>
}

/** How long a dying process is held, at most. */
const lastTimeout = 5_000

const takers = new Set<ProcessErrorTaker>()
let dying = false

/** Copies of this package share one set of listeners: two would write each error twice. (Ruling 3) */
const key: unique symbol = Symbol.for('deedbox.process-errors.1') as never

interface Shared {
  [key]?: (taker: ProcessErrorTaker) => () => void
}

const shared = globalThis as Shared
shared[key] ??= register

/** Has an instance told of its process's errors. Returns how to undo it. */
export const registerProcessErrors: (taker: ProcessErrorTaker) => () => void = shared[key]

function register(taker: ProcessErrorTaker): () => void {
  if (taker.policy === 'off') return () => undefined
  if (takers.size === 0) {
    // The monitor changes nothing: with or without it, handled or not, an error takes the same course.
    process.on('uncaughtExceptionMonitor', seeError)
    process.on('warning', seeWarning)
  }
  takers.add(taker)
  if (taker.policy === 'adopt') adopt()
  return () => {
    takers.delete(taker)
    if (![...takers].some(({ policy }) => policy === 'adopt')) release()
    if (takers.size > 0) return
    process.off('uncaughtExceptionMonitor', seeError)
    process.off('warning', seeWarning)
  }
}

function seeError(error: unknown, origin: NodeJS.UncaughtExceptionOrigin): void {
  // What a handler throws has left its request's context by now.
  const innermost = currentScope() ?? scopeOfError(error)
  for (let scope = innermost; scope !== undefined; scope = scope.outer) scope.fail(error)
  write(innermost, {
    level: 'CRITICAL',
    message: origin === 'unhandledRejection' ? 'Unhandled rejection' : 'Uncaught exception',
    thrown: { thrown: error },
  })
}

function seeWarning(warning: Error & { readonly code?: unknown }): void {
  const { name, code } = warning
  write(currentScope(), {
    level: 'WARNING',
    message: errorMessage(warning),
    fields: typeof code === 'string' ? { warning: name, code } : { warning: name },
  })
}

/** The line goes to the instance whose request it came from, else to the oldest one. */
function write(scope: RequestScope | undefined, line: Parameters<LogWriter['own']>[0]): void {
  const [oldest] = takers
  const taker = [...takers].find(({ identity }) => identity === scope?.box) ?? oldest
  taker?.writer.own({ ...line, type: 'process', members: scope?.idMember ?? '' })
}

/** Node's own printer of warnings, while it is put by. */
let printer: NodeJS.WarningListener | undefined

function adopt(): void {
  if (!process.listeners('uncaughtException').includes(endProcess))
    process.on('uncaughtException', endProcess)
  printer ??= process.listeners('warning').find(listener => listener.name === 'onWarning')
  if (printer !== undefined) process.off('warning', printer)
}

function release(): void {
  process.off('uncaughtException', endProcess)
  if (printer !== undefined) process.on('warning', printer)
  printer = undefined
}

function endProcess(): void {
  if (process.listenerCount('uncaughtException') > 1) return
  // A second error while the first one is being delivered: there is nothing left to wait for.
  if (dying) process.exit(1)
  dying = true
  void Promise.all([...takers].map(taker => taker.flush(lastTimeout))).then(() => process.exit(1))
}
